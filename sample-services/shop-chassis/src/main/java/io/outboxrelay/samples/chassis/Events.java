package io.outboxrelay.samples.chassis;

import io.outboxrelay.client.AvroEvents;
import io.outboxrelay.client.Outbox;
import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.encoding.EventDecoder;
import io.outboxrelay.schemas.encoding.SchemaSource;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.specific.SpecificRecord;

/** Events out, by the outbox, and events in, in whatever version they were written. Safe for use by many threads. */
public final class Events {

    private final Outbox outbox;
    private final AvroEvents released;
    private final Contracts contracts;
    private final SchemaSource writers;
    private final ClassLoader classes;
    private final Map<String, EventDecoder<? extends SpecificRecord>> decoders = new ConcurrentHashMap<>();

    Events(Outbox outbox, AvroEvents released, Contracts contracts, ClassLoader classes) {
        this.outbox = outbox;
        this.released = released;
        this.contracts = contracts;
        this.writers = SchemaSource.of(contracts);
        this.classes = classes;
    }

    /**
     * Adds an event to the caller's transaction.
     *
     * @param aggregateType what kind of thing it happened to
     * @param aggregateId which one
     * @param event what happened; its version is one more than that of the aggregate's last event
     * @return the event's id
     * @throws IllegalStateException without a transaction, or if the event's schema is no released version of a contract
     */
    public UUID publish(String aggregateType, String aggregateId, SpecificRecord event) {
        return outbox.publish(released.event(aggregateType, aggregateId, event));
    }

    /**
     * Reads an event into the newest version of its class, whichever version it was written in.
     *
     * @param event as it was received
     * @return the event, empty if its type is in no contract: then it is for others
     * @throws io.outboxrelay.schemas.encoding.AvroEventException if its body is not what its contract says
     */
    public Optional<SpecificRecord> read(ReceivedEvent event) {
        return contracts
                .byEventType(event.type())
                .map(contract -> decoders.computeIfAbsent(event.type(), type -> decoder(contract)))
                .map(decoder -> decoder.decode(event.payload()));
    }

    /**
     * Which event of its aggregate it is.
     *
     * @param event by a contract of the shop, all of which have this field
     * @return from 1
     */
    public static int version(SpecificRecord event) {
        return (Integer) field(event, "version");
    }

    /**
     * When it happened, by the clock of its owner's database.
     *
     * @param event by a contract of the shop, all of which have this field
     * @return to the microsecond
     */
    public static Instant happenedAt(SpecificRecord event) {
        return (Instant) field(event, "happened_at");
    }

    private static Object field(SpecificRecord event, String name) {
        return Objects.requireNonNull(event.get(event.getSchema().getField(name).pos()), name);
    }

    private EventDecoder<? extends SpecificRecord> decoder(Contract contract) {
        String name = contract.newest().schema().getFullName();
        try {
            Class<? extends SpecificRecord> type =
                    Class.forName(name, true, classes).asSubclass(SpecificRecord.class);
            return EventDecoder.of(type, writers);
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(
                    "The contract %s has no class %s on the class path: build shop-contracts again"
                            .formatted(contract.subject(), name),
                    e);
        }
    }
}
