package io.outboxrelay.client;

import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.contract.ContractVersion;
import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.contract.SchemaIdentity;
import io.outboxrelay.schemas.encoding.AvroEventException;
import io.outboxrelay.schemas.encoding.DataSchema;
import io.outboxrelay.schemas.encoding.EventDecoder;
import io.outboxrelay.schemas.encoding.EventEncoder;
import io.outboxrelay.schemas.encoding.SchemaSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Schema;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.specific.SpecificRecord;

/**
 * Makes events of Avro records whose very version is released: it is in the catalogue of contracts. Reads such events
 * into generated classes. Safe for use by many threads.
 *
 * <pre>{@code
 * AvroEvents events = AvroEvents.onClassPath(getClass().getClassLoader());
 * outbox.publish(events.event(orderPlaced).aggregateType("Order").aggregateId(orderId));
 * }</pre>
 *
 * <p>A record that nobody released is an error where the event is made, which a service's test finds; at the relay it
 * would be parked. This class alone needs the modules {@code schemas} and {@code avro} on the class path.
 */
public final class AvroEvents implements PayloadReader {

    /** More schemas than a service writes; beyond it they are looked up again. */
    private static final int MOST_KNOWN = 1_000;

    private final Contracts released;
    private final EventEncoder encoder;
    private final Map<Schema, Released> known = new ConcurrentHashMap<>();
    private final SchemaSource writers;
    private final Map<Class<?>, EventDecoder<?>> decoders = new ConcurrentHashMap<>();

    private record Released(String eventType, String dataSchema) {}

    /**
     * Events in a framing of the caller's choice.
     *
     * @param released the contracts, with all their versions
     * @param encoder how payloads are framed
     */
    public AvroEvents(Contracts released, EventEncoder encoder) {
        this.released = released;
        this.encoder = encoder;
        this.writers = SchemaSource.of(released);
    }

    /**
     * Events in single-object encoding, by the contracts that the class path has under {@code contracts/}.
     *
     * @param classes finds the contracts
     * @return the maker
     * @throws io.outboxrelay.schemas.contract.ContractsException with every fault that the contracts have
     */
    public static AvroEvents onClassPath(ClassLoader classes) {
        return new AvroEvents(Contracts.onClassPath(classes), EventEncoder.singleObject());
    }

    /**
     * Begins the event of a record. Its type is that of the contract, its content type {@code application/avro}, and
     * its header {@code cloudEvents_dataschema} names subject, version and identity of the schema.
     *
     * @param record generated or generic, complete according to its schema
     * @return the next steps name the aggregate; the last one makes the event, without an id
     * @throws IllegalStateException if this very schema is no version of a contract; the message says what to do
     * @throws io.outboxrelay.schemas.encoding.AvroEventException if the record does not fit its schema
     */
    public OutboxEvent.AggregateType<OutboxEvent> event(IndexedRecord record) {
        Released version = released(record.getSchema());
        byte[] payload = encoder.encode(record);
        return aggregateType -> aggregateId -> OutboxEvent.eventType(version.eventType())
                .aggregateType(aggregateType)
                .aggregateId(aggregateId)
                .payload(payload, EventEncoder.CONTENT_TYPE)
                .withHeader(DataSchema.HEADER, version.dataSchema());
    }

    /**
     * Reads an event of any released version into a generated class, whatever version that has.
     *
     * @param type a class that was generated from a contract
     * @throws EventRejectedException if the payload is not a record of a released schema, or cannot be read into the
     *     class
     * @throws IllegalArgumentException if the type is not a generated class
     */
    @Override
    public <T> T read(ReceivedEvent event, Class<T> type) {
        if (!SpecificRecord.class.isAssignableFrom(type)) {
            throw new IllegalArgumentException(type.getName()
                    + " is not a class that was generated from an Avro schema: events of Avro records are read"
                    + " into those");
        }
        try {
            return type.cast(decoders.computeIfAbsent(type, this::decoder).decode(event.payload()));
        } catch (AvroEventException e) {
            throw new EventRejectedException("The payload of " + event + " cannot be used: " + e.getMessage(), e);
        }
    }

    private EventDecoder<?> decoder(Class<?> type) {
        return EventDecoder.of(type.asSubclass(SpecificRecord.class), writers);
    }

    private Released released(Schema schema) {
        Released before = known.get(schema);
        if (before != null) {
            return before;
        }
        ContractVersion version =
                released.bySchema(schema).orElseThrow(() -> new IllegalStateException(unreleased(schema)));
        Contract contract = released.bySubject(version.subject()).orElseThrow();
        DataSchema header = new DataSchema(version.subject(), version.number(), version.identity());
        Released found = new Released(contract.eventType(), header.uri());
        if (known.size() >= MOST_KNOWN) {
            known.clear();
        }
        known.put(schema, found);
        return found;
    }

    private String unreleased(Schema schema) {
        Optional<Contract> alike = released.all().stream()
                .filter(contract -> contract.newest().schema().getFullName().equals(schema.getFullName()))
                .findFirst();
        String who =
                "The schema of %s (%s) is not released: ".formatted(schema.getFullName(), SchemaIdentity.of(schema));
        return alike.map(contract -> who
                        + ("no version of the contract %s is it, whose newest is v%d. Add it as contracts/%s/v%d.avsc,"
                                        + " check it with: schemas check, and generate the class from there")
                                .formatted(
                                        contract.subject(),
                                        contract.newest().number(),
                                        contract.subject(),
                                        contract.newest().number() + 1))
                .orElseGet(() -> who
                        + "no contract has a record of this name. Add it as contracts/SUBJECT/v1.avsc and list"
                        + " the subject in contracts/contracts.yaml, where the class path has it");
    }
}
