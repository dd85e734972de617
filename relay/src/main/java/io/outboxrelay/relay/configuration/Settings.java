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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The configured values as text: a later layer replaces a value of an earlier one. Collects the faults. */
final class Settings {

    /** More is a typing error; gaps in the numbers would become sources without any values. */
    private static final int MOST_SOURCES = 100;

    private static final Pattern SOURCE_PATH = Pattern.compile("sources\\[(\\d{1,9})]\\.(.+)");

    private final Map<String, Setting> given = new LinkedHashMap<>();
    private final List<Fault> faults = new ArrayList<>();
    private final List<Fault> warnings = new ArrayList<>();
    private @Nullable Fault unusable;

    void put(String path, String value, String origin) {
        Matcher source = SOURCE_PATH.matcher(path);
        if (source.matches() && Integer.parseInt(source.group(1)) >= MOST_SOURCES) {
            fault(path, null, origin, "is beyond the " + MOST_SOURCES + " sources that one relay can have.");
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
        return given.keySet().stream()
                .map(SOURCE_PATH::matcher)
                .filter(Matcher::matches)
                .mapToInt(source -> Integer.parseInt(source.group(1)) + 1)
                .max()
                .orElse(0);
    }

    /** The number of the source with this name; in variables {@code -} and {@code _} are the same. */
    OptionalInt sourceNamed(String name) {
        for (int source = 0; source < sources(); source++) {
            Setting setting = given.get(Keys.SOURCE_NAME.path(source));
            if (setting != null && plain(setting.value()).equals(plain(name))) {
                return OptionalInt.of(source);
            }
        }
        return OptionalInt.empty();
    }

    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replace('-', '_');
    }

    static @Nullable Key<?> key(String path) {
        String general = path.replaceFirst("^sources\\[\\d{1,9}]", Key.SOURCES);
        return Keys.ALL.stream()
                .filter(key -> key.path().equals(general))
                .findFirst()
                .orElse(null);
    }

    /**
     * One configured value.
     *
     * @param path of the key, with the number of the source if it has one: {@code sources[0].url}
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

        /** {@return the value of a key outside the sources; empty if it has none or is at fault} */
        <T> Optional<T> find(Key<T> key) {
            return find(key, 0);
        }

        <T> Optional<T> find(Key<T> key, int source) {
            return Optional.ofNullable(key.kind().type().cast(values.get(key.path(source))));
        }

        /** {@return the value of a key that has one if there are no faults} */
        <T> T get(Key<T> key) {
            return get(key, 0);
        }

        <T> T get(Key<T> key, int source) {
            return find(key, source).orElseThrow(() -> new NoSuchElementException(key.path(source)));
        }
    }
}
