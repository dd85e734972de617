package io.outboxrelay.schemas.rule;

import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.Set;
import org.apache.avro.Schema;

/** What may become of the name of a record, an enum or a fixed type, and of aliases. */
final class NameRules {

    private NameRules() {}

    static void names(Place place, Notes notes) {
        Schema old = place.old();
        Schema now = place.now();
        Set<Readers> failing = EnumSet.noneOf(Readers.class);
        if (!old.getFullName().equals(now.getFullName())) {
            failing.addAll(place.readers());
            failing.removeIf(reader -> place.expected(reader)
                    .getAliases()
                    .contains(place.written(reader).getFullName()));
        }
        if (!failing.isEmpty()) {
            boolean moved = old.getName().equals(now.getName());
            Rule rule = moved ? Rule.NAMESPACE_MOVED : Rule.TYPE_RENAMED_WITHOUT_ALIAS;
            notes.add(rule, place, failing, old.getFullName() + " is " + now.getFullName() + " now.");
        }
        Set<String> gone = gone(old.getAliases(), now.getAliases(), now.getFullName());
        if (!gone.isEmpty() && place.matters(Readers.NEW)) {
            notes.add(Rule.ALIAS_REMOVED, place, Set.of(Readers.NEW), "Aliases were removed: " + gone + ".");
        }
    }

    /** The aliases that there are no more, unless the name itself is one of them again. */
    static Set<String> gone(Collection<String> was, Collection<String> is, String name) {
        Set<String> gone = new LinkedHashSet<>(was);
        gone.removeAll(is);
        gone.remove(name);
        return gone;
    }
}
