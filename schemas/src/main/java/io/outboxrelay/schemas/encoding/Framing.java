package io.outboxrelay.schemas.encoding;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/** How a body says which schema it was written with. */
public sealed interface Framing {

    /** Returns the number of bytes before the data. */
    int headerBytes();

    /**
     * Single-object: a marker and a fingerprint.
     *
     * @param fingerprint CRC-64-AVRO of the schema's parsing canonical form
     */
    record SingleObject(long fingerprint) implements Framing {

        @Override
        public int headerBytes() {
            return EventEncoder.SINGLE_OBJECT_HEADER;
        }

        /** Says it in words. */
        @Override
        public String toString() {
            return "fingerprint %016x".formatted(fingerprint);
        }
    }

    /**
     * Confluent's: a zero byte and an id.
     *
     * @param id the number that a registry gave the schema
     */
    record Confluent(int id) implements Framing {

        @Override
        public int headerBytes() {
            return EventEncoder.CONFLUENT_HEADER;
        }

        /** Says it in words. */
        @Override
        public String toString() {
            return "id " + id;
        }
    }

    /**
     * Reads a body's header.
     *
     * @param body a whole body, or its first ten bytes or more
     * @return the header; empty when the body begins with none, as a raw one
     */
    static Optional<Framing> of(byte[] body) {
        if (body.length >= EventEncoder.SINGLE_OBJECT_HEADER
                && body[0] == EventEncoder.SINGLE_OBJECT[0]
                && body[1] == EventEncoder.SINGLE_OBJECT[1]) {
            ByteBuffer header = ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN);
            return Optional.of(new SingleObject(header.getLong(EventEncoder.SINGLE_OBJECT.length)));
        }
        if (body.length >= EventEncoder.CONFLUENT_HEADER && body[0] == EventEncoder.CONFLUENT) {
            return Optional.of(new Confluent(ByteBuffer.wrap(body).getInt(1)));
        }
        return Optional.empty();
    }
}
