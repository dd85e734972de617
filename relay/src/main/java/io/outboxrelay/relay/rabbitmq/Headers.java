package io.outboxrelay.relay.rabbitmq;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonStreamContext;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the headers that a service has written. Errors name the header and never show its value. */
final class Headers {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};

    /** A name is a short string of the protocol. */
    private static final int LONGEST_NAME = 255;

    private static final int LONGEST_SHOWN = 60;

    /** Headers that add routing keys. */
    private static final Set<String> ROUTING = Set.of("CC", "BCC");

    /**
     * Headers in which RabbitMQ and its plugins, from 3.10 to 4.3, keep their own record of a message, such as how it
     * was dead-lettered or shovelled. A service that forwards received headers copies them, but they belong to that
     * message.
     */
    private static final Set<String> RECORDS = Set.of(
            "x-death",
            "x-first-death-exchange",
            "x-first-death-queue",
            "x-first-death-reason",
            "x-last-death-exchange",
            "x-last-death-queue",
            "x-last-death-reason",
            "x-opt-deaths",
            "x-delivery-count",
            "x-acquired-count",
            "x-received-from",
            "x-shovelled",
            "x-shovelled-timestamp",
            "x-stream-offset");

    private Headers() {}

    /**
     * Reads headers that can be encoded.
     *
     * @param json what the service wrote
     * @return the headers, to be changed by the caller
     * @throws IllegalArgumentException if they cannot be sent
     */
    static Map<String, Object> read(String json) {
        Map<String, Object> headers = new HashMap<>(16);
        if (!"{}".equals(json)) {
            headers.putAll(parse(json));
            headers.forEach((name, value) -> {
                checkName(name, name);
                checkValue(name, value);
            });
        }
        return headers;
    }

    /** Returns whether the broker keeps its own record in a header of this name. */
    static boolean isRecord(String name) {
        return RECORDS.contains(name);
    }

    /** Returns whether a header of this name sends the message to further queues. */
    static boolean isRouting(String name) {
        return ROUTING.contains(name);
    }

    /** Returns the name of the header with the longest value. */
    static String longest(Map<String, Object> headers) {
        return headers.entrySet().stream()
                .max(Comparator.comparingInt(
                        header -> String.valueOf(header.getValue()).length()))
                .map(header -> shown(header.getKey()))
                .orElse("");
    }

    private static Map<String, Object> parse(String json) {
        try (JsonParser parser = JSON.createParser(json)) {
            return parse(parser);
        } catch (IOException e) {
            // Its message would quote the headers.
            throw new IllegalArgumentException("the headers are not a JSON object");
        }
    }

    private static Map<String, Object> parse(JsonParser parser) throws IOException {
        try {
            return JSON.readValue(parser, OBJECT);
        } catch (StreamConstraintsException e) {
            JsonStreamContext place = parser.getParsingContext();
            while (place.getParent() != null && !place.getParent().inRoot()) {
                place = place.getParent();
            }
            throw new IllegalArgumentException("the header '" + shown(String.valueOf(place.getCurrentName()))
                    + "' is nested too deeply, or it is too long");
        }
    }

    private static void checkName(String header, String name) {
        if (ROUTING.contains(header)) {
            throw new IllegalArgumentException("the header '" + header
                    + "' is RabbitMQ's own: it adds routing keys, which only the relay chooses");
        }
        int bytes = name.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > LONGEST_NAME) {
            throw new IllegalArgumentException("a name in the header '" + shown(header) + "' has " + bytes
                    + " bytes, more than the " + LONGEST_NAME + " of the protocol");
        }
    }

    private static void checkValue(String header, @Nullable Object value) {
        if (value instanceof BigInteger) {
            throw new IllegalArgumentException("the header '" + shown(header)
                    + "' has an integer of more than 64 bits, for which the protocol has no type; write it as a"
                    + " string");
        } else if (value instanceof List<?> list) {
            list.forEach(element -> checkValue(header, element));
        } else if (value instanceof Map<?, ?> table) {
            table.forEach((name, element) -> {
                checkName(header, String.valueOf(name));
                checkValue(header, element);
            });
        }
    }

    private static String shown(String name) {
        return name.length() <= LONGEST_SHOWN ? name : name.substring(0, LONGEST_SHOWN) + "...";
    }
}
