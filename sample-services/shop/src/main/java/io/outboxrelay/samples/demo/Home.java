package io.outboxrelay.samples.demo;

import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.ServiceDatabase;
import io.outboxrelay.testservers.TestDatabase;
import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * A service's database, with a login for the service and one for the relays. An audit trigger records each event that
 * is written into the outbox, in the same transaction. So committed events are known without asking service or relay.
 */
final class Home implements AutoCloseable {

    private final ServiceDatabase database;
    private final String relayUser;

    /** In an empty database. */
    Home(Service service, TestDatabase empty) {
        this.database = ServiceDatabase.of(service.label(), empty);
        this.relayUser = database.login("_relay");
    }

    TestDatabase database() {
        return database.database();
    }

    String serviceUser() {
        return database.user();
    }

    String relayUser() {
        return relayUser;
    }

    /** Of both users. */
    String password() {
        return database.password();
    }

    boolean isMariaDb() {
        return database().kind().isInnoDb();
    }

    JdbcClient admin() {
        return JdbcClient.create(database().dataSource());
    }

    /** Installs the outbox and the trigger before the service starts, so that no event escapes the audit. */
    void prepare() {
        OutboxSchema.defaults().installOn(database().dataSource());
        (isMariaDb() ? mariaDb() : postgres()).forEach(sql -> admin().sql(sql).update());
    }

    private List<String> postgres() {
        return List.of(
                "GRANT outbox_relay TO " + relayUser,
                "CREATE TABLE audited (event_id uuid PRIMARY KEY, aggregate_type text NOT NULL,"
                        + " event_type text NOT NULL)",
                """
                CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
                BEGIN
                    INSERT INTO audited VALUES (NEW.event_id, NEW.aggregate_type, NEW.event_type)
                    ON CONFLICT DO NOTHING;
                    RETURN NULL;
                END $$
                """,
                "CREATE TRIGGER audit AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION audit()");
    }

    private List<String> mariaDb() {
        String role = database().name() + "_outbox_relay";
        return List.of(
                "GRANT PROCESS ON *.* TO " + relayUser,
                "GRANT `%s` TO %s".formatted(role, relayUser),
                "SET DEFAULT ROLE `%s` FOR %s".formatted(role, relayUser),
                """
                CREATE TABLE audited (event_id binary(16) PRIMARY KEY, aggregate_type varchar(255) NOT NULL,
                    event_type varchar(255) NOT NULL)
                """,
                """
                CREATE TRIGGER audit AFTER INSERT ON outbox FOR EACH ROW
                    INSERT IGNORE INTO audited VALUES (NEW.event_id, NEW.aggregate_type, NEW.event_type)
                """);
    }

    /** For people. */
    String address() {
        return "%s://%s:%s@%s:%d/%s"
                .formatted(
                        isMariaDb() ? "mariadb" : "postgresql",
                        database().user(),
                        database().password(),
                        database().host(),
                        database().port(),
                        database().name());
    }

    /** Drops the database and its logins; a private server can simply be stopped instead. */
    @Override
    public void close() {
        database.close();
    }
}
