package io.outboxrelay.schemas;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecord;

/** Encodes records for an event's payload. */
public final class SingleObject {

    /** The content type of an encoded event. */
    public static final String CONTENT_TYPE = "application/avro";

    private SingleObject() {}

    /**
     * Encodes a generated or generic record.
     *
     * @param record complete according to its schema
     * @return marker, fingerprint, body
     * @throws AvroEventException if the record does not fit its schema; the message names the field
     */
    public static byte[] encode(IndexedRecord record) {
        GenericData data =
                record instanceof SpecificRecord ? SpecificData.getForClass(record.getClass()) : GenericData.get();
        try {
            ByteBuffer encoded = new BinaryMessageEncoder<IndexedRecord>(data, record.getSchema()).encode(record);
            byte[] body = new byte[encoded.remaining()];
            encoded.get(body);
            return body;
        } catch (IOException | RuntimeException e) {
            // Avro lets whatever goes wrong with a value through: a null pointer, a class cast, an exception of its
            // own.
            throw new AvroEventException(
                    "A record does not fit its schema " + record.getSchema().getFullName() + ": " + e.getMessage(), e);
        }
    }
}
