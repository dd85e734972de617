package io.outboxrelay.schemas.rule;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;
import org.apache.avro.Schema;

/**
 * Finds out which branch of an old union became which of the new one: first those of the same name, then those of the
 * same simple name or with an alias, then the one record, enum or fixed type that is left on both sides, which was
 * renamed, and last those of which one can be read as the other. A type that is no union is a union of one.
 */
final class UnionBranches {

    private final List<Pair> pairs = new ArrayList<>();
    private final List<Schema> removed;
    private final List<Schema> added;

    UnionBranches(Schema old, Schema now) {
        removed = new ArrayList<>(branches(old));
        added = new ArrayList<>(branches(now));
        pair((was, is) -> was.getFullName().equals(is.getFullName()));
        pair(UnionBranches::isRelated);
        pair((was, is) -> isLastOfItsKind(was, removed) && isLastOfItsKind(is, added) && was.getType() == is.getType());
        pair((was, is) -> Resolution.reads(is, was) || Resolution.reads(was, is));
    }

    /** A branch as it was and as it is. */
    record Pair(Schema old, Schema now) {}

    List<Pair> pairs() {
        return pairs;
    }

    List<Schema> removed() {
        return removed;
    }

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

    private void pair(BiPredicate<Schema, Schema> same) {
        for (Schema is : List.copyOf(added)) {
            removed.stream().filter(was -> same.test(was, is)).findFirst().ifPresent(was -> {
                pairs.add(new Pair(was, is));
                removed.remove(was);
                added.remove(is);
            });
        }
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
