package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.contract.SchemaIdentity;
import io.outboxrelay.schemas.encoding.DataSchema;
import io.outboxrelay.schemas.encoding.EventDecoder;
import io.outboxrelay.schemas.encoding.EventEncoder;
import io.outboxrelay.schemas.encoding.SchemaSource;
import io.outboxrelay.testservers.DatabaseKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.IndexedRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("server")
class AvroEventsTest {

    private static final Schema FIRST = parse("{'name':'id','type':'string'}");
    private static final Schema SECOND =
            parse("{'name':'id','type':'string'},{'name':'currency','type':'string','default':'EUR'}");
    private static final Schema UNRELEASED =
            parse("{'name':'id','type':'string'},{'name':'n','type':'int','default':0}");

    @TempDir
    private Path folder;

    private AvroEvents events;

    @BeforeEach
    void release_two_versions() throws IOException {
        Files.createDirectories(folder.resolve("shop.paid"));
        Files.writeString(
                folder.resolve("contracts.yaml"), "owner: shop\nsubjects:\n  shop.paid: {event-type: OrderPaid}\n");
        Files.writeString(folder.resolve("shop.paid/v1.avsc"), FIRST.toString());
        Files.writeString(folder.resolve("shop.paid/v2.avsc"), SECOND.toString());
        events = new AvroEvents(Contracts.read(folder), EventEncoder.singleObject());
    }

    @Test
    void an_event_of_a_released_version_names_its_contract() {
        OutboxEvent event = events.event(paid(SECOND)).aggregateType("Order").aggregateId("4711");

        assertThat(event.eventType()).isEqualTo("OrderPaid");
        assertThat(event.contentType()).isEqualTo("application/avro");
        assertThat(DataSchema.parse(event.headers().get("cloudEvents_dataschema")))
                .contains(new DataSchema("shop.paid", 2, SchemaIdentity.of(SECOND)));
        assertThat(EventDecoder.of(FIRST, SchemaSource.of(SECOND))
                        .decode(event.payload())
                        .get("id"))
                .hasToString("4711");
    }

    @Test
    void an_older_version_that_is_released_may_still_be_written() {
        assertThat(events.event(paid(FIRST))
                        .aggregateType("Order")
                        .aggregateId("4711")
                        .headers()
                        .get("cloudEvents_dataschema"))
                .startsWith("contract:shop.paid/v1#sha256=");
    }

    @Test
    void an_event_of_any_released_version_is_read_into_the_class() {
        ReceivedEvent old = received(events.event(paid(FIRST))
                .aggregateType("Order")
                .aggregateId("4711")
                .payload());

        assertThat(events.read(old, Paid.class).get("currency")).hasToString("EUR");
        assertThatThrownBy(() -> events.read(received(new byte[] {'{', '}'}), Paid.class))
                .isInstanceOf(EventRejectedException.class)
                .hasMessageContaining("OrderPaid of Order 4711")
                .hasMessageContaining("neither single-object encoded");
        assertThatThrownBy(() -> events.read(old, String.class))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("java.lang.String is not a class that was generated");
    }

    private static ReceivedEvent received(byte[] payload) {
        return new ReceivedEvent(
                UUID.randomUUID(), "OrderPaid", "Order", "4711", payload, "application/avro", Map.of(), null, false);
    }

    @Test
    void an_unreleased_version_is_an_error_that_says_what_to_do() {
        assertThatThrownBy(() ->
                        events.event(paid(UNRELEASED)).aggregateType("Order").aggregateId("4711"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("shop.Paid")
                .hasMessageContaining("contract shop.paid is it, whose newest is v2")
                .hasMessageContaining("contracts/shop.paid/v3.avsc");
    }

    @Test
    void a_record_of_which_there_is_no_contract_is_an_error_that_says_what_to_do() {
        Schema other = new Schema.Parser()
                .parse("{\"type\":\"record\",\"name\":\"Sent\",\"namespace\":\"shop\",\"fields\":[]}");

        assertThatThrownBy(() -> events.event(new GenericData.Record(other))
                        .aggregateType("Order")
                        .aggregateId("4711"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no contract has a record of this name")
                .hasMessageContaining("contracts.yaml");
    }

    @Test
    void it_is_published_in_the_caller_s_transaction_as_any_other() {
        try (ClientDatabase database = new ClientDatabase(DatabaseKind.POSTGRESQL.newDatabase())) {
            Outbox outbox = database.outbox();

            UUID id = database.transaction.execute(status -> outbox.publish(
                    events.event(paid(SECOND)).aggregateType("Order").aggregateId("4711")));

            assertThat(id).isNotNull();
            assertThat(database.jdbc.queryForObject(
                            "SELECT content_type || ' ' || (headers ->> 'cloudEvents_dataschema') FROM outbox",
                            String.class))
                    .isEqualTo("application/avro " + new DataSchema("shop.paid", 2, SchemaIdentity.of(SECOND)).uri());
        }
    }

    private static IndexedRecord paid(Schema schema) {
        GenericData.Record record = new GenericData.Record(schema);
        schema.getFields()
                .forEach(field ->
                        record.put(field.pos(), field.schema().getType() == Schema.Type.INT ? (Object) 1 : "4711"));
        return record;
    }

    private static Schema parse(String fields) {
        return new Schema.Parser()
                .parse("{'type':'record','name':'Paid','namespace':'shop','fields':[%s]}"
                        .formatted(fields)
                        .replace('\'', '"'));
    }
}
