package io.outboxrelay.relay.configuration;

import io.outboxrelay.relay.configuration.Key.Secrecy;
import io.outboxrelay.relay.configuration.Keys.Suggestion;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
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

    private static final String SOURCES = "SOURCES_";
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
        List<SourceVariable> byName = new ArrayList<>();
        for (String variable : ours.keySet()) {
            String base = base(variable);
            SourceVariable ofSource = SourceVariable.parse(base);
            Key<?> key = globalKey(base);
            if (key != null) {
                put(key.path(), variable);
            } else if (ofSource != null && ofSource.isNumbered()) {
                put(ofSource.key().path(Integer.parseInt(ofSource.source())), variable);
            } else if (ofSource != null) {
                byName.add(ofSource.from(variable));
            } else {
                unknown(variable);
            }
        }
        // URLs first: they define the sources that the other variables belong to.
        byName.sort(Comparator.comparing(variable -> variable.key() != Keys.SOURCE_URL));
        byName.forEach(this::putByName);
    }

    private String base(String variable) {
        return variable.endsWith(FILE) ? variable.substring(0, variable.length() - FILE.length()) : variable;
    }

    private static @Nullable Key<?> globalKey(String variable) {
        return Keys.ALL.stream()
                .filter(key -> !key.ofSource() && Key.variable(key.path()).equals(variable))
                .findFirst()
                .orElse(null);
    }

    private void putByName(SourceVariable variable) {
        OptionalInt known = settings.sourceNamed(variable.source());
        if (known.isPresent()) {
            put(variable.key().path(known.getAsInt()), variable.name());
        } else if (variable.key() == Keys.SOURCE_URL) {
            int next = settings.sources();
            settings.put(
                    Keys.SOURCE_NAME.path(next), variable.source().toLowerCase(Locale.ROOT), PREFIX + variable.name());
            put(Keys.SOURCE_URL.path(next), variable.name());
        } else {
            settings.fault(
                    PREFIX + variable.name(),
                    null,
                    "environment",
                    ("names the source \"%s\", which does not exist. Correct the name, or define the source with"
                                    + " %s%s%s_URL.")
                            .formatted(variable.source().toLowerCase(Locale.ROOT), PREFIX, SOURCES, variable.source()));
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
                .filter(key -> !key.ofSource())
                .map(key -> PREFIX + Key.variable(key.path()))
                .toList();
        String advice = variable.startsWith(SOURCES)
                ? " After %s%s and the number or name of a source come %s."
                        .formatted(PREFIX, SOURCES, String.join(", ", SourceVariable.names()))
                : Suggestion.nearest(PREFIX + variable, known);
        settings.fault(PREFIX + variable, null, "environment", "is not a variable of the relay." + advice);
    }

    /** {@code SOURCES_ORDERS_PASSWORD}: the source, the key, and the variable that says so. */
    private record SourceVariable(String source, Key<?> key, String name) {

        static @Nullable SourceVariable parse(String variable) {
            for (Key<?> key : Keys.ALL) {
                String tail = key.ofSource() ? "_" + Key.variable(key.name()) : "";
                if (key.ofSource()
                        && variable.startsWith(SOURCES)
                        && variable.endsWith(tail)
                        && variable.length() > SOURCES.length() + tail.length()) {
                    String source = variable.substring(SOURCES.length(), variable.length() - tail.length());
                    return new SourceVariable(source, key, variable);
                }
            }
            return null;
        }

        static List<String> names() {
            return Keys.ALL.stream()
                    .filter(Key::ofSource)
                    .map(key -> "_" + Key.variable(key.name()))
                    .toList();
        }

        boolean isNumbered() {
            return source.matches("\\d{1,9}");
        }

        SourceVariable from(String variable) {
            return new SourceVariable(source, key, variable);
        }
    }
}
