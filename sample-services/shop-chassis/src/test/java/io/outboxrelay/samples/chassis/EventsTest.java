package io.outboxrelay.samples.chassis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.client.AvroEvents;
import io.outboxrelay.client.Outbox;
import io.outboxrelay.samples.contracts.CustomerRegistered;
import io.outboxrelay.samples.contracts.OrdersHeartbeat;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.encoding.AvroEventException;
import io.outboxrelay.schemas.encoding.EventEncoder;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.time.Instant;
import javax.sql.DataSource;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

@Tag("server")
class EventsTest {

    private final ClassLoader classes = EventsTest.class.getClassLoader();
    private final Contracts contracts = Contracts.onClassPath(classes);
    private final Events events = new Events(
            new Outbox(new DriverManagerDataSource(), "public"), AvroEvents.onClassPath(classes), contracts, classes);

    @Test
    void an_event_of_the_first_version_is_read_into_the_newest_class() {
        Schema first = contracts
                .bySubject("customers.customer-registered")
                .orElseThrow()
                .version(1)
                .orElseThrow()
                .schema();
        GenericRecord written = new GenericData.Record(first);
        written.put("customer_id", "c1");
        written.put("version", 1);
        written.put("name", "Anna");
        written.put("email", "anna@shop.example");
        written.put("region", "NORTH");
        written.put("credit_limit_cents", 100_00L);
        written.put("happened_at", 1_700_000_000_000_000L);

        CustomerRegistered read = (CustomerRegistered) events.read(Received.event(
                        "CustomerRegistered", EventEncoder.singleObject().encode(written)))
                .orElseThrow();

        assertThat(read.getName()).isEqualTo("Anna");
        assertThat(read.getCountry()).isNull();
        assertThat(Events.version(read)).isEqualTo(1);
        assertThat(Events.happenedAt(read)).isEqualTo(Instant.ofEpochSecond(1_700_000_000));
    }

    @Test
    void a_type_without_a_contract_is_ignored() {
        assertThat(events.read(Received.event("MoonRose", new byte[] {1}))).isEmpty();
    }

    @Test
    void a_payload_that_does_not_match_its_contract_is_an_error() {
        assertThatThrownBy(() -> events.read(Received.event("OrdersHeartbeat", new byte[] {1})))
                .isInstanceOf(AvroEventException.class);
    }

    @Test
    void publishing_outside_of_a_transaction_is_refused_and_inside_names_the_version_of_the_contract() {
        try (TestDatabase database = DatabaseKind.POSTGRESQL.newDatabase()) {
            DataSource source = database.dataSource();
            OutboxSchema.defaults().installOn(source);
            JdbcTransactionManager transactions = new JdbcTransactionManager(source);
            Events published =
                    new Events(new Outbox(source, transactions), AvroEvents.onClassPath(classes), contracts, classes);
            OrdersHeartbeat beat = new OrdersHeartbeat(1, Instant.EPOCH);

            assertThatThrownBy(() -> published.publish("heartbeat", "orders", beat))
                    .isInstanceOf(IllegalStateException.class);
            new TransactionTemplate(transactions)
                    .executeWithoutResult(status -> published.publish("heartbeat", "orders", beat));

            assertThat(JdbcClient.create(source)
                            .sql("SELECT headers ->> 'cloudEvents_dataschema' FROM outbox")
                            .query(String.class)
                            .single())
                    .contains("orders.heartbeat");
        }
    }
}
