package io.outboxrelay.test;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.outboxrelay.client.PayloadReader;
import java.io.IOException;
import java.util.Comparator;
import java.util.Objects;
import org.assertj.core.api.AbstractAssert;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ObjectAssert;
import org.jspecify.annotations.Nullable;

/** Assertions on one published event. A failure shows the event. */
public final class PublishedEventAssert extends AbstractAssert<PublishedEventAssert, PublishedEvent> {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Numbers are equal if their values are, however they are written; everything else is if it is. */
    private static final Comparator<JsonNode> BY_VALUE = (one, other) -> {
        if (one.isNumber() && other.isNumber()) {
            return one.decimalValue().compareTo(other.decimalValue());
        }
        return one.equals(other) ? 0 : 1;
    };

    PublishedEventAssert(PublishedEvent event) {
        super(event, PublishedEventAssert.class);
    }

    /**
     * It happened to a thing of this kind.
     *
     * @param aggregateType the kind
     * @return this
     */
    public PublishedEventAssert hasAggregateType(String aggregateType) {
        return has("the aggregate type", aggregateType, actual.aggregateType());
    }

    /**
     * It happened to this thing.
     *
     * @param aggregateId which one
     * @return this
     */
    public PublishedEventAssert hasAggregateId(String aggregateId) {
        return has("the aggregate id", aggregateId, actual.aggregateId());
    }

    /**
     * Its payload has this content type.
     *
     * @param contentType for example {@code application/json}
     * @return this
     */
    public PublishedEventAssert hasContentType(String contentType) {
        return has("the content type", contentType, actual.contentType());
    }

    /**
     * It has this header.
     *
     * @param name of the header
     * @param value of the header
     * @return this
     */
    public PublishedEventAssert hasHeader(String name, String value) {
        return has("the header " + name, value, actual.headers().get(name));
    }

    /**
     * Its payload is JSON and has this value somewhere.
     *
     * @param path names of fields and, in arrays, indices from 0, separated by dots: {@code lines.0.sku}
     * @param value compared as it would be written in JSON, numbers by their value
     * @return this
     */
    public PublishedEventAssert hasJson(String path, @Nullable Object value) {
        JsonNode expected = JSON.valueToTree(value);
        JsonNode found = json().at("/" + path.replace('.', '/'));
        if (found.isMissingNode()) {
            failWithMessage(
                    "Expected %s at \"%s\" in the JSON of%n  %s%nbut it has nothing there", expected, path, actual);
        }
        if (!found.equals(BY_VALUE, expected)) {
            failWithMessage("Expected %s at \"%s\" in the JSON of%n  %s%nbut it has %s", expected, path, actual, found);
        }
        return this;
    }

    /**
     * Its payload is this JSON. White space, the order of fields and the way in which numbers are written do not
     * matter.
     *
     * @param json the whole payload
     * @return this
     */
    public PublishedEventAssert hasJson(String json) {
        JsonNode expected = parsed(json);
        JsonNode found = json();
        if (!found.equals(BY_VALUE, expected)) {
            throw failure(
                    "%nExpected the JSON%n%s%nbut %s of %s %s has%n%s",
                    expected.toPrettyString(),
                    actual.eventType(),
                    actual.aggregateType(),
                    actual.aggregateId(),
                    found.toPrettyString());
        }
        return this;
    }

    /**
     * Reads the payload as a consumer would, for AssertJ's assertions on the object.
     *
     * @param reader the service's {@code JsonEvents} or {@code AvroEvents}
     * @param type what to read the payload into
     * @return assertions on the object
     * @param <T> what to read the payload into
     * @throws io.outboxrelay.client.EventRejectedException if it cannot be read
     */
    public <T> ObjectAssert<T> payload(PayloadReader reader, Class<T> type) {
        return Assertions.assertThat(reader.read(actual.received(), type)).as("the payload of %s", actual);
    }

    private PublishedEventAssert has(String what, String expected, @Nullable String found) {
        if (!Objects.equals(expected, found)) {
            failWithMessage("Expected %s \"%s\" of%n  %s%nbut it is \"%s\"", what, expected, actual, found);
        }
        return this;
    }

    private JsonNode json() {
        try {
            return JSON.readTree(actual.payload());
        } catch (IOException e) {
            throw failure("Expected JSON as the payload of%n  %s%nbut it cannot be read: %s", actual, e.getMessage());
        }
    }

    private static JsonNode parsed(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("The expected payload is no JSON: " + e.getMessage(), e);
        }
    }
}
