package io.outboxrelay.relay.configuration;

import io.outboxrelay.relay.configuration.Key.Secrecy;
import io.outboxrelay.relay.configuration.Keys.Suggestion;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The environment's layer: {@code OUTBOX_RELAY_BROKER_URI}, {@code OUTBOX_RELAY_SOURCES_0_URL}, or with the source's
 * name {@code OUTBOX_RELAY_SOURCES_ORDERS_URL}. With the suffix {@code _FILE} the value is read from a file.
 */
final class EnvironmentVariables {

    static final String PREFIX = "OUTBOX_RELAY_";
    /** Names the configuration file, if the command line does not. */
    static final String CONFIG = PREFIX + "CONFIG";

    private static final String FILE = "_FILE";

    /**
     * Kubernetes sets such variables in every container for each Service of its namespace. For a Service named
     * {@code outbox-relay} they begin like ours.
     */
    private static final Pattern SERVICE_LINK = Pattern.compile(
            "(\\w+_)?(SERVICE_HOST|SERVICE_PORT(_\\w+)?|PORT_\\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)");

    private static final Pattern SERVICE_LINK_URL = Pattern.compile("(tcp|udp|sctp)://.*");

    private final Map<String, String> ours = new TreeMap<>();
    private final Settings settings;

    EnvironmentVariables(Map<String, String> environment, Settings settings) {
        environment.forEach((name, value) -> {
            if (name.startsWith(PREFIX) && !name.equals(CONFIG) && !isServiceLink(name, value)) {
                ours.put(name.substring(PREFIX.length()), value);
            }
        });
        this.settings = settings;
    }

    private static boolean isServiceLink(String name, String value) {
        String rest = name.substring(PREFIX.length());
        return SERVICE_LINK.matcher(rest).matches()
                || (rest.endsWith("PORT") && SERVICE_LINK_URL.matcher(value).matches());
    }

    void read() {
        List<ListVariable> byName = new ArrayList<>();
        for (String variable : ours.keySet()) {
            String base = base(variable);
            ListVariable ofList = ListVariable.parse(base);
            Key<?> key = globalKey(base);
            if (key != null) {
                put(key.path(), variable);
            } else if (ofList != null && ofList.isNumbered()) {
                put(ofList.key().path(Integer.parseInt(ofList.database())), variable);
            } else if (ofList != null) {
                byName.add(ofList.from(variable));
            } else {
                unknown(variable);
            }
        }
        // URLs first: they define the databases that the other variables belong to.
        byName.sort(Comparator.comparing(
                variable -> variable.key() != variable.list().urlKey()));
        byName.forEach(this::putByName);
    }

    private String base(String variable) {
        return variable.endsWith(FILE) ? variable.substring(0, variable.length() - FILE.length()) : variable;
    }

    private static @Nullable Key<?> globalKey(String variable) {
        return Keys.ALL.stream()
                .filter(key -> key.list() == null && Key.variable(key.path()).equals(variable))
                .findFirst()
                .orElse(null);
    }

    private void putByName(ListVariable variable) {
        DatabaseList list = variable.list();
        OptionalInt known = settings.named(list, variable.database());
        String name = variable.database().toLowerCase(Locale.ROOT);
        if (known.isPresent()) {
            put(variable.key().path(known.getAsInt()), variable.name());
        } else if (variable.key() == list.urlKey()) {
            int next = settings.size(list);
            settings.put(list.nameKey().path(next), name, PREFIX + variable.name());
            put(list.urlKey().path(next), variable.name());
        } else {
            settings.fault(
                    PREFIX + variable.name(),
                    null,
                    "environment",
                    ("names the %s \"%s\", which does not exist. Correct the name, or define the %1$s with"
                                    + " %3$s%4$s%5$s_URL.")
                            .formatted(list.one(), name, PREFIX, list.variable(), variable.database()));
        }
    }

    private void put(String path, String variable) {
        String base = base(variable);
        String value = ours.getOrDefault(variable, "");
        if (base.equals(variable)) {
            settings.put(path, value, PREFIX + variable);
        } else if (ours.containsKey(base)) {
            settings.fault(path, null, PREFIX + variable, "is also set by " + PREFIX + base + ". Keep one.");
        } else {
            putContent(path, value, PREFIX + variable);
        }
    }

    private void putContent(String path, String file, String origin) {
        try {
            settings.put(path, SecretFile.read(Path.of(file)), origin);
            Key<?> key = Settings.key(path);
            if (key != null && key.secrecy() != Secrecy.OPEN) {
                SecretFile.warning(Path.of(file))
                        .ifPresent(warning -> settings.warn(path, origin, "can be read by others. " + warning));
            }
        } catch (IOException | InvalidPathException e) {
            settings.fault(
                    path,
                    null,
                    origin,
                    "names the file %s, which cannot be read as text (%s).".formatted(file, SecretFile.why(e)));
        }
    }

    private void unknown(String variable) {
        List<String> known = Keys.ALL.stream()
                .filter(key -> key.list() == null)
                .map(key -> PREFIX + Key.variable(key.path()))
                .toList();
        String advice = Arrays.stream(DatabaseList.values())
                .filter(list -> variable.startsWith(list.variable()))
                .findFirst()
                .map(list -> " After %s%s and the number or name of %s %s come %s."
                        .formatted(
                                PREFIX,
                                list.variable(),
                                list == DatabaseList.INBOXES ? "an" : "a",
                                list.one(),
                                String.join(", ", ListVariable.names(list))))
                .orElseGet(() -> Suggestion.nearest(PREFIX + variable, known));
        settings.fault(PREFIX + variable, null, "environment", "is not a variable of the relay." + advice);
    }

    /** {@code SOURCES_ORDERS_PASSWORD}: the list, the database, the key, and the variable that says so. */
    private record ListVariable(DatabaseList list, String database, Key<?> key, String name) {

        static @Nullable ListVariable parse(String variable) {
            for (Key<?> key : Keys.ALL) {
                DatabaseList list = key.list();
                String head = list == null ? "" : list.variable();
                String tail = list == null ? "" : "_" + Key.variable(key.name());
                if (list != null
                        && variable.startsWith(head)
                        && variable.endsWith(tail)
                        && variable.length() > head.length() + tail.length()) {
                    String database = variable.substring(head.length(), variable.length() - tail.length());
                    return new ListVariable(list, database, key, variable);
                }
            }
            return null;
        }

        static List<String> names(DatabaseList list) {
            return Keys.ALL.stream()
                    .filter(key -> key.list() == list)
                    .map(key -> "_" + Key.variable(key.name()))
                    .toList();
        }

        boolean isNumbered() {
            return database.matches("\\d{1,9}");
        }

        ListVariable from(String variable) {
            return new ListVariable(list, database, key, variable);
        }
    }
}
