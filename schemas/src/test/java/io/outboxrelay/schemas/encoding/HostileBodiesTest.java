package io.outboxrelay.schemas.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.schemas.contracts.OrderLine;
import io.outboxrelay.schemas.contracts.OrderPlaced;
import io.outboxrelay.schemas.contracts.OrderState;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.generic.GenericData;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.junit.jupiter.api.Test;

/** Bodies that no honest producer wrote end in an error that says so, and in nothing else. */
class HostileBodiesTest {

    private static final OrderPlaced ORDER = new OrderPlaced(
            "4711",
            new BigDecimal("12.50"),
            Instant.parse("2026-01-02T03:04:05.678Z"),
            OrderState.PAID,
            List.of(new OrderLine("apple", 3), new OrderLine("pear", 1)),
            "grün");

    private static final byte[] BODY = EventEncoder.singleObject().encode(ORDER);
    private static final int HEADER = 10;

    /** What one body may make the reader allocate: a million values, and what reporting a failure takes. */
    private static final long MOST_MEMORY = 64 << 20;

    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final Schema TREE = new Schema.Parser().parse("""
            {"type": "record", "name": "Tree", "fields": [
              {"name": "children", "type": {"type": "array", "items": "Tree"}}]}""");

    private static final Schema ENDLESS = new Schema.Parser().parse("""
            {"type": "record", "name": "Endless", "fields": [{"name": "self", "type": "Endless"}]}""");

    private static final Schema NULLS = field(SchemaBuilder.array().items().nullType());
    private static final Schema EMPTY_RECORDS = field(
            SchemaBuilder.array().items(SchemaBuilder.record("Nothing").fields().endRecord()));

    private final EventDecoder<OrderPlaced> decoder = EventDecoder.of(OrderPlaced.class);

    @Property(tries = 2_000)
    void any_bytes_behind_a_right_header_are_decoded_or_refused(@ForAll @Size(max = 200) byte[] data) {
        byte[] body = Arrays.copyOf(BODY, HEADER + data.length);
        System.arraycopy(data, 0, body, HEADER, data.length);

        decodedOrRefused(body);
    }

    @Property(tries = 1_000)
    void any_bytes_at_all_are_decoded_or_refused(@ForAll @Size(max = 50) byte[] body) {
        decodedOrRefused(body);
    }

    @Property(tries = 5_000)
    void a_body_with_some_bytes_changed_is_decoded_or_refused(
            @ForAll @IntRange(max = 200) int first,
            @ForAll byte change,
            @ForAll @IntRange(max = 200) int second,
            @ForAll byte other) {
        byte[] body = BODY.clone();
        body[first % body.length] ^= change;
        body[second % body.length] ^= other;

        decodedOrRefused(body);
    }

    @Property(tries = 1_000)
    void a_body_of_another_schema_is_decoded_or_refused(@ForAll("numbers") List<Long> numbers) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(BODY, 0, HEADER);
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
        for (long number : numbers) {
            encoder.writeLong(number);
        }

