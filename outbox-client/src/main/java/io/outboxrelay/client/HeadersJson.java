package io.outboxrelay.client;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Map;

/** Writes headers as a JSON object. */
final class HeadersJson {

    private final JsonFactory factory = new JsonFactory();

    String write(Map<String, String> headers) {
        if (headers.isEmpty()) {
            return "{}";
        }
        StringWriter text = new StringWriter();
        try (JsonGenerator json = factory.createGenerator(text)) {
            json.writeStartObject();
            for (Map.Entry<String, String> header : headers.entrySet()) {
                json.writeStringField(header.getKey(), header.getValue());
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("The headers " + headers.keySet() + " cannot be written as JSON", e);
        }
        return text.toString();
    }
}
