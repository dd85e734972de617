package io.outboxrelay.schemas.rule;

import io.outboxrelay.schemas.contract.Compatibility;
import io.outboxrelay.schemas.rule.Finding.Excerpt;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/**
 * Compares two versions of a schema, for the readers that a compatibility promises something to. The rules of
 * resolution follow the <a href="https://avro.apache.org/docs/1.12.0/specification/#schema-resolution">specification of
 * Avro</a>; whatever Avro's own check refuses is refused here as well.
 */
public final class SchemaComparison {

    private final ComparedVersion before;
    private final ComparedVersion after;
    private final boolean neighbours;
    private final List<Finding> findings = new ArrayList<>();
    private final Set<List<String>> seen = new HashSet<>();

    private SchemaComparison(ComparedVersion before, ComparedVersion after, boolean neighbours) {
        this.before = before;
        this.after = after;
        this.neighbours = neighbours;
    }

    /**
     * Compares a version with the one directly before it.
     *
     * @param before the old version
     * @param after the new version
     * @param compatibility which readers must be able to read what the other version wrote
     * @return what breaks it, in the order of the new version; empty if all is well
     */
    public static List<Finding> compare(ComparedVersion before, ComparedVersion after, Compatibility compatibility) {
        return new SchemaComparison(before, after, true).run(compatibility);
    }

    /**
     * Compares a version with one that is further back. What looks like a new name for an old field is not taken for one
     * here: the versions between have decided that.
     *
     * @param before a version long before
     * @param after the new version
     * @param compatibility which readers must be able to read what the other version wrote
     * @return what breaks it, in the order of the new version; empty if all is well
     */
    public static List<Finding> compareFar(ComparedVersion before, ComparedVersion after, Compatibility compatibility) {
        return new SchemaComparison(before, after, false).run(compatibility);
    }

    private List<Finding> run(Compatibility compatibility) {
        Set<Readers> readers = EnumSet.noneOf(Readers.class);
        if (compatibility.newReadsOld()) {
            readers.add(Readers.NEW);
        }
        if (compatibility.oldReadsNew()) {
            readers.add(Readers.OLD);
        }
        schemas(after.schema().getName(), before.schema(), after.schema(), readers);
        readers.forEach(this::askAvroAsWell);
        return findings;
    }

    private void schemas(String path, Schema old, Schema now, Set<Readers> readers) {
        if (readers.isEmpty()) {
            return;
        }
        if (old.getType() == Schema.Type.UNION || now.getType() == Schema.Type.UNION) {
            unions(path, old, now, readers);
        } else if (old.getType() != now.getType()) {
            differentTypes(path, old, now, readers);
        } else {
            switch (now.getType()) {
                case RECORD -> {
                    if (seen.add(List.of(old.getFullName(), now.getFullName(), readers.toString()))) {
                        names(path, old, now, readers);
                        fields(path, old, now, readers);
                    }
                }
                case ENUM -> {
                    names(path, old, now, readers);
                    symbols(path, old, now, readers);
                }
                case FIXED -> {
                    names(path, old, now, readers);
                    if (old.getFixedSize() != now.getFixedSize()) {
                        found(
                                Rule.FIXED_SIZE_CHANGED,
                                path,
                                old,
                                now,
                                readers,
                                "The size has changed from " + old.getFixedSize() + " to " + now.getFixedSize()
                                        + " bytes.");
                    }
                }
                case ARRAY -> schemas(path + "[]", old.getElementType(), now.getElementType(), readers);
                case MAP -> schemas(path + "{}", old.getValueType(), now.getValueType(), readers);
                default -> {
                    // The same primitive type.
                }
            }
            logicalTypes(path, old, now, readers);
        }
    }

