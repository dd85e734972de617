package io.outboxrelay.samples.chassis;

import java.time.Duration;
import java.util.function.Function;
import org.apache.avro.specific.SpecificRecord;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/** Creates the heartbeat of a service; the service declares it as a bean. */
public final class Heartbeats {

    private final Events events;
    private final JdbcClient database;
    private final TransactionTemplate transaction;
    private final Duration interval;

    Heartbeats(Events events, JdbcClient database, TransactionTemplate transaction, Duration interval) {
        this.events = events;
        this.database = database;
        this.transaction = transaction;
        this.interval = interval;
    }

    /**
     * A heartbeat, which Spring starts and stops.
     *
     * @param service the name of the service, which becomes the id of the aggregate {@code heartbeat}
     * @param event creates the service's event from a heartbeat
     * @return to be declared as a bean
     */
    public Heartbeat of(String service, Function<Heartbeat.Beat, SpecificRecord> event) {
        return new Heartbeat(service, event, events, database, transaction, interval);
    }
}
