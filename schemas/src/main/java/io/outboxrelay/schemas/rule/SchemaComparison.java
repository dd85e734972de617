package io.outboxrelay.schemas.rule;

import io.outboxrelay.schemas.contract.Compatibility;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.avro.Schema;

/**
 * Compares two versions of a schema, for the readers that a compatibility promises something to. The rules of
 * resolution follow the <a href="https://avro.apache.org/docs/1.12.0/specification/#schema-resolution">specification of
 * Avro</a>; whatever Avro's own check refuses is refused here as well.
 */
public final class SchemaComparison {

    private final Notes notes;
    private final boolean neighbours;
    private final Set<List<String>> seen = new HashSet<>();

    private SchemaComparison(Notes notes, boolean neighbours) {
        this.notes = notes;
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
        return compare(before, after, compatibility, true);
    }

    /**
     * Compares a version with one that is further back. What looks like a new name for an old field is not taken for
     * one here: the versions between have decided that.
     *
     * @param before a version long before
     * @param after the new version
     * @param compatibility which readers must be able to read what the other version wrote
     * @return what breaks it, in the order of the new version; empty if all is well
     */
    public static List<Finding> compareFar(ComparedVersion before, ComparedVersion after, Compatibility compatibility) {
        return compare(before, after, compatibility, false);
    }

    private static List<Finding> compare(
            ComparedVersion before, ComparedVersion after, Compatibility compatibility, boolean neighbours) {
        Set<Readers> readers = EnumSet.noneOf(Readers.class);
        if (compatibility.newReadsOld()) {
            readers.add(Readers.NEW);
        }
        if (compatibility.oldReadsNew()) {
            readers.add(Readers.OLD);
        }
        Place top = new Place(after.schema().getName(), before.schema(), after.schema(), readers);
        Notes notes = new Notes(before, after);
        new SchemaComparison(notes, neighbours).walk(top);
        readers.forEach(reader -> askAvroAsWell(top, reader, notes));
        return notes.findings();
    }

    /** Nobody may be told that all is well when Avro would fail. */
    private static void askAvroAsWell(Place top, Readers reader, Notes notes) {
        boolean known = notes.findings().stream()
                .anyMatch(finding -> finding.isError() && finding.failing().contains(reader));
        if (!known && !Resolution.reads(top, reader)) {
            notes.add(Rule.TYPE_CHANGED, top, Set.of(reader), Resolution.problem(top, reader));
        }
    }

    private void walk(Place place) {
        Schema.Type was = place.old().getType();
        Schema.Type is = place.now().getType();
        if (place.readers().isEmpty()) {
            return;
        }
        if (was == Schema.Type.UNION || is == Schema.Type.UNION) {
            unions(place);
        } else if (was != is) {
            TypeRules.logicalTypes(place.without(TypeRules.differentTypes(place, notes)), notes);
        } else {
            sameType(place, is);
            TypeRules.logicalTypes(place, notes);
        }
    }

    private void sameType(Place place, Schema.Type type) {
        switch (type) {
            case RECORD -> record(place);
            case ENUM -> {
                NameRules.names(place, notes);
                EnumRules.symbols(place, notes);
            }
            case FIXED -> {
                NameRules.names(place, notes);
                TypeRules.sizes(place, notes);
            }
            case ARRAY ->
                walk(place.below("[]", place.old().getElementType(), place.now().getElementType()));
            case MAP ->
                walk(place.below("{}", place.old().getValueType(), place.now().getValueType()));
            default -> {
                // The same primitive type.
            }
        }
    }

    private void record(Place place) {
        List<String> pair = List.of(
                place.old().getFullName(),
                place.now().getFullName(),
                place.readers().toString());
        if (seen.add(pair)) {
            NameRules.names(place, notes);
            new FieldRules(place, notes, neighbours, this::walk).fields();
        }
    }

    private void unions(Place place) {
        UnionBranches branches = new UnionBranches(place);
        branches.pairs().forEach((pair, readers) -> {
            String step = UnionBranches.isChoice(place.now()) ? "(" + pair.now().getName() + ")" : "";
            walk(new Place(place.path() + step, pair.old(), pair.now(), readers));
        });
        for (Schema branch : branches.removed()) {
            if (place.matters(Readers.NEW)) {
                String problem = branch.getFullName() + " is not among the types any more.";
                notes.add(Rule.UNION_BRANCH_REMOVED, place, Set.of(Readers.NEW), problem);
            }
        }
        for (Schema branch : branches.added()) {
            if (place.matters(Readers.OLD)) {
                String problem = branch.getFullName() + " is new among the types.";
                notes.add(Rule.UNION_BRANCH_ADDED, place, Set.of(Readers.OLD), problem);
            }
        }
    }
}