    private void differentTypes(String path, Schema old, Schema now, Set<Readers> readers) {
        Set<Readers> failing = EnumSet.noneOf(Readers.class);
        for (Readers reader : readers) {
            Schema reading = reader == Readers.NEW ? now : old;
            Schema written = reader == Readers.NEW ? old : now;
            if (!Resolution.reads(reading, written)) {
                failing.add(reader);
            } else if (losesDigits(reading, written)) {
                found(
                        Rule.DIGITS_LOST,
                        path,
                        old,
                        now,
                        Set.of(reader),
                        written.getType().getName() + " is read as "
                                + reading.getType().getName() + ", which has fewer digits.");
            } else if (written.getType() == Schema.Type.BYTES) {
                found(
                        Rule.BYTES_READ_AS_TEXT,
                        path,
                        old,
                        now,
                        Set.of(reader),
                        "Bytes are read as text; what is not UTF-8 is lost without an error.");
            }
        }
        if (!failing.isEmpty()) {
            found(
                    Rule.TYPE_CHANGED,
                    path,
                    old,
                    now,
                    failing,
                    "The type has changed from " + old.getType().getName() + " to "
                            + now.getType().getName() + ".");
        }
        Set<Readers> rest = EnumSet.copyOf(readers);
        rest.removeAll(failing);
        if (!rest.isEmpty()) {
            logicalTypes(path, old, now, rest);
        }
    }

    private static boolean losesDigits(Schema reading, Schema written) {
        return switch (reading.getType()) {
            case FLOAT -> written.getType() == Schema.Type.INT || written.getType() == Schema.Type.LONG;
            case DOUBLE -> written.getType() == Schema.Type.LONG;
            default -> false;
        };
    }

    private void unions(String path, Schema old, Schema now, Set<Readers> readers) {
        UnionBranches branches = new UnionBranches(old, now);
        for (UnionBranches.Pair pair : branches.pairs()) {
            String branch = UnionBranches.isChoice(now) ? "(" + pair.now().getName() + ")" : "";
            schemas(path + branch, pair.old(), pair.now(), readers);
        }
        for (Schema branch : branches.removed()) {
            if (readers.contains(Readers.NEW) && !Resolution.reads(now, branch)) {
                found(
                        Rule.UNION_BRANCH_REMOVED,
                        path,
                        old,
                        now,
                        Set.of(Readers.NEW),
                        branch.getFullName() + " is not among the types any more.");
            }
        }
        for (Schema branch : branches.added()) {
            if (readers.contains(Readers.OLD) && !Resolution.reads(old, branch)) {
                found(
                        Rule.UNION_BRANCH_ADDED,
                        path,
                        old,
                        now,
                        Set.of(Readers.OLD),
                        branch.getFullName() + " is new among the types.");
            }
        }
    }

    private void names(String path, Schema old, Schema now, Set<Readers> readers) {
        Set<Readers> failing = EnumSet.noneOf(Readers.class);
        if (!old.getFullName().equals(now.getFullName())) {
            failing.addAll(readers);
            failing.removeIf(reader -> reader == Readers.NEW
                    ? now.getAliases().contains(old.getFullName())
                    : old.getAliases().contains(now.getFullName()));
        }
        if (!failing.isEmpty()) {
            boolean moved = old.getName().equals(now.getName());
            found(
                    moved ? Rule.NAMESPACE_MOVED : Rule.TYPE_RENAMED_WITHOUT_ALIAS,
                    path,
                    old,
                    now,
                    failing,
                    old.getFullName() + " is " + now.getFullName() + " now.");
        }
        Set<String> gone = new LinkedHashSet<>(old.getAliases());
        gone.removeAll(now.getAliases());
        gone.remove(now.getFullName());
        if (!gone.isEmpty() && readers.contains(Readers.NEW)) {
            found(Rule.ALIAS_REMOVED, path, old, now, Set.of(Readers.NEW), "Old names are gone: " + gone + ".");
        }
    }

    private void symbols(String path, Schema old, Schema now, Set<Readers> readers) {
        List<String> removed = without(old.getEnumSymbols(), now.getEnumSymbols());
        List<String> added = without(now.getEnumSymbols(), old.getEnumSymbols());
        if (!removed.isEmpty() && now.getEnumDefault() == null && readers.contains(Readers.NEW)) {
            found(Rule.ENUM_SYMBOL_REMOVED, path, old, now, Set.of(Readers.NEW), "Symbols are gone: " + removed + ".");
        }
        if (!added.isEmpty() && old.getEnumDefault() == null && readers.contains(Readers.OLD)) {
            found(
                    Rule.ENUM_EXTENDED_WITHOUT_DEFAULT,
                    path,
                    old,
                    now,
                    Set.of(Readers.OLD),
                    "Symbols are new: " + added + ", and the old version has no default for what it does not know.");
        }
        if (old.getEnumDefault() != null
                && !old.getEnumDefault().equals(now.getEnumDefault())
                && readers.contains(Readers.NEW)) {
            found(
                    Rule.ENUM_DEFAULT_CHANGED,
                    path,
                    old,
                    now,
                    Set.of(Readers.NEW),
                    "The default was " + old.getEnumDefault() + " and is "
                            + Objects.requireNonNullElse(now.getEnumDefault(), "gone") + ".");
        }
        if (!without(old.getEnumSymbols(), removed).equals(without(now.getEnumSymbols(), added))) {
            found(Rule.ENUM_SYMBOLS_REORDERED, path, old, now, readers, "The symbols stand in another order.");
        }
    }

