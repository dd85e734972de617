package io.outboxrelay.schemas.registry;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** As many entries as there may be, those that were used last. Thread-safe. */
final class Remembered<K, V> {

    private static final float LOAD = 0.75f;

    private final Map<K, V> entries;

    Remembered(int most) {
        this.entries = new LinkedHashMap<>(16, LOAD, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > most;
            }
        };
    }

    synchronized @Nullable V get(K key) {
        return entries.get(key);
    }

    synchronized void put(K key, V value) {
        entries.put(key, value);
    }

    synchronized int size() {
        return entries.size();
    }
}
