package io.outboxrelay.relay.configuration;

import io.outboxrelay.relay.configuration.ConfigurationException.Fault;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** The configured values as text: a later layer replaces a value of an earlier one. Collects the faults. */
final class Settings {

    /** More is a typing error; gaps in the numbers would become databases without any values. */
    private static final int MOST_OF_A_LIST = 100;

    private final Map<String, Setting> given = new LinkedHashMap<>();
    private final List<Fault> faults = new ArrayList<>();
    private final List<Fault> warnings = new ArrayList<>();
    private @Nullable Fault unusable;

    void put(String path, String value, String origin) {
        DatabaseList list = DatabaseList.of(path).orElse(null);
        if (list != null && list.number(path).orElse(0) >= MOST_OF_A_LIST) {
            fault(
                    path,
                    null,
                    origin,
                    "is beyond the %d %s that one relay can have.".formatted(MOST_OF_A_LIST, list.many()));
        } else {
            given.put(path, new Setting(path, value, origin));
        }
    }

    @Nullable
    Setting find(String path) {
        return given.get(path);
    }

    boolean isGiven(Key<?> key) {
        return given.containsKey(key.path());
    }

    void fault(String key, @Nullable String shown, String origin, String problem) {
        faults.add(new Fault(key, shown, origin, problem));
    }

    /** Reports that the file cannot be used: every other fault, such as a missing key, may come of that. */
    void unusable(String key, @Nullable String shown, String origin, String problem) {
        unusable = new Fault(key, shown, origin, problem);
    }

    /** Reports something that works but should be changed. */
    void warn(String key, String origin, String problem) {
        warnings.add(new Fault(key, null, origin, problem));
    }

    List<Fault> warnings() {
        return warnings;
    }

    /** {@return whether the file cannot be used} */
    boolean isUnusable() {
        return unusable != null;
    }

    /** {@return all faults; the only one if the file cannot be used} */
    List<Fault> faults() {
        return unusable == null ? faults : List.of(unusable);
    }

    int sources() {
        return size(DatabaseList.SOURCES);
    }

    /** {@return how many databases a list has} */
    int size(DatabaseList list) {
        return given.keySet().stream()
                .flatMap(path -> list.number(path).stream())
                .mapToInt(number -> number + 1)
                .max()
                .orElse(0);
    }

    /** The number of the database with this name; in variables {@code -} and {@code _} are the same. */
    OptionalInt named(DatabaseList list, String name) {
        for (int number = 0; number < size(list); number++) {
            Setting setting = given.get(list.nameKey().path(number));
            if (setting != null && plain(setting.value()).equals(plain(name))) {
                return OptionalInt.of(number);
            }
        }
        return OptionalInt.empty();
    }

    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replace('-', '_');
    }

    static @Nullable Key<?> key(String path) {
        String general = DatabaseList.general(path);
        return Keys.ALL.stream()
                .filter(key -> key.path().equals(general))
                .findFirst()
                .orElse(null);
    }

    /**
     * One configured value.
     *
     * @param path of the key, with the number of the database if it has one: {@code sources[0].url}
     * @param value the text
     * @param origin a line of the file, a variable, or the command line
     */
    record Setting(String path, String value, String origin) {}

    /** The configured values or their defaults, converted to their types. */
    static final class Values {

        private final Settings settings;
        private final Map<String, Object> values = new HashMap<>();

        /** Converts every key, and adds a fault to the settings for each that is invalid or missing. */
        Values(Settings settings) {
            this.settings = settings;
            for (Key<?> key : Keys.ALL) {
                DatabaseList list = key.list();
                for (int number = 0; number < (list == null ? 1 : settings.size(list)); number++) {
                    read(key, key.path(number));
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

        /** {@return the value of a key outside the lists; empty if it has none or is at fault} */
        <T> Optional<T> find(Key<T> key) {
            return find(key, 0);
        }

        <T> Optional<T> find(Key<T> key, int number) {
            return Optional.ofNullable(key.kind().type().cast(values.get(key.path(number))));
        }

        /** {@return the value of a key that has one if there are no faults} */
        <T> T get(Key<T> key) {
            return get(key, 0);
        }

        <T> T get(Key<T> key, int number) {
            return find(key, number).orElseThrow(() -> new NoSuchElementException(key.path(number)));
        }
    }
}
