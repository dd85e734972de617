package io.outboxrelay.schemas;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.specific.SpecificRecord;

/**
 * Decodes events written with any of a set of known schemas into the one that the reader wants. Safe for use by many
 * threads.
 *
 * @param <T> what it decodes into
 */
public final class SingleObjectDecoder<T> {

    private static final int HEADER_BYTES = 10;

    private final BinaryMessageDecoder<T> decoder;
    private final Schema reader;
    private final Map<Long, Schema> writersByFingerprint;

    private SingleObjectDecoder(GenericData data, Schema reader, Schema... writers) {
        this.decoder = new BinaryMessageDecoder<>(data, reader);
        this.reader = reader;
        Map<Long, Schema> known = new HashMap<>();
        known.put(SchemaNormalization.parsingFingerprint64(reader), reader);
        for (Schema writer : List.of(writers)) {
            decoder.addSchema(writer);
            known.put(SchemaNormalization.parsingFingerprint64(writer), writer);
        }
        this.writersByFingerprint = Map.copyOf(known);
    }

    /**
     * Decodes into a generated class.
     *
     * @param type the generated class; only classes of its package are ever created
     * @param writers the schemas that events may have been written with, besides the class's own
     * @return the decoder
     * @param <T> the generated class
     */
    public static <T extends SpecificRecord> SingleObjectDecoder<T> of(Class<T> type, Schema... writers) {
        TrustedPackage data = new TrustedPackage(type);
        return new SingleObjectDecoder<>(data, data.getSchema(type), writers);
    }

    /**
     * Decodes into generic records.
     *
     * @param reader the schema that the reader wants
     * @param writers the schemas that events may have been written with, besides the reader's own
     * @return the decoder
     */
    public static SingleObjectDecoder<GenericRecord> of(Schema reader, Schema... writers) {
        return new SingleObjectDecoder<>(GenericData.get(), reader, writers);
    }

    /**
     * Decodes an event's body.
     *
     * @param body marker, fingerprint, data
     * @return the record, in the reader's schema
     * @throws AvroEventException if the marker or the fingerprint is not known, or the data does not fit
     */
    public T decode(byte[] body) {
        Schema writer = writerOf(body);
        try {
            return decoder.decode(body);
        } catch (IOException | RuntimeException e) {
            // Damaged data shows itself as almost any exception.
            throw new AvroEventException(
                    "A body of " + body.length + " bytes written as " + writer.getFullName() + " cannot be read as "
                            + reader.getFullName() + ": " + e,
                    e);
        }
    }

    private Schema writerOf(byte[] body) {
        if (body.length < HEADER_BYTES) {
            throw new AvroEventException("A body of " + body.length
                    + " bytes is not single-object encoded: the header alone has " + HEADER_BYTES);
        }
        if (body[0] != (byte) 0xC3 || body[1] != 1) {
            throw new AvroEventException(
                    "A body that begins with %02X %02X is not single-object encoded: it would begin with C3 01"
                            .formatted(body[0], body[1]));
        }
        long fingerprint = ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN).getLong(2);
        Schema writer = writersByFingerprint.get(fingerprint);
        if (writer == null) {
            throw new AvroEventException(
                    "A body was written with a schema of fingerprint %016x, which is none of the %d that are known for reading %s:"
                                    .formatted(fingerprint, writersByFingerprint.size(), reader.getFullName())
                            + " give the decoder the writer's schema");
        }
        return writer;
    }
}
