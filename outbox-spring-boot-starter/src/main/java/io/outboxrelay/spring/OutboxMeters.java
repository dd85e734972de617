package io.outboxrelay.spring;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.outboxrelay.client.Backlog;
import io.outboxrelay.client.Outbox;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Backlog and lag of the outbox, as of the last {@link Look}. {@code NaN} means that they are not known. */
final class OutboxMeters implements MeterBinder, AutoCloseable {

    private final Look<Backlog> look;

    OutboxMeters(Outbox outbox, Duration every) {
        this.look = new Look<>(
                "outbox-meters",
                outbox::backlog,
                every,
                "The backlog of the outbox is not measured here, because the database user may not read the table."
                        + " The relay measures it. To measure it here too, grant SELECT on the outbox");
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        Gauge.builder("outbox.backlog.events", this, OutboxMeters::events)
                .description("Events that are not yet published, without those that failed; at most 10,000 are counted")
                .register(registry);
        TimeGauge.builder("outbox.lag", this, TimeUnit.MILLISECONDS, OutboxMeters::lagMillis)
                .description("Age of the oldest event that is not yet published, without those that failed")
                .register(registry);
        look.start();
    }

    private double events() {
        Backlog backlog = look.last();
        return backlog == null ? Double.NaN : backlog.events();
    }

    private double lagMillis() {
        Backlog backlog = look.last();
        return backlog == null ? Double.NaN : backlog.oldest().toMillis();
    }

    @Override
    public void close() {
        look.close();
    }
}