    private static List<String> without(List<String> all, List<String> some) {
        return all.stream().filter(each -> !some.contains(each)).toList();
    }

    private void logicalTypes(String path, Schema old, Schema now, Set<Readers> readers) {
        String was = logicalType(old);
        String is = logicalType(now);
        if (!was.equals(is)) {
            found(
                    Rule.LOGICAL_TYPE_CHANGED,
                    path,
                    old,
                    now,
                    readers,
                    "The logical type was " + was + " and is " + is + ".");
        } else if (is.equals("decimal")) {
            if (!digits(old, "scale").equals(digits(now, "scale"))) {
                found(
                        Rule.DECIMAL_SCALE_CHANGED,
                        path,
                        old,
                        now,
                        readers,
                        "The scale was " + digits(old, "scale") + " and is " + digits(now, "scale") + ".");
            }
            if (!digits(old, "precision").equals(digits(now, "precision"))) {
                found(
                        Rule.DECIMAL_PRECISION_CHANGED,
                        path,
                        old,
                        now,
                        readers,
                        "The precision was " + digits(old, "precision") + " and is " + digits(now, "precision") + ".");
            }
        }
    }

    private static String logicalType(Schema schema) {
        return Objects.requireNonNullElse(schema.getProp("logicalType"), "none");
    }

    private static String digits(Schema schema, String attribute) {
        return String.valueOf(Objects.requireNonNullElse(schema.getObjectProp(attribute), 0));
    }

    private void fields(String path, Schema old, Schema now, Set<Readers> readers) {
        for (Schema.Field field : now.getFields()) {
            Schema.Field sameName = old.getField(field.name());
            if (sameName != null) {
                field(path, old, sameName, now, field, readers);
            } else if (readers.contains(Readers.NEW)) {
                newField(path, old, now, field);
            }
        }
        for (Schema.Field field : old.getFields()) {
            if (now.getField(field.name()) == null && readers.contains(Readers.OLD)) {
                lostField(path, old, field, now);
            }
        }
        List<String> stayed = names(old, now);
        if (!stayed.equals(names(now, old))) {
            found(
                    Rule.FIELDS_REORDERED,
                    path,
                    old,
                    now,
                    readers,
                    "The fields stand in another order: " + stayed + " before, " + names(now, old) + " now.");
        }
    }

    /** The names of a record's fields that the other record has as well, in order. */
    private static List<String> names(Schema record, Schema other) {
        return record.getFields().stream()
                .map(Schema.Field::name)
                .filter(name -> other.getField(name) != null)
                .toList();
    }

    /** Readers of the new version look for the field under its aliases, and else take its default. */
    private void newField(String path, Schema old, Schema now, Schema.Field field) {
        Schema.Field aliased = aliased(field, old);
        if (aliased != null) {
            field(path, old, aliased, now, field, Set.of(Readers.NEW));
            return;
        }
        Schema.Field predecessor = neighbours ? Renaming.predecessor(field, old, now) : null;
        Excerpt after = excerpt(this.after, SchemaText.of(now, field));
        if (predecessor != null) {
            add(
                    Rule.FIELD_RENAMED_WITHOUT_ALIAS,
                    path + "." + field.name(),
                    excerpt(before, SchemaText.of(old, predecessor)),
                    after,
                    Set.of(Readers.NEW),
                    predecessor.name() + " is gone, and " + field.name()
                            + " of the same type stands in its place: the value would be lost.");
        } else if (!field.hasDefaultValue()) {
            add(
                    Rule.FIELD_ADDED_WITHOUT_DEFAULT,
                    path + "." + field.name(),
                    excerpt(before, "no such field"),
                    after,
                    Set.of(Readers.NEW),
                    "Events of the old version do not have the field, and it has no default.");
        }
    }

