package io.outboxrelay.client;

import java.lang.reflect.Field;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where in a JSON text a mapper failed, without the names that only the text has: the keys of a map and unknown fields
 * are payload, which stays out of logs.
 */
final class JsonPath {

    /** Hostile JSON may be nested a thousand times. */
    private static final int LONGEST = 20;

    private final StringBuilder path = new StringBuilder();
    private int steps;

    /**
     * One step further in.
     *
     * @param from the object or the class that the step begins at, if the mapper knows
     * @param name of a field, or null for an element of a list
     * @param index of an element
     * @return this
     */
    JsonPath then(@Nullable Object from, @Nullable String name, int index) {
        steps++;
        if (steps <= LONGEST) {
            String field = name != null && isDeclared(from, name) ? "\"" + name + "\"" : "*";
            path.append('[').append(name == null && index >= 0 ? index : field).append(']');
        }
        return this;
    }

    /** Whether a class of the application has a field of this name; the components of a record are such fields. */
    private static boolean isDeclared(@Nullable Object from, String name) {
        Class<?> first = from instanceof Class<?> type ? type : from == null ? null : from.getClass();
        if (first == null || Map.class.isAssignableFrom(first)) {
            return false;
        }
        return Stream.<Class<?>>iterate(first, type -> type != null, Class::getSuperclass)
                .flatMap(type -> Stream.of(type.getDeclaredFields()))
                .map(Field::getName)
                .anyMatch(name::equals);
    }

    @Override
    public String toString() {
        return steps > LONGEST ? path + "…" : path.toString();
    }
}
