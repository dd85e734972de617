package io.outboxrelay.schemas.rule;

import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/** What may become of the symbols of an enum and its default. */
final class EnumRules {

    private EnumRules() {}

    static void symbols(Place place, Notes notes) {
        Schema old = place.old();
        Schema now = place.now();
        List<String> removed = without(old.getEnumSymbols(), now.getEnumSymbols());
        List<String> added = without(now.getEnumSymbols(), old.getEnumSymbols());
        if (!removed.isEmpty() && now.getEnumDefault() == null && place.matters(Readers.NEW)) {
            notes.add(Rule.ENUM_SYMBOL_REMOVED, place, Set.of(Readers.NEW), "Symbols were removed: " + removed + ".");
        }
        if (!added.isEmpty() && old.getEnumDefault() == null && place.matters(Readers.OLD)) {
            String problem =
                    "Symbols were added: " + added + ", and the old version has no default for unknown symbols.";
            notes.add(Rule.ENUM_EXTENDED_WITHOUT_DEFAULT, place, Set.of(Readers.OLD), problem);
        }
        if (place.matters(Readers.NEW)) {
            defaults(place, old.getEnumDefault(), now.getEnumDefault(), notes);
        }
        if (!without(old.getEnumSymbols(), removed).equals(without(now.getEnumSymbols(), added))) {
            notes.add(Rule.ENUM_SYMBOLS_REORDERED, place, "The symbols are in another order.");
        }
    }

    private static void defaults(Place place, @Nullable String was, @Nullable String is, Notes notes) {
        if (was != null && !was.equals(is)) {
            String problem = "The default was " + was + " and is " + Objects.requireNonNullElse(is, "gone") + ".";
            notes.add(Rule.ENUM_DEFAULT_CHANGED, place, Set.of(Readers.NEW), problem);
        }
    }

    private static List<String> without(List<String> all, List<String> some) {
        return all.stream().filter(each -> !some.contains(each)).toList();
    }
}
