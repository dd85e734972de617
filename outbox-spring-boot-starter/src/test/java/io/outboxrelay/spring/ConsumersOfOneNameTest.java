package io.outboxrelay.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.ConnectionFactory;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.IdempotentConsumer.State;
import io.outboxrelay.client.Inbox;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.support.StaticListableBeanFactory;
import org.springframework.jdbc.datasource.SimpleDriverDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;

/** Two consumers of one name, for example of two queues, share the inbox's notes. No server is needed. */
class ConsumersOfOneNameTest { // hazard 38

    private final IdempotentConsumer fresh = consumer("billing.orders");
    private final IdempotentConsumer closed = consumer("billing.returns");

    ConsumersOfOneNameTest() {
        closed.close();
    }

    @Test
    void meters_add_them_up() {
        StaticListableBeanFactory beans = new StaticListableBeanFactory(Map.of("fresh", fresh, "closed", closed));
        MeterRegistry meters = new SimpleMeterRegistry();

        new ConsumerMeters(beans.getBeanProvider(IdempotentConsumer.class), null).bindTo(meters);

        assertThat(state(meters, State.NEW)).isEqualTo(1);
        assertThat(state(meters, State.STOPPED)).isEqualTo(1);
        assertThat(state(meters, State.FAILED)).isZero();
        assertThat(meters.get("outbox.consumer.workers").gauge().value()).isEqualTo(2);
        assertThat(meters.find("outbox.consumer.stored").gauges())
                .as("not counted")
                .isEmpty();
    }

    @Test
    void health_shows_the_worst_whatever_their_order() {
        Map<String, Object> worst =
                Map.of("billing", Map.of("state", State.STOPPED, "queue", "billing.returns", "workers", 1));

        assertThat(ConsumersReport.of(List.of(closed, fresh), null).details()).isEqualTo(worst);
        assertThat(ConsumersReport.of(List.of(fresh, closed), null).details()).isEqualTo(worst);
    }

    private static double state(MeterRegistry meters, State state) {
        return meters.get("outbox.consumer.state")
                .tags("consumer", "billing", "state", state.name())
                .gauge()
                .value();
    }

    private static IdempotentConsumer consumer(String queue) {
        SimpleDriverDataSource nowhere =
                new SimpleDriverDataSource(new org.postgresql.Driver(), "jdbc:postgresql://127.0.0.1:1/nowhere");
        return IdempotentConsumer.builder(
                        new ConnectionFactory(), new Inbox(nowhere, new JdbcTransactionManager(nowhere)))
                .name("billing")
                .queue(queue)
                .handler(event -> {})
                .build();
    }
}
