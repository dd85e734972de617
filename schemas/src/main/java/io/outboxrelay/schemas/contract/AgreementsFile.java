package io.outboxrelay.schemas.contract;

import java.io.StringReader;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * Reads {@code contracts.yaml}. It is read as text with line numbers, not as objects: a date stays what it is, and a
 * fault can say where it stands.
 *
 * <pre>
 * owner: orders@shop.example         # of every subject that names no other
 * compatibility: FULL_TRANSITIVE     # the same; this is what holds where nothing is said
 * subjects:
 *   orders.order-placed:
 *     event-type: OrderPlaced        # else the name of the newest version's record
 *     deprecated: 2027-03-31
 *   orders.order-paid: {}
 * </pre>
 */
final class AgreementsFile {

    private static final String OWNER = "owner";
    private static final String COMPATIBILITY = "compatibility";
    private static final String SUBJECTS = "subjects";
    private static final String EVENT_TYPE = "event-type";
    private static final String DEPRECATED = "deprecated";
    private static final Set<String> AT_THE_TOP = Set.of(OWNER, COMPATIBILITY, SUBJECTS);
    private static final Set<String> OF_A_SUBJECT = Set.of(OWNER, COMPATIBILITY, EVENT_TYPE, DEPRECATED);
    private static final Pattern SUBJECT = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

    private final ContractTree tree;
    private final List<ContractFault> faults;

    AgreementsFile(ContractTree tree, List<ContractFault> faults) {
        this.tree = tree;
        this.faults = faults;
    }

    List<Agreement> read() {
        Optional<String> text = tree.text().apply(ContractTree.AGREEMENTS);
        if (text.isEmpty()) {
            fault(null, "There is no such file. It lists the subjects of the tree and what holds for each.");
        }
        return text.flatMap(this::parsed).map(this::agreements).orElse(List.of());
    }

    private Optional<Node> parsed(String text) {
        try {
            Node root = new Yaml(new LoaderOptions()).compose(new StringReader(text));
            if (root == null) {
                fault(null, "The file is empty. It lists the subjects of the tree and what holds for each.");
            }
            return Optional.ofNullable(root);
        } catch (MarkedYAMLException e) {
            String line = e.getProblemMark() == null
                    ? ""
                    : " near line " + (e.getProblemMark().getLine() + 1);
            fault(null, "This is not YAML" + line + ": " + e.getProblem() + ".");
        } catch (YAMLException e) {
            fault(null, "This is not YAML: " + e.getMessage());
        }
        return Optional.empty();
    }

    private List<Agreement> agreements(Node root) {
        Map<String, Node> top = section(root, AT_THE_TOP);
        String owner = text(top, OWNER);
        Compatibility compatibility = compatibility(top, Compatibility.FULL_TRANSITIVE);
        List<Agreement> agreements = new ArrayList<>();
        Node subjects = top.get(SUBJECTS);
        if (subjects == null) {
            fault(root, "\"subjects:\" is missing. Under it each subject is listed.");
        } else {
            section(subjects, null)
                    .forEach((subject, node) ->
                            subject(subject, node, owner, compatibility).ifPresent(agreements::add));
        }
        return agreements;
    }

    private Optional<Agreement> subject(
            String subject, Node node, @Nullable String ownerOfAll, Compatibility compatibilityOfAll) {
        Map<String, Node> given = isNull(node) ? Map.of() : section(node, OF_A_SUBJECT);
        String ownOwner = text(given, OWNER);
        String owner = ownOwner == null ? ownerOfAll : ownOwner;
        if (!SUBJECT.matcher(subject).matches() || subject.equals(SchemaFiles.SHARED)) {
            fault(
                    node,
                    "\"" + subject + "\" cannot be a subject: letters, digits, dots, hyphens and underscores, and not"
                            + " \"shared\", which is the folder of shared types.");
            return Optional.empty();
        }
        if (owner == null) {
            fault(node, "The subject " + subject + " has no owner. Say whom to ask: \"owner:\" here or at the top.");
            return Optional.empty();
        }
        return Optional.of(new Agreement(
                subject,
                text(given, EVENT_TYPE),
                owner,
                compatibility(given, compatibilityOfAll),
                date(given),
                place(node)));
    }

    private Compatibility compatibility(Map<String, Node> section, Compatibility unlessGiven) {
        String given = text(section, COMPATIBILITY);
        if (given == null) {
            return unlessGiven;
        }
        List<String> names =
                Arrays.stream(Compatibility.values()).map(Enum::name).toList();
        if (!names.contains(given)) {
            fault(
                    section.get(COMPATIBILITY),
                    "\"" + given + "\" is not a compatibility: " + String.join(", ", names) + "."
                            + NearMiss.of(given, names));
            return unlessGiven;
        }
        return Compatibility.valueOf(given);
    }

    private @Nullable LocalDate date(Map<String, Node> section) {
        String given = text(section, DEPRECATED);
        try {
            return given == null ? null : LocalDate.parse(given);
        } catch (DateTimeParseException e) {
            fault(section.get(DEPRECATED), "\"" + given + "\" is not a date. Write it as 2027-03-31.");
            return null;
        }
    }

    private @Nullable String text(Map<String, Node> section, String key) {
        Node node = section.get(key);
        if (node == null) {
            return null;
        }
        if (!(node instanceof ScalarNode scalar)
                || isNull(node)
                || scalar.getValue().isBlank()) {
            fault(node, "\"" + key + "\" must be a single value.");
            return null;
        }
        return scalar.getValue();
    }

    /** The values by key; {@code allowed} is null where any key may stand. */
    private Map<String, Node> section(Node node, @Nullable Set<String> allowed) {
        if (!(node instanceof MappingNode mapping)) {
            fault(node, "There must be \"key: value\" lines here.");
            return Map.of();
        }
        Map<String, Node> section = new LinkedHashMap<>();
        for (NodeTuple entry : mapping.getValue()) {
            String key = entry.getKeyNode() instanceof ScalarNode scalar ? scalar.getValue() : "?";
            if (allowed != null && !allowed.contains(key)) {
                fault(
                        entry.getKeyNode(),
                        "\"" + key + "\" is not a key: " + String.join(", ", sorted(allowed)) + "."
                                + NearMiss.of(key, allowed));
            } else if (section.putIfAbsent(key, entry.getValueNode()) != null) {
                fault(entry.getKeyNode(), "\"" + key + "\" is given twice. Keep one.");
            }
        }
        return section;
    }

    private static List<String> sorted(Set<String> keys) {
        return keys.stream().sorted().toList();
    }

    private static boolean isNull(Node node) {
        return node.getTag().equals(Tag.NULL);
    }

    private void fault(@Nullable Node node, String problem) {
        faults.add(new ContractFault(place(node), problem));
    }

    private String place(@Nullable Node node) {
        return tree.place(ContractTree.AGREEMENTS)
                + (node == null ? "" : " line " + (node.getStartMark().getLine() + 1));
    }
}
