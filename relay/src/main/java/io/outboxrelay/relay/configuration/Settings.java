package io.outboxrelay.relay.configuration;

import io.outboxrelay.relay.configuration.ConfigurationException.Fault;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What was given, layer over layer, as text: a later layer replaces a value of an earlier one. Gathers the faults. */
final class Settings {

    /** More would be a slip of the pen, and a gap in the numbers is filled with sources that lack everything. */
    private static final int MOST_SOURCES = 100;

    private static final Pattern SOURCE_PATH = Pattern.compile("sources\\[(\\d{1,9})]\\.(.+)");

    private final Map<String, Setting> given = new LinkedHashMap<>();
    private final List<Fault> faults = new ArrayList<>();
    private final List<Fault> warnings = new ArrayList<>();

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

    /** Something that works, and that nobody should want. */
    void warn(String key, String origin, String problem) {
        warnings.add(new Fault(key, null, origin, problem));
    }

    List<Fault> warnings() {
        return warnings;
    }

    List<Fault> faults() {
        return faults;
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
     * One value as somebody gave it.
     *
     * @param path which key, with the number of the source where there is one: {@code sources[0].url}
     * @param value the text
     * @param origin who gave it: a line of the file, a variable, the command line
     */
    record Setting(String path, String value, String origin) {}
}
