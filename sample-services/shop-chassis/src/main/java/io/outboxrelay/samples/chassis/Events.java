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

/** Publishes events through the outbox, and decodes events of any version. Safe for use by many threads. */
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
     * @param aggregateType type of the aggregate
     * @param aggregateId id of the aggregate
     * @param event what happened; its version is one more than that of the aggregate's last event
     * @return the event's id
     * @throws IllegalStateException without a transaction, or if the event's schema is not a released version of a
     *     contract
     */
    public UUID publish(String aggregateType, String aggregateId, SpecificRecord event) {
        return outbox.publish(released.event(event).aggregateType(aggregateType).aggregateId(aggregateId));
    }

    /**
     * Reads an event into the newest version of its class, whichever version it was written in.
     *
     * @param event as it was received
     * @return the event; empty if no contract has its type, so that it is meant for others
     * @throws io.outboxrelay.schemas.encoding.AvroEventException if its payload does not match its contract
     */
    public Optional<SpecificRecord> read(ReceivedEvent event) {
        return contracts
                .byEventType(event.type())
                .map(contract -> decoders.computeIfAbsent(event.type(), type -> decoder(contract)))
                .map(decoder -> decoder.decode(event.payload()));
    }

    /**
     * The event's number within its aggregate.
     *
     * @param event by a contract of the shop, all of which have this field
     * @return from 1
     */
    public static int version(SpecificRecord event) {
        return (Integer) field(event, "version");
    }

    /**
     * The event's time, by the clock of its owner's database.
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
                    "The contract %s has no class %s on the class path: rebuild shop-contracts"
                            .formatted(contract.subject(), name),
                    e);
        }
    }
}
