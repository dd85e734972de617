package io.outboxrelay.relay.gate;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.schemas.encoding.DataSchema;
import io.outboxrelay.schemas.encoding.Framing;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What an event says of its schema. Events of equal evidence get the same verdict.
 *
 * @param aggregateType what kind of thing it is about
 * @param eventType what kind of event it is
 * @param claim what the header {@code cloudEvents_dataschema} says; null without one, and for another kind of URI
 * @param framing how its payload begins; null for a raw one, and beside a claim for one that begins with a zero byte
 */
record Evidence(
        String aggregateType,
        String eventType,
        @Nullable DataSchema claim,
        @Nullable Framing framing) {

    private static final JsonFactory JSON = new JsonFactory();

    /** No header of a body is longer. */
    private static final int BEGINNING = 16;

    /** Reads what an event says; empty when it is neither Avro nor names a schema, and so is not judged. */
    static Optional<Evidence> of(Event event) {
        byte[] payload = event.payload();
        DataSchema claim = claim(event.headers());
        boolean avro = event.contentType().toLowerCase(Locale.ROOT).contains("avro");
        if (payload == null || !avro && claim == null) {
            return Optional.empty();
        }
        Framing framing = avro
                ? Framing.of(Arrays.copyOf(payload, Math.min(payload.length, BEGINNING)))
                        .orElse(null)
                : null;
        // A first field that is absent, 0, false or empty is a zero byte too, and the next four are data. The claim
        // holds
        // the whole identity; what may be data must not become part of what verdicts are remembered by.
        boolean mayBeData = claim != null && framing instanceof Framing.Confluent;
        return Optional.of(new Evidence(event.aggregate().type(), event.type(), claim, mayBeData ? null : framing));
    }

    /** Only this one header is looked for; whether the others can be sent is not decided here. */
    private static @Nullable DataSchema claim(String headers) {
        if (!headers.contains(DataSchema.HEADER)) {
            return null; // the whole JSON need not be read
        }
        try (JsonParser parser = JSON.createParser(headers)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return null;
            }
            for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
                JsonToken value = parser.nextToken();
                if (name.equals(DataSchema.HEADER)) {
                    return value == JsonToken.VALUE_STRING
                            ? DataSchema.parse(parser.getText()).orElse(null)
                            : null;
                }
                parser.skipChildren();
            }
            return null;
        } catch (IOException e) {
            return null; // then it cannot become a message either
        }
    }
}
