package io.outboxrelay.schemas.rule;

import java.util.EnumSet;
import java.util.Set;
import org.apache.avro.Schema;

/**
 * A place in both versions.
 *
 * @param path inside the schema
 * @param old what stood there
 * @param now what stands there
 * @param readers who must be able to read what the other version wrote there
 */
record Place(String path, Schema old, Schema now, Set<Readers> readers) {

    Place below(String step, Schema was, Schema is) {
        return new Place(path + step, was, is, readers);
    }

    /** The same place for those who are not among these. */
    Place without(Set<Readers> some) {
        Set<Readers> rest = EnumSet.noneOf(Readers.class);
        rest.addAll(readers);
        rest.removeAll(some);
        return new Place(path, old, now, rest);
    }

    boolean matters(Readers reader) {
        return readers.contains(reader);
    }

    /** What a reader expects. */
    Schema expected(Readers reader) {
        return reader == Readers.NEW ? now : old;
    }

    /** What the other version has written. */
    Schema written(Readers reader) {
        return reader == Readers.NEW ? old : now;
    }
}
