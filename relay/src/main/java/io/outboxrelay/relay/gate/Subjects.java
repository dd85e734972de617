package io.outboxrelay.relay.gate;

import java.util.Optional;
import org.apache.avro.Schema;

/** Whoever knows which versions are registered. An exception means that it could not be asked. */
interface Subjects {

    /** Returns a subject as it is now. */
    Subject subject(String name);

    /** Returns the subject that events of these types belong to when they name none. */
    String of(String aggregateType, String eventType);

    /** Finds a schema that is in no version of the event's subject, to be able to say what is wrong with it. */
    Optional<Schema> elsewhere(Evidence evidence);

    /** Does nothing when it can be asked. */
    void check();

    /** Whether an exception of this says that nobody can be told anything, and not only of the one that was asked for. */
    boolean away(RuntimeException failure);
}
