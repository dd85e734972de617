package io.outboxrelay.client;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/** Writes headers as a JSON object, and reads them again. */
final class HeadersJson {

    private static final JsonFactory FACTORY = new JsonFactory();

    private HeadersJson() {}

    /** Reads an object whose values are texts. */
    static Map<String, String> read(String json) {
        Map<String, String> headers = new TreeMap<>();
        try (JsonParser parser = FACTORY.createParser(json)) {
            parser.nextToken();
            for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
                parser.nextToken();
                headers.put(name, parser.getText());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("The stored headers of an event are no JSON object of texts", e);
        }
        return Collections.unmodifiableMap(headers);
    }

    static String write(Map<String, String> headers) {
        if (headers.isEmpty()) {
            return "{}";
        }
        StringWriter text = new StringWriter();
        try (JsonGenerator json = FACTORY.createGenerator(text)) {
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