    /** Readers of the old version look for the field under its old aliases, and else take its old default. */
    private void lostField(String path, Schema old, Schema.Field field, Schema now) {
        Schema.Field aliased = aliased(field, now);
        if (aliased != null) {
            field(path, old, field, now, aliased, Set.of(Readers.OLD));
        } else if (!field.hasDefaultValue()) {
            add(
                    Rule.FIELD_REMOVED_WITHOUT_DEFAULT,
                    path + "." + field.name(),
                    excerpt(before, SchemaText.of(old, field)),
                    excerpt(after, "no such field"),
                    Set.of(Readers.OLD),
                    "Events of the new version do not have the field, and the old version has no default for it.");
        }
    }

    private static Schema.@Nullable Field aliased(Schema.Field field, Schema other) {
        return field.aliases().stream()
                .map(other::getField)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    private void field(
            String recordPath, Schema old, Schema.Field was, Schema now, Schema.Field is, Set<Readers> readers) {
        String path = recordPath + "." + is.name();
        Excerpt before = excerpt(this.before, SchemaText.of(old, was));
        Excerpt after = excerpt(this.after, SchemaText.of(now, is));
        if (readers.contains(Readers.NEW)) {
            if (was.hasDefaultValue() && !is.hasDefaultValue()) {
                add(Rule.DEFAULT_REMOVED, path, before, after, Set.of(Readers.NEW), "The default is gone.");
            } else if (was.hasDefaultValue() && !sameValue(was.defaultVal(), is.defaultVal())) {
                add(Rule.DEFAULT_CHANGED, path, before, after, Set.of(Readers.NEW), "The default has changed.");
            }
            Set<String> gone = new LinkedHashSet<>(was.aliases());
            gone.removeAll(is.aliases());
            gone.remove(is.name());
            if (!gone.isEmpty()) {
                add(Rule.ALIAS_REMOVED, path, before, after, Set.of(Readers.NEW), "Old names are gone: " + gone + ".");
            }
        }
        if (was.order() != is.order()) {
            add(
                    Rule.SORT_ORDER_CHANGED,
                    path,
                    before,
                    after,
                    readers,
                    "The sort order was " + word(was.order()) + " and is " + word(is.order()) + ".");
        }
        schemas(path, was.schema(), is.schema(), readers);
    }

    private static String word(Schema.Field.Order order) {
        return order.name().toLowerCase(Locale.ROOT);
    }

    private static boolean sameValue(Object was, Object is) {
        if (was instanceof Number && is instanceof Number) {
            return new BigDecimal(was.toString()).compareTo(new BigDecimal(is.toString())) == 0;
        }
        return Objects.deepEquals(text(was), text(is));
    }

    private static Object text(Object value) {
        return value instanceof byte[] bytes ? new String(bytes, StandardCharsets.ISO_8859_1) : value;
    }

    /** Nobody may be told that all is well when Avro would fail. */
    private void askAvroAsWell(Readers reader) {
        boolean known = findings.stream()
                .anyMatch(finding -> finding.isError() && finding.failing().contains(reader));
        Schema reading = reader == Readers.NEW ? after.schema() : before.schema();
        Schema written = reader == Readers.NEW ? before.schema() : after.schema();
        if (!known && !Resolution.reads(reading, written)) {
            found(
                    Rule.TYPE_CHANGED,
                    after.schema().getName(),
                    before.schema(),
                    after.schema(),
                    Set.of(reader),
                    Resolution.problem(reading, written));
        }
    }

    private void found(Rule rule, String path, Schema old, Schema now, Set<Readers> failing, String problem) {
        add(rule, path, excerpt(before, SchemaText.of(old)), excerpt(after, SchemaText.of(now)), failing, problem);
    }

    private void add(Rule rule, String path, Excerpt old, Excerpt now, Set<Readers> failing, String problem) {
        findings.add(new Finding(rule, after.file(), path, old, now, failing, problem));
    }

    private static Excerpt excerpt(ComparedVersion version, String text) {
        return new Excerpt(version.name(), text);
    }
}
