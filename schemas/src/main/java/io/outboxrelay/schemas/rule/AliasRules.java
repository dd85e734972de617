package io.outboxrelay.schemas.rule;

import java.util.List;
import java.util.Set;
import org.apache.avro.Schema;

/**
 * Aliases of a reader's fields must say of each written field which one it is. Before it decodes, Avro gives written
 * fields the names that the reader has for them: where two fields want one, one of them gets nothing, and where one
 * field wants two, decoding fails.
 */
final class AliasRules {

    private AliasRules() {}

    static void fields(Place record, Notes notes) {
        for (Readers reader : record.readers()) {
            Schema expected = record.expected(reader);
            Schema written = record.written(reader);
            for (Schema.Field field : expected.getFields()) {
                List<String> ambiguous = field.aliases().stream()
                        .filter(alias -> isAmbiguous(alias, field, expected, written))
                        .sorted()
                        .toList();
                if (!ambiguous.isEmpty()) {
                    note(record, reader, field, ambiguous, notes);
                }
            }
        }
    }

    private static boolean isAmbiguous(String alias, Schema.Field field, Schema expected, Schema written) {
        if (written.getField(alias) == null) {
            return false;
        }
        boolean others = expected.getFields().stream()
                .anyMatch(other -> other.pos() != field.pos()
                        && (other.name().equals(alias) || other.aliases().contains(alias)));
        return others || candidates(field, written) > 1;
    }

    /** As Avro counts: a field whose alias is its own name is two. */
    private static long candidates(Schema.Field field, Schema written) {
        long byAlias = field.aliases().stream()
                .filter(alias -> written.getField(alias) != null)
                .count();
        return byAlias + (written.getField(field.name()) == null ? 0 : 1);
    }

    private static void note(Place record, Readers reader, Schema.Field field, List<String> ambiguous, Notes notes) {
        Schema.Field other = record.written(reader).getField(ambiguous.get(0));
        FieldPlace place =
                reader == Readers.NEW ? new FieldPlace(record, other, field) : new FieldPlace(record, field, other);
        String problem =
                "Readers of the " + (reader == Readers.NEW ? "new" : "old") + " version can read what was written as "
                        + String.join(" and ", ambiguous) + " as " + field.name()
                        + ", but this is not the only match.";
        notes.add(Rule.ALIAS_AMBIGUOUS, place, Set.of(reader), problem);
    }
}
