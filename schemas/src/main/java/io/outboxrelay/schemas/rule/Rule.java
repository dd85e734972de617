package io.outboxrelay.schemas.rule;

import static io.outboxrelay.schemas.rule.Severity.ERROR;
import static io.outboxrelay.schemas.rule.Severity.WARNING;

import java.util.Locale;

/** Everything that is checked. The ids are stable; each has a section in {@code docs/schema-rules.md}. */
public enum Rule {
    TYPE_CHANGED(
            ERROR,
            "Keep the type. To use another one, add a second field, and remove the first when no consumer reads it"
                    + " any more."),
    FIELD_ADDED_WITHOUT_DEFAULT(ERROR, "Give the new field a default; null, if \"not known\" is the truth."),
    FIELD_REMOVED_WITHOUT_DEFAULT(
            ERROR, "Keep the field. To remove it later, first release a version that gives it a default."),
    FIELD_RENAMED_WITHOUT_ALIAS(
            ERROR,
            "Give the field its old name as an alias. If it is another field, remove the old one in one version and"
                    + " add the new one in the next."),
    TYPE_RENAMED_WITHOUT_ALIAS(
            ERROR,
            "Keep the name. An alias would help readers of the new version, but nothing would help readers of the old"
                    + " one."),
    NAMESPACE_MOVED(
            ERROR,
            "Keep the namespace. The old full name as an alias would help readers of the new version, but nothing"
                    + " would help readers of the old one."),
    ALIAS_REMOVED(ERROR, "Keep the alias: events under the old name may still be stored, parked or replayed."),
    ALIAS_AMBIGUOUS(
            ERROR,
            "Remove the alias, or give it to one field only: a written field can be read as only one field, and a"
                    + " field can have only one value."),
    UNION_BRANCH_ADDED(
            ERROR,
            "Readers of the old version do not know the branch. Put the new type into another field, with a default."),
    UNION_BRANCH_REMOVED(ERROR, "Keep the branch: events written with it still exist."),
    ENUM_EXTENDED_WITHOUT_DEFAULT(
            ERROR,
            "Readers of the old version have no default symbol to use instead. First release a version that gives the"
                    + " enum a \"default\" symbol such as UNKNOWN, and add symbols in the next one."),
    ENUM_SYMBOL_REMOVED(ERROR, "Keep the symbol, or give the enum a \"default\" that stands for what it meant."),
    ENUM_DEFAULT_CHANGED(
            ERROR, "Keep the enum's default: otherwise unknown symbols are read as another symbol than before."),
    FIXED_SIZE_CHANGED(ERROR, "Keep the size. To use another one, add a field of another fixed type or of type bytes."),
    DEFAULT_CHANGED(
            ERROR,
            "Keep the default: otherwise the same old event has one meaning for readers of the old version and"
                    + " another for readers of the new one."),
    DEFAULT_REMOVED(
            ERROR, "Keep the default: events that were written before the field existed could not be read any more."),
    LOGICAL_TYPE_CHANGED(
            ERROR,
            "Keep the logical type. To use another unit or meaning, add a second field with the unit in its name."),
    DECIMAL_SCALE_CHANGED(
            ERROR, "Keep the scale: otherwise the same digits mean another number. Add a second field instead."),
    DECIMAL_PRECISION_CHANGED(
            ERROR, "Keep the precision: decimals match only if it is equal. Add a second field instead."),
    SORT_ORDER_CHANGED(ERROR, "Keep \"order\": otherwise consumers that sort or compare records get another result."),
    FIELDS_REORDERED(
            WARNING, "Restore the order of the fields and add new ones at the end: records are sorted field by field."),
    ENUM_SYMBOLS_REORDERED(
            WARNING, "Restore the order of the symbols and add new ones at the end: enums are sorted in this order."),
    DIGITS_LOST(WARNING, "Keep the type, or make sure that the numbers stay below 2^24 (float) or 2^53 (double)."),
    BYTES_READ_AS_TEXT(WARNING, "Keep the type, or make sure that all bytes ever written are UTF-8 text."),

    RELEASED_VERSION_CHANGED(ERROR, "Restore the released file, and write the change into a new version."),
    RELEASED_VERSION_REMOVED(ERROR, "Restore the file: events that were written with it still exist."),
    EVENT_TYPE_CHANGED(
            ERROR, "Restore the event type: consumers distinguish events by it. A new event type needs a new subject."),
    COMPATIBILITY_WEAKENED(WARNING, "Ask the consumers: they may rely on the stronger compatibility."),

    CONTRACT_UNREADABLE(ERROR, "Fix what the message names."),
    DOC_MISSING(
            ERROR,
            "Say in \"doc\" what it is, in which unit, and when it is absent. You may change the text at any time."),
    NAMESPACE_MISSING(ERROR, "Give the record a \"namespace\", which becomes the package of the generated class."),
    NAMES_ALIKE(ERROR, "Choose names that differ in more than case and underscores."),
    LOGICAL_TYPE_IGNORED(
            ERROR, "Correct the logical type: Avro ignores it as it is, and consumers see only the underlying type."),
    ENUM_WITHOUT_DEFAULT(
            WARNING, "Give the enum a \"default\" symbol such as UNKNOWN: without one it can never get a new symbol.");

    private final Severity severity;
    private final String remedy;

    Rule(Severity severity, String remedy) {
        this.severity = severity;
        this.remedy = remedy;
    }

    /** {@return the stable name, such as {@code default-changed}} */
    public String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** {@return how bad it is} */
    public Severity severity() {
        return severity;
    }

    /** {@return what to do, in sentences} */
    public String remedy() {
        return remedy;
    }
}
