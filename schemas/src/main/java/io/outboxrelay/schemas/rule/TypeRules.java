package io.outboxrelay.schemas.rule;

import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import org.apache.avro.Schema;

/** What may become of a type, and of what it means. */
final class TypeRules {

    private TypeRules() {}

    /** Looks at two types of which one may be readable as the other; returns the readers who fail. */
    static Set<Readers> differentTypes(Place place, Notes notes) {
        Set<Readers> failing = EnumSet.noneOf(Readers.class);
        for (Readers reader : place.readers()) {
            String written = place.written(reader).getType().getName();
            String expected = place.expected(reader).getType().getName();
            if (!Resolution.reads(place, reader)) {
                failing.add(reader);
            } else if (losesDigits(place.expected(reader), place.written(reader))) {
                String problem = written + " is read as " + expected + ", which has fewer digits.";
                notes.add(Rule.DIGITS_LOST, place, Set.of(reader), problem);
            } else if (place.written(reader).getType() == Schema.Type.BYTES) {
                String problem = "Bytes are read as text; what is not UTF-8 is lost without an error.";
                notes.add(Rule.BYTES_READ_AS_TEXT, place, Set.of(reader), problem);
            }
        }
        if (!failing.isEmpty()) {
            String problem =
                    "The type has changed from " + place.old().getType().getName() + " to "
                            + place.now().getType().getName() + ".";
            notes.add(Rule.TYPE_CHANGED, place, failing, problem);
        }
        return failing;
    }

    static void sizes(Place place, Notes notes) {
        int was = place.old().getFixedSize();
        int is = place.now().getFixedSize();
        if (was != is) {
            notes.add(Rule.FIXED_SIZE_CHANGED, place, "The size has changed from " + was + " to " + is + " bytes.");
        }
    }

    static void logicalTypes(Place place, Notes notes) {
        String was = logicalType(place.old());
        String is = logicalType(place.now());
        if (place.readers().isEmpty()) {
            return;
        }
        if (!was.equals(is)) {
            notes.add(Rule.LOGICAL_TYPE_CHANGED, place, "The logical type was " + was + " and is " + is + ".");
        } else if (is.equals("decimal")) {
            digits(Rule.DECIMAL_SCALE_CHANGED, "scale", place, notes);
            digits(Rule.DECIMAL_PRECISION_CHANGED, "precision", place, notes);
        }
    }

    private static boolean losesDigits(Schema expected, Schema written) {
        return switch (expected.getType()) {
            case FLOAT -> written.getType() == Schema.Type.INT || written.getType() == Schema.Type.LONG;
            case DOUBLE -> written.getType() == Schema.Type.LONG;
            default -> false;
        };
    }

    private static String logicalType(Schema schema) {
        return Objects.requireNonNullElse(schema.getProp("logicalType"), "none");
    }

    private static void digits(Rule rule, String attribute, Place place, Notes notes) {
        Object was = Objects.requireNonNullElse(place.old().getObjectProp(attribute), 0);
        Object is = Objects.requireNonNullElse(place.now().getObjectProp(attribute), 0);
        if (!was.equals(is)) {
            notes.add(rule, place, "The " + attribute + " was " + was + " and is " + is + ".");
        }
    }
}
