package io.outboxrelay.client;

import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.ObjectMapper;

/** JSON by Jackson 3, which Spring Boot 4 uses. */
public final class Jackson3Json implements Json {

    private final ObjectMapper mapper;

    /**
     * By a mapper of the application.
     *
     * @param mapper for example Spring Boot's {@code JsonMapper}
     */
    public Jackson3Json(ObjectMapper mapper) {
        this.mapper = mapper;
    }

    @Override
    public byte[] write(Object value) {
        try {
            return mapper.writeValueAsBytes(value);
        } catch (JacksonException e) {
            throw new IllegalArgumentException(
                    value.getClass().getName() + " cannot be written as JSON: " + e.getOriginalMessage(), e);
        }
    }

    @Override
    public <T> @Nullable T read(byte[] json, Class<T> type) {
        try {
            return mapper.readValue(json, type);
        } catch (RuntimeException e) {
            // What Jackson says, or the type's own constructor, may quote a value, so none of it goes on from here.
            throw new IllegalArgumentException("the JSON cannot be read as " + type.getName() + ": " + where(e));
        }
    }

    private static String where(RuntimeException e) {
        String kind = e.getClass().getSimpleName();
        if (!(e instanceof JacksonException json)) {
            return kind;
        }
        if (json.getLocation() != null) {
            kind += " in line " + json.getLocation().getLineNr() + ", column "
                    + json.getLocation().getColumnNr();
        }
        return json.getPath().isEmpty() ? kind : kind + ", at " + path(json.getPath());
    }

    private static JsonPath path(List<JacksonException.Reference> steps) {
        JsonPath path = new JsonPath();
        steps.forEach(step -> path.then(step.from(), step.getPropertyName(), step.getIndex()));
        return path;
    }
}
