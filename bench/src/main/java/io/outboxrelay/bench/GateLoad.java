package io.outboxrelay.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Avro events, and a relay that judges their schema by a catalogue, or does not.
 *
 * @param name what the contender is called
 * @param catalogue the contracts; null for a relay without a gate
 */
record GateLoad(String name, @Nullable Path catalogue) {

    private static final String SCHEMA = """
            {"type": "record", "name": "Placed", "namespace": "bench", "fields": [{"name": "data", "type": "bytes"}]}
            """;

    /** Of that schema. If it were wrong the gate would refuse every event, and nothing would be measured. */
    private static final long FINGERPRINT = 0x34f921572619b587L;

    /** The same schema by its full identity. */
    static final String HEADERS = "{\"cloudEvents_dataschema\": \"contract:bench.placed/v1"
            + "#sha256=0bc926fd76b71eb96496a2871eeff70913973300f338b7af0673e7bd50a6d197\"}";

    private static final int HEADER_BYTES = 10;
    private static final int LENGTH_BYTES = 3;

    static void write(Path folder) throws IOException {
        Files.createDirectories(folder.resolve("bench.placed"));
        Files.writeString(
                folder.resolve("contracts.yaml"), "owner: bench\nsubjects:\n  bench.placed: {event-type: Placed}\n");
        Files.writeString(folder.resolve("bench.placed").resolve("v1.avsc"), SCHEMA);
    }

    /** A payload of about this size in single-object encoding. */
    static byte[] payload(int bytes) {
        int length = Math.max(0, bytes - HEADER_BYTES - LENGTH_BYTES);
        ByteBuffer body = ByteBuffer.allocate(HEADER_BYTES + LENGTH_BYTES + length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put((byte) 0xC3)
                .put((byte) 1)
                .putLong(FINGERPRINT);
        long left = (long) length << 1; // zig-zag of a positive number
        for (; left > 0x7F; left >>>= 7) {
            body.put((byte) (left | 0x80));
        }
        body.put((byte) left);
        byte[] whole = new byte[body.position() + length];
        body.flip().get(whole, 0, body.limit());
        return whole;
    }

    /** The schema keys of the relay's configuration, inside a source. */
    String yaml() {
        return catalogue == null ? "" : "    schemas: catalogue\nschemas:\n  catalogue: " + catalogue + "\n";
    }
}
