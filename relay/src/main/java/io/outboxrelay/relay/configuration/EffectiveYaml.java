package io.outboxrelay.relay.configuration;

import io.outboxrelay.relay.configuration.Settings.Setting;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The effective configuration as YAML, each value that was given with its origin, secrets masked. */
final class EffectiveYaml {

    private final Settings settings;
    private final StringBuilder yaml = new StringBuilder();
    private List<String> section = List.of();

    EffectiveYaml(Settings settings) {
        this.settings = settings;
    }

    String write() {
        boolean sourcesWritten = false;
        for (Key<?> key : Keys.ALL) {
            if (!key.ofSource()) {
                write(key);
            } else if (!sourcesWritten) {
                sourcesWritten = true;
                writeSources();
            }
        }
        return yaml.toString();
    }

    private void writeSources() {
        section = List.of();
        yaml.append("sources:\n");
        for (int source = 0; source < settings.sources(); source++) {
            String lead = "  - ";
            for (Key<?> key : Keys.ALL) {
                if (key.ofSource() && line(lead, key.name(), key, key.path(source))) {
                    lead = "    ";
                }
            }
        }
    }

    private void write(Key<?> key) {
        List<String> parts = List.of(key.path().split("\\."));
        List<String> parents = parts.subList(0, parts.size() - 1);
        if (text(key, key.path()) == null) {
            return;
        }
        for (int depth = 0; depth < parents.size(); depth++) {
            if (depth >= section.size() || !section.get(depth).equals(parents.get(depth))) {
                yaml.append("  ".repeat(depth)).append(parents.get(depth)).append(":\n");
                section = new ArrayList<>(parents.subList(0, depth + 1));
            }
        }
        section = parents;
        line("  ".repeat(parents.size()), parts.get(parts.size() - 1), key, key.path());
    }

    private boolean line(String lead, String name, Key<?> key, String path) {
        String text = text(key, path);
        if (text == null) {
            return false;
        }
        Setting setting = settings.find(path);
        yaml.append(lead).append(name).append(": ").append(quoted(key.secrecy().mask(text)));
        yaml.append(setting == null ? "" : "  # " + setting.origin()).append('\n');
        return true;
    }

    private @Nullable String text(Key<?> key, String path) {
        Setting setting = settings.find(path);
        return setting == null ? key.standard() : setting.value();
    }

    private static String quoted(String text) {
        return text.matches("[A-Za-z0-9/][A-Za-z0-9/_.:-]*")
                ? text
                : "'" + text.replace("'", "''").replace('\n', ' ') + "'";
    }
}
