package io.outboxrelay.schemas.rule;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.data.TimeConversions;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericEnumSymbol;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.jspecify.annotations.Nullable;

/**
 * One event, read as its writer knows it and as a reader does. Dates and instants are what they mean; other logical
 * types are compared by their bare values, since random ones are not always values of theirs.
 */
record ReadTwice(Object written, Object read) {

    private static final GenericData MEANING = new GenericData();

    static {
        MEANING.addLogicalTypeConversion(new TimeConversions.DateConversion());
        MEANING.addLogicalTypeConversion(new TimeConversions.TimestampMillisConversion());
        MEANING.addLogicalTypeConversion(new TimeConversions.TimestampMicrosConversion());
        MEANING.addLogicalTypeConversion(new TimeConversions.LocalTimestampMillisConversion());
        MEANING.addLogicalTypeConversion(new TimeConversions.LocalTimestampMicrosConversion());
    }

    static ReadTwice of(byte[] body, Schema writer, Schema reader) throws IOException {
        return new ReadTwice(read(body, writer, writer), read(body, writer, reader));
    }

    /** The values of all fields that both have are the same. */
    void requireSame(Schema reader) {
        requireSame(reader.getFullName(), written, read);
    }

    private static Object read(byte[] body, Schema writer, Schema reader) throws IOException {
        return new GenericDatumReader<>(writer, reader, MEANING)
                .read(null, DecoderFactory.get().binaryDecoder(body, null));
    }

    private static void requireSame(String path, Object written, Object read) {
        if (written instanceof GenericRecord was && read instanceof GenericRecord is) {
            for (Schema.Field field : is.getSchema().getFields()) {
                Schema.Field same = counterpart(field, was.getSchema());
                if (same != null) {
                    requireSame(path + "." + field.name(), was.get(same.pos()), is.get(field.pos()));
                }
            }
        } else if (written instanceof List<?> was && read instanceof List<?> is) {
            assertThat(is).as(path).hasSameSizeAs(was);
            for (int i = 0; i < was.size(); i++) {
                requireSame(path + "[]", was.get(i), is.get(i));
            }
        } else if (written instanceof Map<?, ?> was && read instanceof Map<?, ?> is) {
            assertThat(is.keySet()).as(path).isEqualTo(was.keySet());
            was.forEach((key, value) -> requireSame(path + "{}", value, is.get(key)));
        } else if (!isDefaultOfUnknown(written, read)) {
            assertThat(plain(read)).as(path).isEqualTo(plain(written));
        }
    }

    private static boolean isDefaultOfUnknown(Object written, Object read) {
        return read instanceof GenericEnumSymbol<?> symbol
                && !symbol.getSchema().hasEnumSymbol(written.toString())
                && symbol.toString().equals(symbol.getSchema().getEnumDefault());
    }

    private static Schema.@Nullable Field counterpart(Schema.Field field, Schema other) {
        Schema.Field same = other.getField(field.name());
        for (String alias : field.aliases()) {
            same = same == null ? other.getField(alias) : same;
        }
        return same;
    }

    /** Numbers as one type, and so text and bytes: promotion changes the type and not the value. */
    private static @Nullable Object plain(@Nullable Object value) {
        if (value instanceof CharSequence text) {
            return ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8));
        }
        if (value instanceof GenericData.Fixed fixed) {
            return ByteBuffer.wrap(fixed.bytes());
        }
        if (value instanceof GenericEnumSymbol<?> symbol) {
            return symbol.toString();
        }
        return value instanceof Number number && Double.isFinite(number.doubleValue()) ? exact(number) : value;
    }

    private static BigDecimal exact(Number number) {
        boolean whole = number instanceof Integer || number instanceof Long;
        BigDecimal exact = whole ? BigDecimal.valueOf(number.longValue()) : new BigDecimal(number.doubleValue());
        return exact.stripTrailingZeros();
    }
}
