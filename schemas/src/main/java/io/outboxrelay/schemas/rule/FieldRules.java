package io.outboxrelay.schemas.rule;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/** What may become of the fields of a record. */
final class FieldRules {

    private static final Set<Readers> OF_OLD = Set.of(Readers.OLD);
    private static final Set<Readers> OF_NEW = Set.of(Readers.NEW);

    private final Place record;
    private final Notes notes;
    private final boolean neighbours;
    private final Consumer<Place> deeper;

    FieldRules(Place record, Notes notes, boolean neighbours, Consumer<Place> deeper) {
        this.record = record;
        this.notes = notes;
        this.neighbours = neighbours;
        this.deeper = deeper;
    }

    void fields() {
        AliasRules.fields(record, notes);
        for (Schema.Field is : record.now().getFields()) {
            Schema.Field was = record.old().getField(is.name());
            if (was != null) {
                field(was, is, record.readers());
            } else if (record.matters(Readers.NEW)) {
                newField(is);
            }
        }
        for (Schema.Field was : record.old().getFields()) {
            if (record.now().getField(was.name()) == null && record.matters(Readers.OLD)) {
                lostField(was);
            }
        }
        List<String> order = common(record.old(), record.now());
        List<String> orderNow = common(record.now(), record.old());
        if (!order.equals(orderNow)) {
            String problem = "The fields are in another order: " + order + " before, " + orderNow + " now.";
            notes.add(Rule.FIELDS_REORDERED, record, problem);
        }
    }

    /** Readers of the new version look for the field under its aliases, and else take its default. */
    private void newField(Schema.Field is) {
        Schema.Field aliased = aliased(is, record.old());
        if (aliased != null) {
            field(aliased, is, OF_NEW);
            return;
        }
        Schema.Field predecessor = neighbours ? Renaming.predecessor(is, record.old(), record.now()) : null;
        FieldPlace place = new FieldPlace(record, predecessor, is);
        if (predecessor != null) {
            String problem = predecessor.name() + " was removed, and " + is.name()
                    + " of the same type is in its place: the value would be lost.";
            notes.add(Rule.FIELD_RENAMED_WITHOUT_ALIAS, place, OF_NEW, problem);
        } else if (!is.hasDefaultValue()) {
            String problem = "Events of the old version do not have the field, and it has no default.";
            notes.add(Rule.FIELD_ADDED_WITHOUT_DEFAULT, place, OF_NEW, problem);
        }
    }

    /** Readers of the old version look for the field under its old aliases, and else take its old default. */
    private void lostField(Schema.Field was) {
        Schema.Field aliased = aliased(was, record.now());
        if (aliased != null) {
            field(was, aliased, OF_OLD);
        } else if (!was.hasDefaultValue()) {
            String problem =
                    "Events of the new version do not have the field, and the old version has no default for it.";
            FieldPlace place = new FieldPlace(record, was, null);
            notes.add(Rule.FIELD_REMOVED_WITHOUT_DEFAULT, place, OF_OLD, problem);
        }
    }

    private void field(Schema.Field was, Schema.Field is, Set<Readers> readers) {
        FieldPlace place = new FieldPlace(record, was, is);
        if (readers.contains(Readers.NEW)) {
            defaults(place, was, is);
            Set<String> gone = NameRules.gone(was.aliases(), is.aliases(), is.name());
            // The name of another field as an alias was of no use.
            gone.removeIf(alias -> record.old().getField(alias) != null);
            if (!gone.isEmpty()) {
                notes.add(Rule.ALIAS_REMOVED, place, OF_NEW, "Aliases were removed: " + gone + ".");
            }
        }
        if (was.order() != is.order()) {
            String problem = "The sort order was " + word(was.order()) + " and is " + word(is.order()) + ".";
            notes.add(Rule.SORT_ORDER_CHANGED, place, readers, problem);
        }
        deeper.accept(new Place(place.path(), was.schema(), is.schema(), readers));
    }

    private void defaults(FieldPlace place, Schema.Field was, Schema.Field is) {
        if (was.hasDefaultValue() && !is.hasDefaultValue()) {
            notes.add(Rule.DEFAULT_REMOVED, place, OF_NEW, "The default was removed.");
        } else if (was.hasDefaultValue() && !DefaultValue.same(was.defaultVal(), is.defaultVal())) {
            notes.add(Rule.DEFAULT_CHANGED, place, OF_NEW, "The default has changed.");
        }
    }

    private static Schema.@Nullable Field aliased(Schema.Field field, Schema other) {
        return field.aliases().stream()
                .map(other::getField)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    /** The names of a record's fields that the other record has as well, in order. */
    private static List<String> common(Schema record, Schema other) {
        return record.getFields().stream()
                .map(Schema.Field::name)
                .filter(name -> other.getField(name) != null)
                .toList();
    }

    private static String word(Schema.Field.Order order) {
        return order.name().toLowerCase(Locale.ROOT);
    }
}
