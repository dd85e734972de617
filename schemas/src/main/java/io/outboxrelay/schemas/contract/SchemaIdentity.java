package io.outboxrelay.schemas.contract;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.apache.avro.Schema;

/**
 * Says which schema it is: two schemas have the same identity exactly if nothing that a reader, a writer or a generated
 * class could notice differs. Documentation, formatting and the order in which attributes are written do not count, nor
 * does the attribute {@code avro.java.string} that the code generator adds; defaults, logical types, aliases and all
 * other attributes do.
 *
 * @param sha256 over the canonical text, 64 hexadecimal digits in lower case
 */
public record SchemaIdentity(String sha256) {

    /**
     * Identifies a schema.
     *
     * @param schema any schema
     * @return its identity
     */
    public static SchemaIdentity of(Schema schema) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(CanonicalText.of(schema).getBytes(StandardCharsets.UTF_8));
            return new SchemaIdentity(HexFormat.of().formatHex(digest));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java has SHA-256", e);
        }
    }

    /** The beginning of it, enough for people. */
    @Override
    public String toString() {
        return sha256.substring(0, 12);
    }
}
