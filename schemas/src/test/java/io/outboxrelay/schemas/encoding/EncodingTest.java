package io.outboxrelay.schemas.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.contracts.OrderLine;
import io.outboxrelay.schemas.contracts.OrderPlaced;
import io.outboxrelay.schemas.contracts.OrderShipped;
import io.outboxrelay.schemas.contracts.OrderState;
import io.outboxrelay.schemas.contracts.shared.Address;
import io.outboxrelay.schemas.contracts.shared.AddressKind;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.util.ClassSecurityValidator;
import org.apache.avro.util.Utf8;
import org.assertj.core.api.ThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EncodingTest {

    private static final String SECRET = "notToBeSeen";

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
        byte[] body = EventEncoder.singleObject().encode(ORDER);

        assertThat(EventDecoder.of(OrderPlaced.class).decode(body)).isEqualTo(ORDER);
    }

    @Test
    void a_shared_type_may_have_a_package_of_its_own() {
        OrderShipped shipped = new OrderShipped("4711", new Address(List.of("Lane 1", "Town"), AddressKind.WORK));
        byte[] body = EventEncoder.singleObject().encode(shipped);

        assertThat(EventDecoder.of(OrderShipped.class).decode(body)).isEqualTo(shipped);
    }

    @Test
    void the_body_begins_with_the_marker_and_the_fingerprint_in_little_endian_order() {
        byte[] body = EventEncoder.singleObject().encode(ORDER);

        assertThat(body).startsWith(0xC3, 0x01);
        assertThat(ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN).getLong(2))
                .isEqualTo(SchemaNormalization.parsingFingerprint64(OrderPlaced.getClassSchema()));
    }

    @Test
    void a_generic_record_comes_back_equal() {
        GenericRecord paid = paid(FIRST, "1");

        assertThat(EventDecoder.of(FIRST, SchemaSource.of())
                        .decode(EventEncoder.singleObject().encode(paid)))
                .isEqualTo(paid);
    }

    @Test
    void an_older_event_is_read_into_the_readers_schema_with_its_defaults() {
        byte[] old = EventEncoder.singleObject().encode(paid(FIRST, "1"));

        GenericRecord read = EventDecoder.of(SECOND, SchemaSource.of(FIRST)).decode(old);

        assertThat(read.getSchema()).isEqualTo(SECOND);
        assertThat(read.get("currency")).hasToString("EUR");
    }

    @Test
    void trusting_the_classes_of_a_contract_changes_nothing_for_the_rest_of_the_process() {
        EventDecoder.of(OrderPlaced.class).decode(EventEncoder.singleObject().encode(ORDER));

        assertThat(ClassSecurityValidator.getGlobal().isTrusted(OrderPlaced.class))
                .isFalse();
    }

    @Test
    void a_class_that_the_contract_does_not_consist_of_is_not_created() {
        TrustedClasses data = new TrustedClasses(OrderPlaced.class);
        Schema foreign = SchemaBuilder.record("io.outboxrelay.schemas.encoding.EventEncoder")
                .fields()
                .endRecord();
        Schema nested = SchemaBuilder.record("io.outboxrelay.schemas.contracts.deeper.X")
                .fields()
                .endRecord();

        assertThatThrownBy(() -> data.getClass(foreign)).isInstanceOf(SecurityException.class);
        assertThat(data.getClass(nested)).isNull();
        assertThatThrownBy(() -> data.getClass(OrderShipped.getClassSchema())).isInstanceOf(SecurityException.class);
        assertThat(data.getClass(OrderLine.getClassSchema())).isEqualTo(OrderLine.class);
        assertThat(data.getClass(OrderPlaced.getClassSchema())).isEqualTo(OrderPlaced.class);
    }

    @Test
    void a_body_of_another_framing_is_refused_with_its_first_bytes() {
        EventDecoder<OrderPlaced> decoder = EventDecoder.of(OrderPlaced.class);

        assertThatThrownBy(() -> decoder.decode("{\"order\": 4711}".getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(AvroEventException.class)
                .hasMessageContaining("begins with 7B 22")
                .hasMessageContaining("C3 01");
        assertThatThrownBy(() -> decoder.decode(new byte[] {(byte) 0xC3, 1, 7})).hasMessageContaining("3 bytes");
    }

    @Test
    void an_unknown_writer_is_named_by_its_fingerprint() {
        byte[] body = EventEncoder.singleObject().encode(paid(SECOND, "1"));

        assertThatThrownBy(() -> EventDecoder.of(FIRST, SchemaSource.of()).decode(body))
                .isInstanceOf(AvroEventException.class)
                .hasMessageContaining("fingerprint %016x".formatted(SchemaNormalization.parsingFingerprint64(SECOND)))
                .hasMessageContaining("shop.Paid");
    }

    @Test
    void a_truncated_body_is_refused() {
        byte[] body = EventEncoder.singleObject().encode(ORDER);
        EventDecoder<OrderPlaced> decoder = EventDecoder.of(OrderPlaced.class);

        for (int length = 10; length < body.length; length++) {
            byte[] part = Arrays.copyOf(body, length);
            assertThatThrownBy(() -> decoder.decode(part))
                    .isInstanceOf(AvroEventException.class)
                    .hasMessageContaining("OrderPlaced");
        }
    }

    @Test
    void a_record_that_does_not_fit_its_schema_is_refused_with_the_field() {
        assertThatThrownBy(() -> EventEncoder.singleObject().encode(new GenericData.Record(FIRST)))
                .isInstanceOf(AvroEventException.class)
                .hasMessageContaining("shop.Paid")
                .hasMessageContaining("id");
    }

    @Test
    void a_newer_event_is_read_into_the_older_schema() {
        byte[] newer = EventEncoder.singleObject().encode(paid(SECOND, "1"));

        GenericRecord read = EventDecoder.of(FIRST, SchemaSource.of(SECOND)).decode(newer);

        assertThat(read.getSchema()).isEqualTo(FIRST);
        assertThat(read.get("id")).hasToString("1");
    }

    @Test
    void a_writer_s_schema_is_found_in_a_catalogue_of_contracts(@TempDir Path folder) throws IOException {
        Path versions = Files.createDirectories(folder.resolve("shop.paid"));
        Files.writeString(versions.resolve("v1.avsc"), FIRST.toString());
        Files.writeString(versions.resolve("v2.avsc"), SECOND.toString());
        Files.writeString(folder.resolve("contracts.yaml"), "owner: shop\nsubjects:\n  shop.paid: {}\n");
        byte[] newer = EventEncoder.singleObject().encode(paid(SECOND, "1"));

        GenericRecord read =
                EventDecoder.of(FIRST, SchemaSource.of(Contracts.read(folder))).decode(newer);

        assertThat(read.get("id")).hasToString("1");
    }

    @Test
    void a_newer_event_is_read_into_an_older_generated_class_and_an_older_one_into_a_newer_class() {
        Schema newer = withField(OrderPlaced.getClassSchema(), "channel", "web");
        Schema older = withoutField(OrderPlaced.getClassSchema(), "note");
        EventDecoder<OrderPlaced> decoder = EventDecoder.of(OrderPlaced.class, SchemaSource.of(newer, older));

        OrderPlaced down = decoder.decode(EventEncoder.singleObject().encode(copy(ORDER, newer)));
        OrderPlaced up = decoder.decode(EventEncoder.singleObject().encode(copy(ORDER, older)));

        assertThat(down).isEqualTo(ORDER);
        assertThat(up.getNote()).isNull();
        assertThat(up.getAmount()).isEqualTo(ORDER.getAmount());
    }

    @Test
    void a_body_in_the_framing_of_registries_is_read_by_the_id_of_its_schema() {
        byte[] body = EventEncoder.confluent(schema -> 0x01020304).encode(paid(FIRST, "1"));

        GenericRecord read = EventDecoder.of(SECOND, only(0x01020304, FIRST)).decode(body);

        assertThat(body).startsWith(0, 1, 2, 3, 4);
        assertThat(read.get("currency")).hasToString("EUR");
    }

    @Test
    void the_id_of_a_schema_is_asked_for_once() {
        List<Schema> asked = new ArrayList<>();
        EventEncoder encoder = EventEncoder.confluent(schema -> {
            asked.add(schema);
            return 7;
        });

        encoder.encode(paid(FIRST, "1"));
        encoder.encode(paid(FIRST, "2"));

        assertThat(asked).containsExactly(FIRST);
    }

    @Test
    void a_raw_body_is_read_with_the_schema_that_the_reader_is_told() {
        byte[] body = EventEncoder.raw().encode(paid(FIRST, "1"));

        assertThat(body).containsExactly(2, '1');
        assertThat(EventDecoder.of(SECOND, SchemaSource.of())
                        .decodeRaw(body, FIRST)
                        .get("currency"))
                .hasToString("EUR");
    }

    @Test
    void an_id_that_nobody_gave_is_named() {
        byte[] body = EventEncoder.confluent(schema -> 99).encode(paid(FIRST, "1"));

        assertThatThrownBy(() -> EventDecoder.of(FIRST, SchemaSource.of()).decode(body))
                .isInstanceOf(AvroEventException.class)
                .hasMessageContaining("id 99")
                .hasMessageContaining("shop.Paid");
    }

    @Test
    void a_source_that_cannot_be_asked_is_told_of_and_asked_again_for_the_next_event() {
        byte[] body = EventEncoder.singleObject().encode(paid(FIRST, "1"));
        AtomicBoolean away = new AtomicBoolean(true);
        EventDecoder<GenericRecord> decoder = EventDecoder.of(SECOND, new SchemaSource() {
            @Override
            public List<Schema> byFingerprint(long fingerprint) {
                if (away.get()) {
                    throw new IllegalStateException("the registry is away");
                }
                return List.of(FIRST);
            }

            @Override
            public Optional<Schema> byId(int id) {
                return Optional.empty();
            }
        });

        assertThatThrownBy(() -> decoder.decode(body)).hasMessageContaining("the registry is away");
        away.set(false);

        assertThat(decoder.decode(body).get("id")).hasToString("1");
    }

    @Test
    void schemas_of_one_fingerprint_that_mean_different_things_are_not_guessed_between() {
        Schema millis = at(LogicalTypes.timestampMillis().addToSchema(Schema.create(Schema.Type.LONG)));
        Schema micros = at(LogicalTypes.timestampMicros().addToSchema(Schema.create(Schema.Type.LONG)));
        Schema reader = withField(millis, "more", "x");
        GenericData.Record event = new GenericData.Record(millis);
        event.put("at", 1L);
        byte[] body = EventEncoder.singleObject().encode(event);

        assertThat(SchemaNormalization.parsingFingerprint64(millis))
                .isEqualTo(SchemaNormalization.parsingFingerprint64(micros));
        assertThatThrownBy(() ->
                        EventDecoder.of(reader, SchemaSource.of(millis, micros)).decode(body))
                .isInstanceOf(AvroEventException.class)
                .hasMessageContaining("logical types");
        assertThat(EventDecoder.of(reader, SchemaSource.of(millis, millis))
                        .decode(body)
                        .get("at"))
                .isEqualTo(1L);
    }

    @Test
    void a_value_that_cannot_be_written_is_named_by_its_field_and_never_shown() {
        Schema address =
                SchemaBuilder.record("shop.Address").fields().requiredInt("zip").endRecord();
        Schema customer = SchemaBuilder.record("shop.Customer")
                .fields()
                .name("home")
                .type()
                .unionOf()
                .nullType()
                .and()
                .type(address)
                .endUnion()
                .noDefault()
                .name("kind")
                .type()
                .enumeration("Kind")
                .symbols("A", "B")
                .noDefault()
                .endRecord();
        GenericData.Record home = new GenericData.Record(address);
        home.put("zip", SECRET);
        GenericData.Record wrongInside = new GenericData.Record(customer);
        wrongInside.put("home", home);
        GenericData.Record wrongSymbol = new GenericData.Record(customer);
        wrongSymbol.put(
                "kind", new GenericData.EnumSymbol(customer.getField("kind").schema(), SECRET));
        GenericData.Record wrongBranch = new GenericData.Record(customer);
        wrongBranch.put("home", SECRET);

        shown(
                () -> EventEncoder.raw().encode(wrongInside),
                "field home.zip is of type int and holds a java.lang.String");
        shown(() -> EventEncoder.raw().encode(wrongSymbol), "field kind is of type shop.Kind");
        shown(() -> EventEncoder.raw().encode(wrongBranch), "field home is of type null or shop.Address");
    }

    @Test
    void a_value_that_cannot_be_read_is_never_shown() {
        Schema text =
                SchemaBuilder.record("shop.At").fields().requiredString("at").endRecord();
        GenericData.Record event = new GenericData.Record(text);
        event.put("at", SECRET);
        byte[] body = EventEncoder.singleObject().encode(event);

        Schema number =
                SchemaBuilder.record("shop.At").fields().requiredLong("at").endRecord();
        shown(() -> EventDecoder.of(number, SchemaSource.of(text)).decode(body), "TYPE_MISMATCH at /fields/0/type");

        Schema written = SchemaBuilder.record("shop.K")
                .fields()
                .name("k")
                .type()
                .enumeration("Kind")
                .symbols("A", SECRET)
                .noDefault()
                .endRecord();
        Schema wanted = SchemaBuilder.record("shop.K")
                .fields()
                .name("k")
                .type()
                .enumeration("Kind")
                .symbols("A")
                .noDefault()
                .endRecord();
        assertThatThrownBy(() -> EventDecoder.of(wanted, SchemaSource.of(written))
                        .decode(EventEncoder.singleObject().encode(kind(written))))
                .hasMessageContaining("MISSING_ENUM_SYMBOLS");
    }

    private static GenericRecord kind(Schema schema) {
        GenericData.Record record = new GenericData.Record(schema);
        record.put("k", new GenericData.EnumSymbol(schema.getField("k").schema(), SECRET));
        return record;
    }

    /** Fails, says this, and shows a value neither in its message nor in a cause. */
    private static void shown(ThrowableAssert.ThrowingCallable task, String words) {
        assertThatThrownBy(task)
                .isInstanceOf(AvroEventException.class)
                .hasMessageContaining(words)
                .satisfies(failure -> {
                    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
                        assertThat(cause.toString()).doesNotContain(SECRET);
                    }
                });
    }

    private static SchemaSource only(int id, Schema schema) {
        return new SchemaSource() {
            @Override
            public List<Schema> byFingerprint(long fingerprint) {
                return List.of();
            }

            @Override
            public Optional<Schema> byId(int other) {
                return other == id ? Optional.of(schema) : Optional.empty();
            }
        };
    }

    private static Schema at(Schema type) {
        return SchemaBuilder.record("shop.At")
                .fields()
                .name("at")
                .type(type)
                .noDefault()
                .endRecord();
    }

    private static Schema withField(Schema schema, String name, String standard) {
        List<Schema.Field> fields = new ArrayList<>();
        schema.getFields().forEach(field -> fields.add(new Schema.Field(field, field.schema())));
        fields.add(0, new Schema.Field(name, Schema.create(Schema.Type.STRING), null, standard));
        return Schema.createRecord(schema.getName(), null, schema.getNamespace(), false, fields);
    }

    private static Schema withoutField(Schema schema, String name) {
        List<Schema.Field> fields = new ArrayList<>();
        schema.getFields().stream()
                .filter(field -> !field.name().equals(name))
                .forEach(field -> fields.add(new Schema.Field(field, field.schema())));
        return Schema.createRecord(schema.getName(), null, schema.getNamespace(), false, fields);
    }

    /** What a producer of another version would write: the same values, without the class. */
    private static GenericRecord copy(OrderPlaced order, Schema schema) {
        GenericRecord own = EventDecoder.of(OrderPlaced.getClassSchema(), SchemaSource.of())
                .decode(EventEncoder.singleObject().encode(order));
        GenericData.Record copy = new GenericData.Record(schema);
        schema.getFields()
                .forEach(field ->
                        copy.put(field.pos(), own.hasField(field.name()) ? own.get(field.name()) : new Utf8("web")));
        return copy;
    }

    private static GenericRecord paid(Schema schema, String id) {
        GenericData.Record paid = new GenericData.Record(schema);
        paid.put("id", new Utf8(id));
        if (schema.getField("currency") != null) {
            paid.put("currency", new Utf8("EUR"));
        }
        return paid;
    }
}
