package io.outboxrelay.schemas.rule;

import static io.outboxrelay.schemas.rule.Severity.ERROR;
import static io.outboxrelay.schemas.rule.Severity.WARNING;

import java.util.Locale;

/** All that is looked at. The ids are stable; each has a section in {@code docs/schema-rules.md}. */
public enum Rule {
    TYPE_CHANGED(
            ERROR,
            "Keep the type. For another one add a second field beside the first, and take the first out when nobody"
                    + " reads it any more."),
    FIELD_ADDED_WITHOUT_DEFAULT(ERROR, "Give the new field a default; null, where \"not known\" is the truth."),
    FIELD_REMOVED_WITHOUT_DEFAULT(
            ERROR,
            "Keep the field. To be able to take it out one day, release a version first that gives it a default."),
    FIELD_RENAMED_WITHOUT_ALIAS(
            ERROR,
            "Give the field its old name as an alias. If it is another field: take the old one out in one version and"
                    + " add the new one in the next."),
    TYPE_RENAMED_WITHOUT_ALIAS(
            ERROR,
            "Keep the name. Readers of the new version would be helped by an alias, readers of the old one by nothing."),
    NAMESPACE_MOVED(
            ERROR,
            "Keep the namespace. Readers of the new version would be helped by the old full name as an alias, readers of"
                    + " the old one by nothing."),
    ALIAS_REMOVED(ERROR, "Keep the alias: events under the old name may still be stored, parked or replayed."),
    ALIAS_AMBIGUOUS(
            ERROR,
            "Take the alias away, or give it to one field only: what was written can become only one field, and a field"
                    + " can have only one value."),
    UNION_BRANCH_ADDED(
            ERROR,
            "Readers of the old version do not know the branch. Put what is new into another field, with a default."),
    UNION_BRANCH_REMOVED(ERROR, "Keep the branch: events written with it still exist."),
    ENUM_EXTENDED_WITHOUT_DEFAULT(
            ERROR,
            "Readers of the old version have nothing to fall back on. Release a version first that gives the enum a"
                    + " \"default\" symbol such as UNKNOWN, and add symbols in the next."),
    ENUM_SYMBOL_REMOVED(ERROR, "Keep the symbol, or give the enum a \"default\" that stands for what it meant."),
    ENUM_DEFAULT_CHANGED(ERROR, "Keep the enum's default: symbols that are not known would be read as something else."),
    FIXED_SIZE_CHANGED(ERROR, "Keep the size. For another one add a field of another fixed type, or of bytes."),
    DEFAULT_CHANGED(
            ERROR,
            "Keep the default: one and the same old event would mean one thing to readers of the old version and another"
                    + " to readers of the new one."),
    DEFAULT_REMOVED(ERROR, "Keep the default: events from before the field was there could not be read any more."),
    LOGICAL_TYPE_CHANGED(
            ERROR,
            "Keep the logical type. For another unit or meaning add a second field, and name it after its unit."),
    DECIMAL_SCALE_CHANGED(ERROR, "Keep the scale: the digits stay and the point moves. Add a second field instead."),
    DECIMAL_PRECISION_CHANGED(
            ERROR, "Keep the precision, which must match for decimals to match. Add a second field instead."),
    SORT_ORDER_CHANGED(ERROR, "Keep \"order\": who sorts or compares records gets another result."),
    FIELDS_REORDERED(
            WARNING,
            "Put fields back into their places and new ones at the end: records are sorted by their fields in order."),
    ENUM_SYMBOLS_REORDERED(
            WARNING, "Put symbols back into their places and new ones at the end: enums are sorted in order."),
    DIGITS_LOST(WARNING, "Keep the type, or be sure that the numbers stay below 2^24 (float) or 2^53 (double)."),
    BYTES_READ_AS_TEXT(WARNING, "Keep the type, or be sure that all bytes ever written are UTF-8 text."),

    RELEASED_VERSION_CHANGED(ERROR, "Put the file back as it was released, and write the change into a new version."),
    RELEASED_VERSION_REMOVED(ERROR, "Put the file back: events that were written with it still exist."),
    EVENT_TYPE_CHANGED(
            ERROR, "Put the event type back: consumers tell events apart by it. A new one is a new subject."),
    COMPATIBILITY_WEAKENED(WARNING, "Talk to the consumers: they were promised more."),

    CONTRACT_UNREADABLE(ERROR, "Mend what the message names."),
    DOC_MISSING(
            ERROR, "Say in \"doc\" what it is, in which unit, and when it is absent. Words may be mended at any time."),
    NAMESPACE_MISSING(ERROR, "Give the record a \"namespace\", which becomes the package of the generated class."),
    NAMES_ALIKE(ERROR, "Choose names that differ in more than case and underscores."),
    LOGICAL_TYPE_IGNORED(
            ERROR, "Mend the logical type: as it stands, Avro passes over it and everybody sees the bare type."),
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
