package io.outboxrelay.schemas.encoding;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DatumReader;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.specific.SpecificRecord;

/**
 * Decodes events written with any version of a schema into the one that the reader wants: an older event into a newer
 * class, and a newer one into an older class. Safe for use by many threads.
 *
 * @param <T> what it decodes into
 */
public final class EventDecoder<T> {

    /** More versions than a contract has; beyond it they are looked up again. */
    private static final int MOST_WRITERS = 1_000;

    private static final int SHOWN_BYTES = 4;

    private final GenericData data;
    private final Schema reader;
    private final SchemaSource writers;
    private final DecodingLimits limits;
    private final Map<Framing, Schema> known = new ConcurrentHashMap<>();
    private final Map<Schema, DatumReader<T>> readers = new ConcurrentHashMap<>();

    private EventDecoder(GenericData data, Schema reader, SchemaSource writers, DecodingLimits limits) {
        this.data = data;
        this.reader = reader;
        this.writers = writers;
        this.limits = limits;
        known.put(new Framing.SingleObject(SchemaNormalization.parsingFingerprint64(reader)), reader);
    }

    /**
     * Decodes into a generated class.
     *
     * @param type the generated class; only it and the types of its fields are ever created
     * @param writers the schemas that events may have been written with, besides the class's own
     * @return the decoder
     * @param <T> the generated class
     */
    public static <T extends SpecificRecord> EventDecoder<T> of(Class<T> type, SchemaSource writers) {
        TrustedClasses data = new TrustedClasses(type);
        return new EventDecoder<>(data, data.getSchema(type), writers, DecodingLimits.STANDARD);
    }

    /**
     * Decodes into a generated class what was written with the class's own version.
     *
     * @param type the generated class; only it and the types of its fields are ever created
     * @return the decoder
     * @param <T> the generated class
     */
    public static <T extends SpecificRecord> EventDecoder<T> of(Class<T> type) {
        return of(type, SchemaSource.of());
    }

    /**
     * Decodes into generic records.
     *
     * @param reader the schema that the reader wants
     * @param writers the schemas that events may have been written with, besides the reader's own
     * @return the decoder
     */
    public static EventDecoder<GenericRecord> of(Schema reader, SchemaSource writers) {
        return new EventDecoder<>(new GenericData(), reader, writers, DecodingLimits.STANDARD);
    }

    /** Returns a decoder like this one with other limits. */
    public EventDecoder<T> within(DecodingLimits other) {
        return new EventDecoder<>(data, reader, writers, other);
    }

    /**
     * Decodes a body that begins with the header of single-object encoding or of Confluent's framing.
     *
     * @param body header and data
     * @return the record, in the reader's schema
     * @throws AvroEventException if the header or the writer's schema is not known, the data does not fit it or exceeds
     *     the limits, or cannot be read into the reader's schema
     */
    public T decode(byte[] body) {
        checkLength(body);
        Framing framing = Framing.of(body)
                .orElseThrow(() ->
                        new AvroEventException(("An event's body of %d bytes begins with %s: neither single-object"
                                        + " encoded (C3 01, fingerprint) nor with a registry's id (00, id)")
                                .formatted(body.length, firstBytes(body))));
        return decode(body, framing.headerBytes(), writer(framing));
    }

    /**
     * Decodes a body without a header.
     *
     * @param body the data alone
     * @param writer the schema that it was written with
     * @return the record, in the reader's schema
     * @throws AvroEventException if the data does not fit the writer's schema or exceeds the limits, or cannot be read
     *     into the reader's schema
     */
    public T decodeRaw(byte[] body, Schema writer) {
        checkLength(body);
        return decode(body, 0, writer);
    }

    private void checkLength(byte[] body) {
        if (body.length > limits.bytes()) {
            throw new AvroEventException("An event's body for %s has %d bytes, more than the %d that may be decoded"
                    .formatted(reader.getFullName(), body.length, limits.bytes()));
        }
    }

    private T decode(byte[] body, int from, Schema writer) {
        BodyScan.check(writer, body, from, limits);
        try {
            return datumReader(writer)
                    .read(null, DecoderFactory.get().binaryDecoder(body, from, body.length - from, null));
        } catch (AvroEventException | SecurityException e) {
            throw new AvroEventException(unreadable(writer, String.valueOf(e.getMessage())), e); // names a class
        } catch (IOException | RuntimeException e) {
            // What Avro and conversions say may quote a value, so none of it goes on from here.
            String why = whyUnresolvable(writer)
                    .orElseGet(() -> "a value is not what its type allows ("
                            + e.getClass().getSimpleName() + ")");
            throw new AvroEventException(unreadable(writer, why));
        }
    }

    private String unreadable(Schema writer, String why) {
        return "An event written as %s cannot be read into %s: %s"
                .formatted(writer.getFullName(), reader.getFullName(), why);
    }

    /** Says where the reader's schema cannot take what the writer's has; only schemas are looked at. */
    private Optional<String> whyUnresolvable(Schema writer) {
        return SchemaCompatibility.checkReaderWriterCompatibility(reader, writer)
                .getResult()
                .getIncompatibilities()
                .stream()
                .map(found -> "%s at %s: %s".formatted(found.getType(), found.getLocation(), found.getMessage()))
                .findFirst();
    }

    private Schema writer(Framing framing) {
        Schema writer = known.get(framing);
        if (writer == null) {
            writer = find(framing);
            if (known.size() >= MOST_WRITERS) {
                known.clear();
            }
            known.put(framing, writer);
        }
        return writer;
    }

    private Schema find(Framing framing) {
        List<Schema> found = new ArrayList<>();
        try {
            if (framing instanceof Framing.SingleObject header) {
                found.addAll(writers.byFingerprint(header.fingerprint()));
            } else if (framing instanceof Framing.Confluent header) {
                writers.byId(header.id()).ifPresent(found::add);
            }
        } catch (RuntimeException e) {
            throw new AvroEventException(
                    "The writer's schema of an event with %s for %s could not be looked up: %s"
                            .formatted(framing, reader.getFullName(), e.getMessage()),
                    e);
        }
        if (found.isEmpty()) {
            throw new AvroEventException(
                    "An event's schema with %s is not known to the reader of %s; give its decoder a source that has it"
                            .formatted(framing, reader.getFullName()));
        }
        if (found.stream().map(LogicalForm::of).distinct().count() > 1) {
            throw new AvroEventException(
                    ("%d schemas have the %s and differ in their logical types, so that an event for %s"
                                    + " may mean either; never change a logical type in place")
                            .formatted(found.size(), framing, reader.getFullName()));
        }
        return found.get(0);
    }

    private DatumReader<T> datumReader(Schema writer) {
        DatumReader<T> made = readers.get(writer);
        if (made == null) {
            made = newReader(writer);
            if (readers.size() >= MOST_WRITERS) {
                readers.clear();
            }
            readers.put(writer, made);
        }
        return made;
    }

    @SuppressWarnings("unchecked")
    private DatumReader<T> newReader(Schema writer) {
        return data.createDatumReader(writer, reader);
    }

    private static String firstBytes(byte[] body) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < Math.min(SHOWN_BYTES, body.length); i++) {
            text.append(i == 0 ? "" : " ").append("%02X".formatted(body[i]));
        }
        return text.isEmpty() ? "nothing" : text.toString();
    }
}
