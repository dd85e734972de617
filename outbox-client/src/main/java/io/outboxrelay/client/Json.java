package io.outboxrelay.client;

import org.jspecify.annotations.Nullable;

/**
 * Writes objects as JSON and reads them, with the application's own mapper. {@link Jackson3Json} and
 * {@link Jackson2Json} are for the two generations of Jackson; only the one that is used has to be on the class path.
 */
public interface Json {

    /**
     * Writes an object.
     *
     * @param value any object that the mapper can write
     * @return JSON in UTF-8
     * @throws IllegalArgumentException if it cannot be written; says why
     */
    byte[] write(Object value);

    /**
     * Reads an object.
     *
     * @param json in UTF-8
     * @param type what to read it into
     * @return the object; null for the JSON {@code null}
     * @param <T> what to read it into
     * @throws IllegalArgumentException if the text does not fit the type; says where, and no value
     */
    <T> @Nullable T read(byte[] json, Class<T> type);
}
