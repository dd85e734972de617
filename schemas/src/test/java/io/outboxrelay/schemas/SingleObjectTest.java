package io.outboxrelay.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.schemas.contracts.OrderLine;
import io.outboxrelay.schemas.contracts.OrderPlaced;
import io.outboxrelay.schemas.contracts.OrderState;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.util.ClassSecurityValidator;
import org.junit.jupiter.api.Test;

class SingleObjectTest {

    private static final OrderPlaced ORDER = new OrderPlaced(
            "4711",
            new BigDecimal("12.50"),
            Instant.parse("2026-01-02T03:04:05.678Z"),
            OrderState.PAID,
            List.of(new OrderLine("apple", 3), new OrderLine("pear", 1)),
            "grün");

    private static final Schema FIRST =
            SchemaBuilder.record("shop.Paid").fields().requiredString("id").endRecord();

    private static final Schema SECOND = SchemaBuilder.record("shop.Paid")
            .fields()
            .requiredString("id")
            .name("currency")
            .type()
            .stringType()
            .stringDefault("EUR")
            .endRecord();

    @Test
    void a_generated_record_with_logical_types_and_nested_records_comes_back_equal() {
        byte[] body = SingleObject.encode(ORDER);

        assertThat(SingleObjectDecoder.of(OrderPlaced.class).decode(body)).isEqualTo(ORDER);
    }

    @Test
    void the_body_begins_with_the_marker_and_the_fingerprint_in_little_endian_order() {
        byte[] body = SingleObject.encode(ORDER);

        assertThat(body).startsWith(0xC3, 0x01);
        assertThat(ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN).getLong(2))
                .isEqualTo(SchemaNormalization.parsingFingerprint64(OrderPlaced.getClassSchema()));
    }

    @Test
    void a_generic_record_comes_back_equal() {
        GenericRecord paid = paid(FIRST, "1");

        assertThat(SingleObjectDecoder.of(FIRST).decode(SingleObject.encode(paid)))
                .isEqualTo(paid);
    }

    @Test
    void an_older_event_is_read_into_the_readers_schema_with_its_defaults() {
        byte[] old = SingleObject.encode(paid(FIRST, "1"));

        GenericRecord read = SingleObjectDecoder.of(SECOND, FIRST).decode(old);

        assertThat(read.getSchema()).isEqualTo(SECOND);
        assertThat(read.get("currency")).hasToString("EUR");
    }

    @Test
    void trusting_the_package_of_a_contract_changes_nothing_for_the_rest_of_the_process() {
        SingleObjectDecoder.of(OrderPlaced.class).decode(SingleObject.encode(ORDER));

        assertThat(ClassSecurityValidator.getGlobal().isTrusted(OrderPlaced.class))
                .isFalse();
    }

    @Test
    void a_class_outside_the_contracts_package_is_not_created() {
        TrustedPackage data = new TrustedPackage(OrderPlaced.class);
        Schema foreign = SchemaBuilder.record("io.outboxrelay.schemas.SingleObject")
                .fields()
                .endRecord();
        Schema nested = SchemaBuilder.record("io.outboxrelay.schemas.contracts.deeper.X")
                .fields()
                .endRecord();

        assertThatThrownBy(() -> data.getClass(foreign)).isInstanceOf(SecurityException.class);
        assertThat(data.getClass(nested)).isNull();
        assertThat(data.getClass(OrderPlaced.getClassSchema())).isEqualTo(OrderPlaced.class);
    }

    @Test
    void a_body_of_another_framing_is_refused_with_its_first_bytes() {
        SingleObjectDecoder<OrderPlaced> decoder = SingleObjectDecoder.of(OrderPlaced.class);

        assertThatThrownBy(() -> decoder.decode(new byte[] {0, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6}))
                .isInstanceOf(AvroEventException.class)
                .hasMessageContaining("begins with 00 00")
                .hasMessageContaining("C3 01");
        assertThatThrownBy(() -> decoder.decode(new byte[9])).hasMessageContaining("9 bytes");
    }

    @Test
    void an_unknown_writer_is_named_by_its_fingerprint() {
        byte[] body = SingleObject.encode(paid(SECOND, "1"));

        assertThatThrownBy(() -> SingleObjectDecoder.of(FIRST).decode(body))
                .isInstanceOf(AvroEventException.class)
                .hasMessageContaining("%016x".formatted(SchemaNormalization.parsingFingerprint64(SECOND)))
                .hasMessageContaining("shop.Paid");
    }

    @Test
    void a_truncated_body_is_refused() {
        byte[] body = SingleObject.encode(ORDER);
        SingleObjectDecoder<OrderPlaced> decoder = SingleObjectDecoder.of(OrderPlaced.class);

        for (int length = 10; length < body.length; length++) {
            byte[] part = Arrays.copyOf(body, length);
            assertThatThrownBy(() -> decoder.decode(part))
                    .isInstanceOf(AvroEventException.class)
                    .hasMessageContaining("OrderPlaced");
        }
    }

    @Test
    void a_record_that_does_not_fit_its_schema_is_refused_with_the_field() {
        assertThatThrownBy(() -> SingleObject.encode(new GenericData.Record(FIRST)))
                .isInstanceOf(AvroEventException.class)
                .hasMessageContaining("shop.Paid")
                .hasMessageContaining("id");
    }

    private static GenericRecord paid(Schema schema, String id) {
        GenericData.Record paid = new GenericData.Record(schema);
        paid.put("id", new org.apache.avro.util.Utf8(id));
        if (schema.getField("currency") != null) {
            paid.put("currency", new org.apache.avro.util.Utf8("EUR"));
        }
        return paid;
    }
}
