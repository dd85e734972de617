package io.outboxrelay.schemas.rule;

import io.outboxrelay.schemas.contract.SchemaIdentity;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/**
 * Tells a field that got a new name from one that is new: the old name is gone, and in the same place, behind the same
 * field, stands one of the same type.
 */
final class Renaming {

    private Renaming() {}

    static Schema.@Nullable Field predecessor(Schema.Field field, Schema old, Schema now) {
        Place place = place(field, now, old);
        return old.getFields().stream()
                .filter(gone -> now.getField(gone.name()) == null)
                .filter(gone -> !isAlias(gone.name(), now))
                .filter(gone -> place(gone, old, now).equals(place))
                .filter(gone -> SchemaIdentity.of(gone.schema()).equals(SchemaIdentity.of(field.schema())))
                .findFirst()
                .orElse(null);
    }

    private static boolean isAlias(String name, Schema record) {
        return record.getFields().stream().anyMatch(field -> field.aliases().contains(name));
    }

    /** How many fields of both records stand before a field, and how many of its own record alone since the last. */
    private record Place(int common, int own) {}

    private static Place place(Schema.Field field, Schema record, Schema other) {
        int common = 0;
        int own = 0;
        for (Schema.Field earlier : record.getFields().subList(0, field.pos())) {
            boolean stays = other.getField(earlier.name()) != null;
            common += stays ? 1 : 0;
            own = stays ? 0 : own + 1;
        }
        return new Place(common, own);
    }
}
