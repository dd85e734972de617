package io.outboxrelay.relay.configuration;

import io.outboxrelay.relay.configuration.Key.Secrecy;
import io.outboxrelay.relay.configuration.Keys.Suggestion;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.reader.ReaderException;

/**
 * The file's layer. It is read as text with line numbers, not as objects: a password {@code 0123} stays unchanged, and
 * a fault names its line. The parser's own messages quote the file, so they are never shown.
 */
final class YamlFile {

    private final Path file;
    private final Variables variables;
    private final Settings settings;
    private final Set<String> seen = new HashSet<>();
    private final Optional<String> warning;

    YamlFile(Path file, Map<String, String> environment, Settings settings) {
        this.file = file;
        this.variables = new Variables(environment);
        this.settings = settings;
        this.warning = SecretFile.warning(file);
    }

    void read() {
        String text = text();
        if (text == null) {
            return;
        }
        try {
            Node root = new Yaml(new LoaderOptions()).compose(new StringReader(text));
            if (root != null) {
                section("", root);
            }
        } catch (MarkedYAMLException e) {
            Mark mark = e.getProblemMark() == null ? e.getContextMark() : e.getProblemMark();
            notYaml(mark == null ? "" : near(mark.getLine(), mark.getColumn()));
        } catch (ReaderException e) {
            String before = text.substring(0, Math.min(text.length(), Math.max(0, e.getPosition())));
            notYaml(near(
                    before.chars().filter(c -> c == '\n').count(), before.length() - before.lastIndexOf('\n') - 1));
        } catch (YAMLException e) {
            notYaml("");
        }
    }

    private @Nullable String text() {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            unusable("does not exist.");
        } catch (CharacterCodingException e) {
            unusable("is not UTF-8 text.");
        } catch (IOException e) {
            unusable("cannot be read (" + e.getClass().getSimpleName() + "). Check that it is a file that this user may"
                    + " read.");
        }
        return null;
    }

    private void unusable(String problem) {
        settings.unusable("--config", file.toString(), "command line or environment", problem);
    }

    private void notYaml(String place) {
        settings.unusable(
                file.toString(),
                null,
                "file",
                "is not valid YAML" + place + ". Check the indentation there, and put values with special characters"
                        + " into quotes.");
    }

    /** {@return a place in the file, of which the parser counts lines and columns from 0} */
    private static String near(long line, int column) {
        return " near line %d, column %d".formatted(line + 1, column + 1);
    }

    private void section(String path, Node node) {
        if (!(node instanceof MappingNode mapping)) {
            settings.fault(
                    path.isEmpty() ? file.toString() : path,
                    null,
                    origin(node),
                    "must be a section: key: value lines.");
            return;
        }
        for (NodeTuple entry : mapping.getValue()) {
            String name = entry.getKeyNode() instanceof ScalarNode scalar ? scalar.getValue() : "?";
            entry(path.isEmpty() ? name : path + "." + name, entry.getKeyNode(), entry.getValueNode());
        }
    }

    private void entry(String path, Node keyNode, Node value) {
        Key<?> key = Settings.key(path);
        DatabaseList list = DatabaseList.named(path).orElse(null);
        if (!seen.add(path)) {
            settings.fault(path, null, origin(keyNode), "is set twice. Keep one.");
        } else if (key != null) {
            scalar(path, key, keyNode, value);
        } else if (list != null) {
            list(list, value);
        } else if (isSection(path)) {
            section(path, value);
        } else {
            settings.fault(path, null, origin(keyNode), "is not a key." + nearest(path));
        }
    }

    private void list(DatabaseList list, Node node) {
        if (!(node instanceof SequenceNode sequence)) {
            settings.fault(
                    list.many(),
                    null,
                    origin(node),
                    "must be a list: each %s begins with \"- name: …\".".formatted(list.one()));
            return;
        }
        List<Node> databases = sequence.getValue();
        for (int number = 0; number < databases.size(); number++) {
            section(list.path(number), databases.get(number));
        }
    }

    private void scalar(String path, Key<?> key, Node keyNode, Node value) {
        if (!(value instanceof ScalarNode scalar)) {
            settings.fault(path, null, origin(keyNode), "must be a single value.");
        } else if (scalar.getTag().equals(Tag.NULL)) {
            settings.fault(path, null, origin(keyNode), "has no value. Give it one or leave the key out.");
        } else {
            String problem = variables.fault(scalar.getValue());
            if (problem == null) {
                settings.put(path, variables.replace(scalar.getValue()), origin(scalar));
                if (key.secrecy() == Secrecy.SECRET && !scalar.getValue().contains("${")) {
                    warning.ifPresent(text -> settings.warn(path, origin(scalar), "can be read by others. " + text));
                }
            } else {
                settings.fault(path, null, origin(scalar), problem);
            }
        }
    }

    private static boolean isSection(String path) {
        return Keys.ALL.stream().anyMatch(key -> key.path().startsWith(path + "."));
    }

    private static String nearest(String path) {
        return Suggestion.nearest(
                DatabaseList.general(path), Keys.ALL.stream().map(Key::path).toList());
    }

    private String origin(@Nullable Node node) {
        return file.getFileName()
                + (node == null ? "" : " line " + (node.getStartMark().getLine() + 1));
    }

    /** {@code ${VAR}} and {@code ${VAR:-default}} in the file; {@code $${} is a plain <code>${</code>. */
    static final class Variables {

        private static final Pattern REFERENCE =
                Pattern.compile("\\$\\$\\{|\\$\\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?}|\\$\\{");

        private final Map<String, String> environment;

        Variables(Map<String, String> environment) {
            this.environment = environment;
        }

        /** {@return what is wrong with the references of this text; null when they can be replaced} */
        @Nullable
        String fault(String text) {
            Matcher reference = REFERENCE.matcher(text);
            while (reference.find()) {
                if (reference.group().equals("${")) {
                    return "has a malformed reference. Write ${VARIABLE} or ${VARIABLE:-default}, and $${ for a"
                            + " plain ${.";
                }
                if (reference.group(1) != null
                        && reference.group(2) == null
                        && !environment.containsKey(reference.group(1))) {
                    return "needs the environment variable %s, which is not set. Set it, or write ${%1$s:-default}."
                            .formatted(reference.group(1));
                }
            }
            return null;
        }

        String replace(String text) {
            return REFERENCE
                    .matcher(text)
                    .replaceAll(reference -> Matcher.quoteReplacement(value(reference.group(1), reference.group(2))));
        }

        private String value(@Nullable String name, @Nullable String standard) {
            if (name == null) {
                return "${";
            }
            String value = environment.get(name);
            return standard != null && (value == null || value.isEmpty()) ? standard : value == null ? "" : value;
        }
    }
}
