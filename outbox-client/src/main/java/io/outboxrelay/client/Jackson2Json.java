package io.outboxrelay.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** JSON by Jackson 2, which Spring Boot 3 uses. */
public final class Jackson2Json implements Json {

    private final ObjectMapper mapper;

    /**
     * By a mapper of the application.
     *
     * @param mapper for example Spring Boot's {@code ObjectMapper}
     */
    public Jackson2Json(ObjectMapper mapper) {
        this.mapper = mapper;
    }

    @Override
    public byte[] write(Object value) {
        try {
            return mapper.writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    value.getClass().getName() + " cannot be written as JSON: " + e.getOriginalMessage(), e);
        }
    }

    @Override
    public <T> @Nullable T read(byte[] json, Class<T> type) {
        try {
            return mapper.readValue(json, type);
        } catch (IOException | RuntimeException e) {
            // What Jackson says, or the type's own constructor, may quote a value, so none of it goes on from here.
            throw new IllegalArgumentException("the JSON cannot be read as " + type.getName() + ": " + where(e));
        }
    }

    private static String where(Exception e) {
        String kind = e.getClass().getSimpleName();
        if (e instanceof JsonProcessingException json && json.getLocation() != null) {
            kind += " in line " + json.getLocation().getLineNr() + ", column "
                    + json.getLocation().getColumnNr();
        }
        return e instanceof JsonMappingException mapping && !mapping.getPath().isEmpty()
                ? kind + ", at " + path(mapping.getPath())
                : kind;
    }

    private static JsonPath path(List<JsonMappingException.Reference> steps) {
        JsonPath path = new JsonPath();
        steps.forEach(step -> path.then(step.getFrom(), step.getFieldName(), step.getIndex()));
        return path;
    }
}
