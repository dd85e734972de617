package io.outboxrelay.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.ConnectionFactory;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.client.StoredCounts;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.amqp.rabbit.connection.CachingConnectionFactory;
import org.springframework.amqp.rabbit.connection.SimpleRoutingConnectionFactory;
import org.springframework.boot.amqp.autoconfigure.RabbitAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@Tag("server")
class ConsumerAutoConfigurationTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final String NOBODY = "amqp://guest:guest@127.0.0.1:1/nowhere";

    private TestDatabase database;
    private TestVirtualHost broker;
    private ApplicationContextRunner application;

    @BeforeEach
    void create_an_inbox_and_a_virtual_host() {
        database = Servers.postgres().newDatabase();
        OutboxSchema.install(database.dataSource());
        broker = Servers.rabbitmq().newVirtualHost();
        application = new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        DataSourceAutoConfiguration.class,
                        DataSourceTransactionManagerAutoConfiguration.class,
                        OutboxAutoConfiguration.class,
                        ConsumerAutoConfiguration.class,
                        MetersAutoConfiguration.class))
                .withPropertyValues(
                        "spring.datasource.url=" + database.jdbcUrl(),
                        "spring.datasource.username=" + database.user(),
                        "spring.datasource.password=" + database.password());
    }

    @AfterEach
    void drop_both() {
        broker.close();
        database.close();
    }

    @Test
    void a_consumer_built_from_the_properties_runs_with_the_application_and_handles_every_event_once() {
        List<IdempotentConsumer> stopped = new CopyOnWriteArrayList<>();
        application
                .withUserConfiguration(Billing.class)
                .withPropertyValues(
                        "outbox.consumer.uri=" + broker.amqpUri(),
                        "outbox.metrics.backlog=true",
                        "outbox.consumer.attempts=2",
                        "outbox.consumer.first-backoff=1ms",
                        "outbox.consumer.longest-backoff=2ms")
                .run(context -> {
                    IdempotentConsumer consumer = consuming(context);
                    UUID poison = UUID.randomUUID();
                    UUID event = UUID.randomUUID();

                    deliver(poison, "poison");
                    deliver(event, "order");
                    deliver(event, "order");

                    await().atMost(PATIENCE).until(() -> consumer.duplicatesDropped() == 1);
                    assertThat(context.getBean(Handled.class).events)
                            .extracting(ReceivedEvent::id)
                            .containsExactlyInAnyOrder(poison, poison, event);
                    assertThat(consumer.parked()).isOne();
                    assertThat(consumer.deadLettered()).isZero();
                    assertMeters(context);
                    stopped.add(consumer);
                });
        assertThat(stopped)
                .singleElement()
                .extracting(IdempotentConsumer::state)
                .isEqualTo(IdempotentConsumer.State.STOPPED);
    }

    @Test
    void an_event_that_is_given_up_is_a_dead_letter_if_the_application_says_so() {
        application
                .withUserConfiguration(Billing.class)
                .withPropertyValues(
                        "outbox.consumer.uri=" + broker.amqpUri(),
                        "outbox.consumer.on-give-up=dead-letter",
                        "outbox.consumer.attempts=1")
                .run(context -> {
                    IdempotentConsumer consumer = consuming(context);

                    deliver(UUID.randomUUID(), "poison");

                    await().atMost(PATIENCE).until(() -> consumer.deadLettered() == 1);
                    assertThat(consumer.parked()).isZero();
                    assertThat(consumer.stored()).isEqualTo(new StoredCounts(0, 0, 0));
                });
    }

    @Test
    void workers_partitions_and_parked_events_are_seen_and_leave_the_application_healthy() {
        application
                .withUserConfiguration(PartitionedBilling.class)
                .withPropertyValues(
                        "outbox.consumer.uri=" + broker.amqpUri(),
                        "outbox.consumer.concurrency=4",
                        "outbox.consumer.batch=10",
                        "outbox.consumer.prefetch=20",
                        "outbox.consumer.prefetch-bytes=1MB",
                        "outbox.consumer.attempts=1",
                        "outbox.metrics.every=50ms")
                .run(context -> {
                    consuming(context);
                    HealthIndicator health = context.getBean(HealthIndicator.class);
                    MeterRegistry meters = bound(context);

                    deliver(UUID.randomUUID(), "poison");

                    Map<String, Object> seen = Map.of(
                            "state",
                            IdempotentConsumer.State.CONSUMING,
                            "queue",
                            "billing.orders",
                            "workers",
                            4,
                            "partitions",
                            List.of("billing.orders.0", "billing.orders.1"),
                            "parked",
                            1L);
                    await().atMost(PATIENCE)
                            .until(
                                    health::health,
                                    Health.up().withDetail("billing", seen).build()::equals);
                    assertThat(gauge(meters, "workers")).isEqualTo(4);
                    assertThat(gauge(meters, "partitions")).isEqualTo(2);
                    assertThat(stored(meters, "parked")).isEqualTo(1);
                    assertThat(stored(meters, "retrying")).isZero();
                    assertThat(stored(meters, "waiting")).isZero();
                });
    }

    @Test
    void a_consumer_that_waits_for_its_history_is_seen_and_leaves_the_application_healthy() {
        application
                .withUserConfiguration(LateBilling.class)
                .withPropertyValues("outbox.consumer.uri=" + broker.amqpUri(), "outbox.metrics.stored-events=false")
                .run(context -> {
                    IdempotentConsumer consumer = consuming(context);
                    HealthIndicator health = context.getBean(HealthIndicator.class);
                    MeterRegistry meters = bound(context);
                    await().atMost(PATIENCE).until(consumer::isCatchingUp);
                    assertThat(gauge(meters, "catching.up")).isEqualTo(1);
                    assertThat(health.health().getStatus()).isEqualTo(Status.UP);
                    assertThat(health.health().getDetails().get("billing"))
                            .asInstanceOf(InstanceOfAssertFactories.MAP)
                            .containsEntry("catchingUp", true);

                    endHistory();

                    await().atMost(PATIENCE).until(() -> gauge(meters, "catching.up") == 0);
                    assertThat(health.health().getDetails().get("billing"))
                            .asInstanceOf(InstanceOfAssertFactories.MAP)
                            .doesNotContainKey("catchingUp");
                });
    }

    @Test
    @ExtendWith(OutputCaptureExtension.class)
    void a_pool_with_fewer_connections_than_consumers_need_is_reported_with_both_properties(CapturedOutput output) {
        ApplicationContextRunner withWorkers = application
                .withUserConfiguration(Billing.class)
                .withPropertyValues("outbox.consumer.uri=" + NOBODY, "outbox.consumer.concurrency=4");

        withWorkers
                .withPropertyValues("spring.datasource.hikari.maximum-pool-size=6")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(output).doesNotContain("needs a database connection");
                });
        withWorkers
                .withPropertyValues("spring.datasource.hikari.maximum-pool-size=5")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(output)
                            .containsOnlyOnce("needs a database connection")
                            .contains("The consumers [billing] have 4 workers", "the pool has only 5:")
                            .contains("Set spring.datasource.hikari.maximum-pool-size to 6 or more")
                            .contains("or lower outbox.consumer.concurrency");
                });
    }

    @Test
    void a_connection_factory_of_the_application_wins_over_the_address() {
        application
                .withBean(ConnectionFactory.class, broker::connectionFactory)
                .withUserConfiguration(Billing.class)
                .withPropertyValues("outbox.consumer.uri=" + NOBODY)
                .run(context -> assertThat(consuming(context).state()).isEqualTo(IdempotentConsumer.State.CONSUMING));
    }

    @Test
    void the_broker_of_spring_rabbitmq_is_used_when_no_address_is_set() {
        application
                .withConfiguration(AutoConfigurations.of(RabbitAutoConfiguration.class, SslAutoConfiguration.class))
                .withUserConfiguration(Billing.class)
                .withPropertyValues(
                        "spring.rabbitmq.addresses=127.0.0.1:1," + broker.host() + ":" + broker.port(),
                        "spring.rabbitmq.username=" + broker.user(),
                        "spring.rabbitmq.password=" + broker.password(),
                        "spring.rabbitmq.virtual-host=" + broker.name())
                .run(context -> assertThat(consuming(context).state()).isEqualTo(IdempotentConsumer.State.CONSUMING));
    }

    @Test
    void the_address_wins_over_spring_rabbitmq_whose_tls_is_used_too() {
        ApplicationContextRunner withSpringAmqp = application.withConfiguration(
                AutoConfigurations.of(RabbitAutoConfiguration.class, SslAutoConfiguration.class));
        withSpringAmqp
                .withPropertyValues("outbox.consumer.uri=" + broker.amqpUri(), "spring.rabbitmq.host=elsewhere")
                .run(context -> assertThat(
                                context.getBean(ConnectionFactory.class).getHost())
                        .isEqualTo(broker.host()));
        withSpringAmqp
                .withPropertyValues("spring.rabbitmq.host=elsewhere", "spring.rabbitmq.ssl.enabled=true")
                .run(context -> {
                    ConnectionFactory factory = context.getBean(ConnectionFactory.class);
                    assertThat(factory.getHost()).isEqualTo("elsewhere");
                    assertThat(factory.getPort()).isEqualTo(5671);
                    assertThat(factory.isSSL()).isTrue();
                });
    }

    @Test
    void a_factory_of_spring_amqp_may_be_declared_as_the_interface_and_be_of_any_kind() {
        application.withUserConfiguration(OwnFactory.class).run(context -> {
            assertThat(context).hasNotFailed().hasSingleBean(IdempotentConsumers.class);
            assertThat(context.getBean(ConnectionFactory.class).getHost()).isEqualTo("elsewhere");
        });
        application.withUserConfiguration(FactoryOfAnotherKind.class).run(context -> {
            assertThat(context).as("without consumers").hasNotFailed();
            assertThatThrownBy(() -> context.getBean(IdempotentConsumers.class))
                    .hasStackTraceContaining("which does not say where its broker is: set outbox.consumer.uri");
        });
    }

    @Test
    void consumers_are_not_started_if_the_application_says_so() {
        application
                .withUserConfiguration(Billing.class)
                .withPropertyValues("outbox.consumer.uri=" + NOBODY, "outbox.consumer.start=false")
                .run(context -> assertThat(
                                context.getBean(IdempotentConsumer.class).state())
                        .isEqualTo(IdempotentConsumer.State.NEW));
    }

    @Test
    void without_an_address_and_a_connection_factory_there_is_nothing_to_build_consumers_from() {
        application.run(context -> assertThat(context)
                .hasNotFailed()
                .doesNotHaveBean(IdempotentConsumers.class)
                .doesNotHaveBean(ConnectionFactory.class));
    }

    @Test
    void an_amqps_address_means_tls_and_a_wrong_address_is_refused_without_its_password() {
        application
                .withPropertyValues("outbox.consumer.uri=amqps://u:secret@localhost")
                .run(context -> {
                    ConnectionFactory factory = context.getBean(ConnectionFactory.class);
                    assertThat(factory.isSSL()).isTrue();
                    assertThat(factory.getPort()).isEqualTo(5671);
                });
        application
                .withPropertyValues("outbox.consumer.uri=amqp://u:secret@local host")
                .run(context -> assertThat(context)
                        .getFailure()
                        .hasStackTraceContaining("outbox.consumer.uri is not an address")
                        .satisfies(failure -> assertThat(failure).asString().doesNotContain("secret")));
    }

    @Test
    void a_consumer_that_ended_by_an_error_makes_the_application_unhealthy() { // hazard 88
        application
                .withUserConfiguration(Billing.class)
                .withPropertyValues("outbox.consumer.uri=" + broker.amqpUri())
                .run(context -> {
                    IdempotentConsumer consumer = consuming(context);
                    HealthIndicator health = context.getBean(HealthIndicator.class);
                    assertThat(health.health().getStatus()).isEqualTo(Status.UP);

                    deliver(UUID.randomUUID(), "fatal");
                    await().atMost(PATIENCE)
                            .dontCatchUncaughtExceptions()
                            .until(() -> consumer.state() == IdempotentConsumer.State.FAILED);

                    assertThat(health.health().getStatus()).isEqualTo(Status.DOWN);
                    assertThat(health.health().getDetails().get("billing"))
                            .asInstanceOf(InstanceOfAssertFactories.MAP)
                            .containsEntry("state", IdempotentConsumer.State.FAILED)
                            .containsEntry("queue", "billing.orders");
                });
    }

    @Test
    void values_out_of_range_stop_the_start_and_name_the_property() {
        refuses("outbox.consumer.concurrency=0", "outbox.consumer.concurrency must be 1 to 1000, not 0");
        refuses("outbox.consumer.batch=10001", "outbox.consumer.batch must be 1 to 10000, not 10001");
        refuses("outbox.consumer.prefetch-bytes=0B", "outbox.consumer.prefetch-bytes must be at least 1B, not 0B");
        refuses("outbox.consumer.prefetch=65536", "outbox.consumer.prefetch must be 1 to 65535, not 65536");
        refuses("outbox.consumer.attempts=0", "outbox.consumer.attempts must be at least 1, not 0");
        refuses("outbox.consumer.first-backoff=0s", "outbox.consumer.first-backoff must be positive");
        refuses("outbox.consumer.longest-backoff=1ms", "outbox.consumer.longest-backoff is PT0.001S, below");
        refuses("outbox.consumer.patience=-1s", "outbox.consumer.patience must not be negative");
        refuses("outbox.consumer.contention-patience=-1s", "outbox.consumer.contention-patience must not be negative");
        refuses("outbox.consumer.stop-timeout=-1s", "outbox.consumer.stop-timeout must not be negative");
    }

    @Test
    void faults_are_named_together() {
        application
                .withPropertyValues(
                        "outbox.consumer.batch=200", "outbox.consumer.prefetch=100", "outbox.consumer.attempts=0")
                .run(context -> assertThat(context)
                        .getFailure()
                        .hasStackTraceContaining("outbox.consumer.batch is 200, above outbox.consumer.prefetch of 100:"
                                + " raise the prefetch, or leave it out;"
                                + " outbox.consumer.attempts must be at least 1, not 0"));
    }

    private static MeterRegistry bound(ApplicationContext context) {
        MeterRegistry meters = new SimpleMeterRegistry();
        context.getBeansOfType(MeterBinder.class).values().forEach(binder -> binder.bindTo(meters));
        return meters;
    }

    private static void assertMeters(ApplicationContext context) {
        MeterRegistry meters = bound(context);
        await().atMost(PATIENCE)
                .until(() -> meters.get("outbox.backlog.events").gauge().value() == 0);
        assertThat(meters.get("outbox.lag").timeGauge().value()).isZero();
        assertThat(meters.get("outbox.consumer.handling").functionTimer().count())
                .isEqualTo(1);
        assertThat(meters.get("outbox.consumer.handling").functionTimer().totalTime(TimeUnit.NANOSECONDS))
                .isPositive();
        assertThat(count(meters, "duplicates")).isEqualTo(1);
        assertThat(count(meters, "retries")).isEqualTo(1);
        assertThat(count(meters, "contentions")).isZero();
        assertThat(count(meters, "dead.letters")).isZero();
        assertThat(count(meters, "parked")).isEqualTo(1);
        assertThat(count(meters, "waiting")).isZero();
        assertThat(count(meters, "transactions")).isEqualTo(1);
        await().atMost(PATIENCE).until(() -> stored(meters, "parked") == 1);
        assertThat(meters.find("outbox.consumer.partitions").gauge())
                .as("of a queue that is not split")
                .isNull();
        assertThat(meters.get("outbox.consumer.state")
                        .tags("consumer", "billing", "state", "CONSUMING")
                        .gauge()
                        .value())
                .isEqualTo(1);
    }

    private static double count(MeterRegistry meters, String name) {
        return meters.get("outbox.consumer." + name)
                .tag("consumer", "billing")
                .functionCounter()
                .count();
    }

    private static double gauge(MeterRegistry meters, String name) {
        return meters.get("outbox.consumer." + name)
                .tag("consumer", "billing")
                .gauge()
                .value();
    }

    private static double stored(MeterRegistry meters, String state) {
        return meters.get("outbox.consumer.stored")
                .tags("consumer", "billing", "state", state)
                .gauge()
                .value();
    }

    private void refuses(String property, String message) {
        application
                .withPropertyValues(property)
                .run(context -> assertThat(context).getFailure().hasStackTraceContaining(message));
    }

    private static IdempotentConsumer consuming(ApplicationContext context) {
        IdempotentConsumer consumer = context.getBean(IdempotentConsumer.class);
        await().atMost(PATIENCE).until(() -> consumer.state() == IdempotentConsumer.State.CONSUMING);
        return consumer;
    }

    /** What a relay would do. */
    private void deliver(UUID event, String payload) throws Exception {
        try (var connection = broker.connectionFactory().newConnection();
                var channel = connection.createChannel()) {
            AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                    .messageId(event.toString())
                    .build();
            channel.basicPublish("events", "order.placed", true, properties, payload.getBytes());
        }
    }

    private void endHistory() throws Exception {
        try (var connection = broker.connectionFactory().newConnection();
                var channel = connection.createChannel()) {
            AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                    .messageId(UUID.randomUUID().toString())
                    .headers(Map.of("outbox_history_end", true))
                    .build();
            await().atMost(PATIENCE).ignoreExceptions().until(() -> {
                connection.createChannel().exchangeDeclarePassive("billing.orders.history.end");
                return true;
            });
            channel.basicPublish("billing.orders.history.end", "", true, properties, new byte[0]);
        }
    }

    /** What came to the handler. */
    record Handled(List<ReceivedEvent> events) {

        void handle(ReceivedEvent event) {
            events.add(event);
            if (new String(event.payload()).equals("poison")) {
                throw new IllegalStateException("never");
            }
            if (new String(event.payload()).equals("fatal")) {
                throw new OutOfMemoryError("on purpose");
            }
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnFactory {

        @Bean
        org.springframework.amqp.rabbit.connection.ConnectionFactory rabbit() {
            return new CachingConnectionFactory("elsewhere");
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class FactoryOfAnotherKind {

        @Bean
        org.springframework.amqp.rabbit.connection.ConnectionFactory rabbit() {
            SimpleRoutingConnectionFactory factory = new SimpleRoutingConnectionFactory();
            factory.setDefaultTargetConnectionFactory(new CachingConnectionFactory("elsewhere"));
            return factory;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Billing {

        @Bean
        Handled handled() {
            return new Handled(new CopyOnWriteArrayList<>());
        }

        @Bean
        IdempotentConsumer billing(IdempotentConsumers consumers, Handled handled) {
            ConsumerQueue queue = ConsumerQueue.named("billing.orders").boundTo("events", "order.*");
            return consumers.consumer("billing", queue, handled::handle);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class PartitionedBilling {

        @Bean
        IdempotentConsumer billing(IdempotentConsumers consumers) {
            ConsumerQueue queue =
                    ConsumerQueue.named("billing.orders").partitions(2).boundTo("events", "order.*");
            return consumers.consumer("billing", queue, new Handled(new CopyOnWriteArrayList<>())::handle);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class LateBilling {

        @Bean
        IdempotentConsumer billing(IdempotentConsumers consumers) {
            ConsumerQueue queue = ConsumerQueue.named("billing.orders")
                    .boundTo("events", "order.*")
                    .catchUp();
            return consumers.consumer("billing", queue, new Handled(new CopyOnWriteArrayList<>())::handle);
        }
    }
}
