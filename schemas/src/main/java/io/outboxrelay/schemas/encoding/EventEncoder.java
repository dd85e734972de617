package io.outboxrelay.schemas.encoding;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DatumWriter;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecord;

/** Encodes records for an event's payload, in one of three framings. Safe for use by many threads. */
public final class EventEncoder {

    /** The content type of an encoded event. */
    public static final String CONTENT_TYPE = "application/avro";

    static final byte[] SINGLE_OBJECT = {(byte) 0xC3, 0x01};
    static final byte CONFLUENT = 0;
    static final int SINGLE_OBJECT_HEADER = SINGLE_OBJECT.length + Long.BYTES;
    static final int CONFLUENT_HEADER = 1 + Integer.BYTES;

    /** More schemas than a service writes; beyond it headers are computed again. */
    private static final int MOST_HEADERS = 1_000;

    private final Function<Schema, byte[]> framing;
    private final Map<Schema, byte[]> headers = new ConcurrentHashMap<>();

    private EventEncoder(Function<Schema, byte[]> framing) {
        this.framing = framing;
    }

    /** Returns an encoder whose bodies begin with a marker and the fingerprint of the schema. */
    public static EventEncoder singleObject() {
        return new EventEncoder(schema -> ByteBuffer.allocate(SINGLE_OBJECT_HEADER)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(SINGLE_OBJECT)
                .putLong(SchemaNormalization.parsingFingerprint64(schema))
                .array());
    }

    /**
     * Returns an encoder whose bodies begin with the id that a registry gave the schema.
     *
     * @param ids finds the id of a schema, once for each; what it throws comes out of {@link #encode}
     */
    public static EventEncoder confluent(ToIntFunction<Schema> ids) {
        return new EventEncoder(schema -> ByteBuffer.allocate(CONFLUENT_HEADER)
                .put(CONFLUENT)
                .putInt(ids.applyAsInt(schema))
                .array());
    }

    /** Returns an encoder whose bodies are the data alone: the reader must know the schema. */
    public static EventEncoder raw() {
        return new EventEncoder(schema -> new byte[0]);
    }

    /**
     * Encodes a generated or generic record.
     *
     * @param record complete according to its schema
     * @return header and data
     * @throws AvroEventException if the record does not fit its schema; the message names the field
     */
    public byte[] encode(IndexedRecord record) {
        Schema schema = record.getSchema();
        GenericData data = data(record);
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.writeBytes(header(schema));
        try {
            BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(body, null);
            writer(schema, data).write(record, encoder);
            encoder.flush();
        } catch (IOException | RuntimeException e) {
            // Avro lets whatever goes wrong with a value through: a null pointer, a class cast, an exception of its
            // own. Many quote the value, so none of them goes on from here.
            throw new AvroEventException("A record does not fit its schema %s: %s (%s)"
                    .formatted(
                            schema.getFullName(),
                            Misfit.of(record, data),
                            e.getClass().getSimpleName()));
        } catch (StackOverflowError e) {
            throw new AvroEventException(
                    "A record of " + schema.getFullName() + " is nested too deep, or contains itself", e);
        }
        return body.toByteArray();
    }

    private static GenericData data(IndexedRecord record) {
        return record instanceof SpecificRecord ? SpecificData.getForClass(record.getClass()) : GenericData.get();
    }

    private static DatumWriter<IndexedRecord> writer(Schema schema, GenericData data) {
        @SuppressWarnings("unchecked")
        DatumWriter<IndexedRecord> writer = data.createDatumWriter(schema);
        return writer;
    }

    private byte[] header(Schema schema) {
        byte[] known = headers.get(schema);
        if (known != null) {
            return known;
        }
        if (headers.size() >= MOST_HEADERS) {
            headers.clear();
        }
        byte[] header = framing.apply(schema);
        headers.put(schema, header);
        return header;
    }
}
