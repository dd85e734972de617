package io.outboxrelay.schemas.rule;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiPredicate;
import org.apache.avro.Schema;

/**
 * Finds out which branch of an old union became which of the new one: first those of the same name, then those of the
 * same simple name or with an alias, then the one record, enum or fixed type that is left on both sides, which was
 * renamed. What is left then is read, by each sort of readers, as the first branch that it can be read as; where there
 * is none, but one that could be read the other way round, the type has changed. A type that is no union is a union of
 * one.
 */
final class UnionBranches {

    private final Map<Pair, Set<Readers>> pairs = new LinkedHashMap<>();
    private final List<Schema> removed;
    private final List<Schema> added;

    UnionBranches(Place place) {
        removed = new ArrayList<>(branches(place.old()));
        added = new ArrayList<>(branches(place.now()));
        pair(place, (was, is) -> was.getFullName().equals(is.getFullName()));
        pair(place, UnionBranches::isRelated);
        pair(
                place,
                (was, is) ->
                        isLastOfItsKind(was, removed) && isLastOfItsKind(is, added) && was.getType() == is.getType());
        promote(place);
    }

    /** A branch as it was and as it is. */
    record Pair(Schema old, Schema now) {}

    /** The pairs, and who reads one of them as the other. */
    Map<Pair, Set<Readers>> pairs() {
        return pairs;
    }

    /** What readers of the new version can read as nothing. */
    List<Schema> removed() {
        return removed;
    }

    /** What readers of the old version can read as nothing. */
    List<Schema> added() {
        return added;
    }

    /** Whether there is a choice, beyond that between something and nothing. */
    static boolean isChoice(Schema schema) {
        return branches(schema).stream()
                        .filter(branch -> branch.getType() != Schema.Type.NULL)
                        .count()
                > 1;
    }

    private static List<Schema> branches(Schema schema) {
        return schema.getType() == Schema.Type.UNION ? schema.getTypes() : List.of(schema);
    }

    private void pair(Place place, BiPredicate<Schema, Schema> same) {
        for (Schema is : List.copyOf(added)) {
            removed.stream().filter(was -> same.test(was, is)).findFirst().ifPresent(was -> {
                pairs.put(new Pair(was, is), EnumSet.copyOf(place.readers()));
                removed.remove(was);
                added.remove(is);
            });
        }
    }

    private void promote(Place place) {
        List<Schema> left = List.copyOf(removed);
        if (place.matters(Readers.NEW)) {
            removed.removeIf(was -> readAs(was, branches(place.now()), added)
                    .map(is -> promoted(new Pair(was, is), Readers.NEW))
                    .isPresent());
        }
        if (place.matters(Readers.OLD)) {
            added.removeIf(is -> readAs(is, branches(place.old()), left)
                    .map(was -> promoted(new Pair(was, is), Readers.OLD))
                    .isPresent());
        }
    }

    private boolean promoted(Pair pair, Readers reader) {
        return pairs.computeIfAbsent(pair, same -> EnumSet.noneOf(Readers.class))
                .add(reader);
    }

    private static Optional<Schema> readAs(Schema written, List<Schema> expected, List<Schema> left) {
        return expected.stream()
                .filter(branch -> Resolution.reads(branch, written))
                .findFirst()
                .or(() -> left.stream()
                        .filter(branch -> Resolution.reads(written, branch))
                        .findFirst());
    }

    private static boolean isRelated(Schema was, Schema is) {
        return isNamed(is)
                && was.getType() == is.getType()
                && (was.getName().equals(is.getName())
                        || is.getAliases().contains(was.getFullName())
                        || was.getAliases().contains(is.getFullName()));
    }

    private static boolean isLastOfItsKind(Schema branch, List<Schema> left) {
        return isNamed(branch)
                && left.stream()
                                .filter(each -> each.getType() == branch.getType())
                                .count()
                        == 1;
    }

    private static boolean isNamed(Schema schema) {
        return switch (schema.getType()) {
            case RECORD, ENUM, FIXED -> true;
            default -> false;
        };
    }
}