        decodedOrRefused(bytes.toByteArray());
    }

    @Property(tries = 2_000)
    void any_counts_where_elements_take_few_bytes_or_none_are_decoded_or_refused(
            @ForAll("small") Schema schema, @ForAll("numbers") List<Long> numbers) throws IOException {
        byte[] body =
                numbers(new byte[0], numbers.stream().mapToLong(Long::longValue).toArray());
        EventDecoder<?> reader = EventDecoder.of(schema, SchemaSource.of());

        decodedOrRefused(() -> reader.decodeRaw(body, schema));
    }

    @Provide
    Arbitrary<Schema> small() {
        return Arbitraries.of(
                TREE,
                NULLS,
                EMPTY_RECORDS,
                field(SchemaBuilder.map().values().nullType()),
                field(SchemaBuilder.array().items().map().values().intType()));
    }

    @Provide
    Arbitrary<List<Long>> numbers() {
        return Arbitraries.oneOf(Arbitraries.longs(), Arbitraries.longs().between(-3, 300))
                .list()
                .ofMaxSize(30);
    }

    @Test
    void a_huge_length_is_refused_before_memory_is_taken() throws IOException {
        byte[] body = numbers(BODY, Integer.MAX_VALUE - 10);

        refused(() -> decoder.decode(body), "orderId", "a length of 2147483637 with 0 bytes left");
    }

    @Test
    void a_negative_length_is_refused() throws IOException {
        byte[] body = numbers(BODY, -5);

        refused(() -> decoder.decode(body), "orderId", "a length of -5");
    }

    @Test
    void a_huge_number_of_elements_that_take_no_bytes_is_refused() throws IOException {
        for (Schema schema : List.of(NULLS, EMPTY_RECORDS)) {
            EventDecoder<?> reader = EventDecoder.of(schema, SchemaSource.of());
            byte[] atOnce = numbers(new byte[0], 2_000_000_000, 0);
            byte[] inSizedBlocks = numbers(new byte[0], -900_000, 0, -900_000, 0, 0);

            refused(() -> reader.decodeRaw(atOnce, schema), "field", "more than 1000000 values");
            refused(() -> reader.decodeRaw(inSizedBlocks, schema), "field", "more than 1000000 values");
        }
    }

    @Test
    void a_count_that_has_no_positive_counterpart_is_refused() throws IOException {
        EventDecoder<?> reader = EventDecoder.of(NULLS, SchemaSource.of());
        byte[] body = numbers(new byte[0], Long.MIN_VALUE, 0, 0);

        refused(() -> reader.decodeRaw(body, NULLS), "field");
    }

    @Test
    void a_map_with_more_entries_than_bytes_is_refused() throws IOException {
        Schema schema = field(SchemaBuilder.map().values().nullType());
        EventDecoder<?> reader = EventDecoder.of(schema, SchemaSource.of());
        byte[] body = numbers(new byte[0], 900_000);

        refused(() -> reader.decodeRaw(body, schema), "cut off");
    }

    @Test
    void nesting_beyond_the_limit_is_refused_and_within_it_is_read() throws IOException {
        EventDecoder<?> reader = EventDecoder.of(TREE, SchemaSource.of());

        assertThatCode(() -> reader.decodeRaw(tree(30), TREE)).doesNotThrowAnyException();
        byte[] deep = tree(100_000);
        refused(() -> reader.decodeRaw(deep, TREE), "nested deeper than 64");
    }

    @Test
    void a_schema_whose_records_never_end_is_refused() {
        EventDecoder<?> reader = EventDecoder.of(ENDLESS, SchemaSource.of());

        refused(() -> reader.decodeRaw(new byte[0], ENDLESS), "nested deeper than 64");
    }

    @Test
    void a_schema_of_few_lines_that_stands_for_very_many_values_is_refused() {
        Schema schema = SchemaBuilder.record("R0").fields().endRecord();
        for (int i = 1; i <= 40; i++) {
            schema = Schema.createRecord(
                    "R" + i, null, null, false, List.of(new Schema.Field("a", schema), new Schema.Field("b", schema)));
        }
        Schema doubling = schema;
        EventDecoder<?> reader = EventDecoder.of(doubling, SchemaSource.of());

        refused(() -> reader.decodeRaw(new byte[0], doubling), "more than 1000000 values");
    }

    @Test
    void a_body_longer_than_the_limit_is_refused() {
        EventDecoder<OrderPlaced> narrow = decoder.within(new DecodingLimits(BODY.length - 1, 100, 10));

        assertThatThrownBy(() -> narrow.decode(BODY))
                .isInstanceOf(AvroEventException.class)
                .hasMessageContaining("OrderPlaced")
                .hasMessageContaining("%d bytes".formatted(BODY.length));
    }

    @Test
    void bytes_behind_the_end_are_refused() {
        assertThatThrownBy(() -> decoder.decode(Arrays.copyOf(BODY, BODY.length + 3)))
                .isInstanceOf(AvroEventException.class)
                .hasMessageContaining("3 bytes are left over");
    }

    @Test
    void a_fingerprint_of_another_schema_is_refused() {
        byte[] body = BODY.clone();
        body[5] ^= 1;

        assertThatThrownBy(() -> decoder.decode(body))
                .isInstanceOf(AvroEventException.class)
                .hasMessageContaining("is not known");
    }

    @Test
    void a_fingerprint_that_lies_about_the_schema_is_refused() {
        Schema writer = field(SchemaBuilder.builder().longType());
        byte[] body = EventEncoder.singleObject().encode(new GenericData.Record(writer) {
            {
                put("field", 1L << 40);
            }
        });
        System.arraycopy(BODY, 0, body, 0, HEADER);

        assertThatThrownBy(() -> decoder.decode(body)).isInstanceOf(AvroEventException.class);
    }

    @Test
    void no_class_that_a_writer_s_schema_names_is_created() {
        Schema writer = new Schema.Parser().parse("""
                {"type": "record", "name": "OrderPlaced", "namespace": "io.outboxrelay.schemas.contracts", "fields": [
                  {"name": "orderId", "type": {"type": "string", "java-class": "%1$s"}},
                  {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
                  {"name": "placedAt", "type": {"type": "long", "logicalType": "timestamp-millis"}},
                  {"name": "state", "type": {"type": "enum", "name": "OrderState", "symbols": ["NEW", "PAID"]}},
                  {"name": "lines", "type": {"type": "array", "java-class": "%1$s", "items": {
                    "type": "record", "name": "OrderLine", "fields": [
                      {"name": "sku", "type": "string"}, {"name": "quantity", "type": "int"}]}}},
                  {"name": "trap", "type": {"type": "record", "name": "Trap",
                    "namespace": "io.outboxrelay.schemas.encoding", "fields": []}},
                  {"name": "note", "type": ["null", "string"], "default": null}]}""".formatted(Trap.class.getName()));
        byte[] data = Arrays.copyOfRange(BODY, HEADER, BODY.length);

        OrderPlaced read = decoder.decodeRaw(data, writer);

        assertThat(read).isEqualTo(ORDER);
        assertThat(Trap.SPRUNG).isFalse();
    }

    @Test
    void a_record_that_contains_itself_is_refused_when_it_is_encoded() {
        GenericData.Record endless = new GenericData.Record(ENDLESS);
        endless.put("self", endless);

        assertThatThrownBy(() -> EventEncoder.singleObject().encode(endless))
                .isInstanceOf(AvroEventException.class)
                .hasMessageContaining("contains itself");
    }

    private void decodedOrRefused(byte[] body) {
        decodedOrRefused(() -> decoder.decode(body));
    }

    private static void decodedOrRefused(Supplier<Object> decoding) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        try {
            assertThat(decoding.get()).isNotNull();
        } catch (AvroEventException e) {
            assertThat(e).hasMessageNotContaining("null");
        }
        assertThat(THREADS.getCurrentThreadAllocatedBytes() - before).isLessThan(MOST_MEMORY);
    }

    private static void refused(Runnable decoding, String... words) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        assertThatThrownBy(decoding::run).isInstanceOf(AvroEventException.class).satisfies(e -> {
            for (String word : words) {
                assertThat(e).hasMessageContaining(word);
            }
        });
        assertThat(THREADS.getCurrentThreadAllocatedBytes() - before).isLessThan(MOST_MEMORY);
    }

    private static Schema field(Schema type) {
        return SchemaBuilder.record("Holder")
                .fields()
                .name("field")
                .type(type)
                .noDefault()
                .endRecord();
    }

    /** A tree that is one branch: at each level one child, at the end none. */
    private static byte[] tree(int depth) throws IOException {
        long[] counts = new long[2 * depth + 1];
        Arrays.fill(counts, 0, depth, 1);
        return numbers(new byte[0], counts);
    }

    /** The header of a body, and numbers behind it. */
    private static byte[] numbers(byte[] like, long... numbers) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(like, 0, Math.min(HEADER, like.length));
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
        for (long number : numbers) {
            encoder.writeLong(number);
        }
        return bytes.toByteArray();
    }
}
