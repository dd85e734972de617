package io.outboxrelay.relay.configuration;

import io.outboxrelay.relay.configuration.Key.Secrecy;
import io.outboxrelay.relay.configuration.Keys.Suggestion;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The command line's layer: {@code --set http.port=0}, {@code --set sources.orders.url=…}. */
final class Assignments {

    private static final String ORIGIN = "command line";
    private static final Pattern OF_LIST = Pattern.compile("(\\w+)(?:\\[(\\w+)]|\\.([\\w-]+))\\.(.+)");

    private final List<String> assignments;
    private final Settings settings;

    Assignments(List<String> assignments, Settings settings) {
        this.assignments = assignments;
        this.settings = settings;
    }

    void read() {
        assignments.forEach(this::read);
    }

    private void read(String assignment) {
        int equals = assignment.indexOf('=');
        if (equals < 1) {
            settings.fault("--set", null, ORIGIN, "needs key=value, such as --set http.port=8081.");
            return;
        }
        String given = assignment.substring(0, equals);
        String path = path(given);
        Key<?> key = Settings.key(path);
        if (key == null) {
            settings.fault(given, null, ORIGIN, "is not a key." + nearest(given));
        } else {
            if (key.secrecy() == Secrecy.SECRET) {
                settings.warn(
                        given,
                        ORIGIN,
                        ("is visible in the list of processes. Set it with an environment variable, or with a file"
                                        + " named by %s%s_FILE.")
                                .formatted(EnvironmentVariables.PREFIX, Key.variable(path)));
            }
            settings.put(path, assignment.substring(equals + 1), ORIGIN);
        }
    }

    private String path(String given) {
        Matcher ofList = OF_LIST.matcher(given);
        DatabaseList list = ofList.matches() ? list(ofList) : null;
        if (list == null) {
            return given;
        }
        String name = ofList.group(2) == null ? ofList.group(3) : ofList.group(2);
        OptionalInt number =
                name.matches("\\d{1,9}") ? OptionalInt.of(Integer.parseInt(name)) : settings.named(list, name);
        return number.isPresent() ? list.path(number.getAsInt()) + "." + ofList.group(4) : given;
    }

    private static @Nullable DatabaseList list(Matcher ofList) {
        return DatabaseList.named(ofList.group(1)).orElse(null);
    }

    private static String nearest(String given) {
        Matcher ofList = OF_LIST.matcher(given);
        DatabaseList list = ofList.matches() ? list(ofList) : null;
        String general = list == null ? given : list.many() + "[]." + ofList.group(4);
        if (list != null && Settings.key(general) != null) {
            return " There is no %s of this name.".formatted(list.one());
        }
        return Suggestion.nearest(general, Keys.ALL.stream().map(Key::path).toList());
    }
}
