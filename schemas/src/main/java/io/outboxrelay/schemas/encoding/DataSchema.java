package io.outboxrelay.schemas.encoding;

import io.outboxrelay.schemas.contract.SchemaIdentity;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the header {@code cloudEvents_dataschema} of an event says: the version of the contract that it was written
 * with, as a URI, {@code contract:orders.order-placed/v2#sha256=…}. With it consumers, and the relay, need not guess
 * the subject, and know the schema by its full identity.
 *
 * @param subject the contract's subject
 * @param version its number
 * @param identity of the schema
 * @see <a href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#dataschema">CloudEvents</a>
 */
public record DataSchema(String subject, int version, SchemaIdentity identity) {

    /** The header's name. */
    public static final String HEADER = "cloudEvents_dataschema";

    private static final int LONGEST = 1_000;
    private static final Pattern FORM = Pattern.compile("contract:([^/?#]+)/v([1-9]\\d{0,8})#sha256=([0-9a-f]{64})");

    /**
     * Reads a header's value.
     *
     * @param uri the value
     * @return what it says; empty when it is another kind of URI
     */
    public static Optional<DataSchema> parse(String uri) {
        if (uri.length() > LONGEST) {
            return Optional.empty();
        }
        Matcher matcher = FORM.matcher(uri);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new DataSchema(
                    URLDecoder.decode(matcher.group(1), StandardCharsets.UTF_8),
                    Integer.parseInt(matcher.group(2)),
                    new SchemaIdentity(matcher.group(3))));
        } catch (IllegalArgumentException e) {
            return Optional.empty(); // a percent sign that encodes nothing
        }
    }

    /** {@return the header's value} */
    public String uri() {
        return "contract:" + URLEncoder.encode(subject, StandardCharsets.UTF_8).replace("+", "%20") + "/v" + version
                + "#sha256=" + identity.sha256();
    }
}
