package io.outboxrelay.relay.configuration;

import io.outboxrelay.relay.configuration.Settings.Setting;
import java.util.HashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What was given, or else the standard, read as what it is. */
final class Values {

    private final Settings settings;
    private final Map<String, Object> values = new HashMap<>();

    /** Reads every key, and adds a fault to the settings for each that does not fit or is missing. */
    Values(Settings settings) {
        this.settings = settings;
        for (Key<?> key : Keys.ALL) {
            for (int source = 0; source < (key.ofSource() ? settings.sources() : 1); source++) {
                read(key, key.path(source));
            }
        }
    }

    private void read(Key<?> key, String path) {
        Setting setting = settings.find(path);
        String text = setting == null ? key.standard() : setting.value();
        if (text != null) {
            try {
                values.put(path, key.kind().read(text));
            } catch (Kind.Unfit e) {
                settings.fault(path, key.secrecy().mask(text), origin(setting), e.getMessage());
            }
        } else if (key.required()) {
            settings.fault(
                    path, null, origin(null), "is missing. " + key.meaning().replace("`", ""));
        }
    }

    private static String origin(@Nullable Setting setting) {
        return setting == null ? "not given" : setting.origin();
    }

    /** The value of a key outside the sources; empty if there is none or it is at fault. */
    <T> Optional<T> find(Key<T> key) {
        return find(key, 0);
    }

    <T> Optional<T> find(Key<T> key, int source) {
        return Optional.ofNullable(key.kind().type().cast(values.get(key.path(source))));
    }

    /** The value of a key that has one whenever there are no faults. */
    <T> T get(Key<T> key) {
        return get(key, 0);
    }

    <T> T get(Key<T> key, int source) {
        return find(key, source).orElseThrow(() -> new NoSuchElementException(key.path(source)));
    }
}
