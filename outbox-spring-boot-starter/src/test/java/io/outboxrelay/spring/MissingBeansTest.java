package io.outboxrelay.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.rabbitmq.client.ConnectionFactory;
import io.outboxrelay.client.AvroEvents;
import io.outboxrelay.client.Inbox;
import io.outboxrelay.client.JsonEvents;
import io.outboxrelay.client.Outbox;
import io.outboxrelay.schemas.contract.Contracts;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.DefaultResourceLoader;
import org.springframework.jdbc.datasource.SimpleDriverDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import tools.jackson.databind.json.JsonMapper;

/** What a developer reads who has forgotten something. No server is needed: the start fails before. */
class MissingBeansTest {

    private static final String RABBIT = "org.springframework.boot.amqp.autoconfigure.RabbitAutoConfiguration";

    private static final String JACKSON = "org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration";

    private static final String HIBERNATE =
            "org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration";

    private static final String FLYWAY = "org.springframework.boot.flyway.autoconfigure.FlywayAutoConfiguration";

    private static final String ONE_DATABASE = "--spring.datasource.url=jdbc:postgresql://127.0.0.1:1/nowhere";

    @Test
    @ExtendWith(OutputCaptureExtension.class)
    void spring_boot_prints_the_reason_and_what_helps(CapturedOutput output) {
        catchThrowable(() -> start(NeedsConsumers.class, ONE_DATABASE, "--spring.autoconfigure.exclude=" + RABBIT));

        assertThat(output)
                .contains("APPLICATION FAILED TO START", "outbox.consumer.uri is not set, and Spring Boot's Rabbit");
    }

    @Test
    void consumers_need_the_brokers_client() {
        FailureAnalysis analysis = failure(
                NeedsConsumers.class,
                new FilteredClassLoader("com.rabbitmq", "org.springframework.amqp"),
                ONE_DATABASE);

        assertThat(analysis.getDescription())
                .contains("method billing", IdempotentConsumers.class.getName())
                .endsWith("It did not, because RabbitMQ's Java client is not on the class path.");
        assertThat(analysis.getAction())
                .contains("\n    com.rabbitmq:amqp-client\n    outbox.consumer.uri=amqp://")
                .contains("\n    org.springframework.boot:spring-boot-starter-amqp\n    spring.rabbitmq.host=");
    }

    @Test
    void consumers_need_the_address_of_a_broker() {
        FilteredClassLoader withoutSpringAmqp = new FilteredClassLoader("org.springframework.amqp");

        FailureAnalysis nothing = failure(NeedsConsumers.class, withoutSpringAmqp, ONE_DATABASE);
        assertThat(nothing.getDescription())
                .endsWith("because no address of the broker is configured: outbox.consumer.uri is not set, nor is"
                        + " spring-boot-starter-amqp on the class path.");
        assertThat(nothing.getAction()).contains("\n    outbox.consumer.uri=amqp://");

        FailureAnalysis unread = failure(
                NeedsConsumers.class, withoutSpringAmqp, ONE_DATABASE, "--spring.rabbitmq.host=rabbit.example.org");
        assertThat(unread.getDescription())
                .endsWith(
                        "because spring.rabbitmq.* is set, but spring-boot-starter-amqp, which reads it, is not on the"
                                + " class path.");
    }

    @Test
    void a_consumer_built_by_hand_needs_it_too() {
        FailureAnalysis analysis =
                failure(NeedsBroker.class, new FilteredClassLoader("org.springframework.amqp"), ONE_DATABASE);

        assertThat(analysis.getDescription()).contains("no address of the broker is configured");
    }

    @Test
    void the_choice_among_brokers_is_the_applications() {
        FailureAnalysis analysis = failure(TwoBrokers.class, null, ONE_DATABASE);

        assertThat(analysis.getDescription())
                .contains("2 beans of type com.rabbitmq.client.ConnectionFactory, and none of them is primary: one,"
                        + " other");
        assertThat(analysis.getAction()).contains("@Primary");
    }

    @Test
    void an_outbox_needs_a_data_source_and_a_choice_among_several() {
        FailureAnalysis none = failure(NeedsOutbox.class, new FilteredClassLoader("org.postgresql", "com.zaxxer"));
        assertThat(none.getDescription()).endsWith("because the application has no DataSource.");
        assertThat(none.getAction()).contains("\n    spring.datasource.url=jdbc:");

        FailureAnalysis two = failure(TwoDatabases.class, null);
        assertThat(two.getDescription())
                .endsWith(
                        "because the application has 2 beans of type DataSource, and none of them is primary: billing,"
                                + " orders.");
        assertThat(two.getAction()).contains("\n    outbox.data-source=billing");
    }

    @Test
    void an_inbox_needs_a_transaction_manager_and_a_choice_among_several() {
        FailureAnalysis two = failure(NeedsInbox.class, null, "--outbox.data-source=orders");
        assertThat(two.getDescription())
                .endsWith("2 beans of type PlatformTransactionManager, and none of them is primary:"
                        + " billingTransactions, ordersTransactions.");
        assertThat(two.getAction()).contains("\n    outbox.transaction-manager=billingTransactions");

        FailureAnalysis none = failure(NeedsInboxAlone.class, null);
        assertThat(none.getDescription()).endsWith("because the application has no PlatformTransactionManager.");
    }

    @Test
    void a_name_that_is_no_bean_is_refused_with_those_that_are() {
        assertThat(catchThrowable(() -> start(TwoDatabases.class, "--outbox.data-source=shop")))
                .hasStackTraceContaining("Property outbox.data-source with value 'shop' is invalid: There is no bean of"
                        + " type javax.sql.DataSource with this name. Use one of: billing, orders");
        assertThat(catchThrowable(() ->
                        start(NeedsInbox.class, "--outbox.data-source=orders", "--outbox.transaction-manager=shop")))
                .hasStackTraceContaining("with this name. Use one of: billingTransactions, ordersTransactions");
    }

    @Test
    void the_named_data_source_and_transaction_manager_are_used() {
        try (ConfigurableApplicationContext application = start(
                NeedsInbox.class, "--outbox.data-source=orders", "--outbox.transaction-manager=ordersTransactions")) {
            assertThat(application.getBean(Outbox.class).dataSource())
                    .isSameAs(application.getBean("orders", DataSource.class));
            assertThat(application.getBean(Inbox.class)).isNotNull();
        }
    }

    @Test
    void events_of_avro_need_avro_and_contracts() {
        FailureAnalysis noAvro =
                failure(NeedsAvro.class, new FilteredClassLoader(Schema.class, Contracts.class), ONE_DATABASE);
        assertThat(noAvro.getDescription()).endsWith("because Avro or the module schemas is not on the class path.");
        assertThat(noAvro.getAction()).contains("\n    org.apache.avro:avro\n    io.outboxrelay:schemas");

        assertThat(failure(NeedsAvro.class, null, ONE_DATABASE).getDescription())
                .endsWith("because the class path has no contracts/contracts.yaml.");
    }

    @Test
    void events_of_json_need_a_mapper() {
        FailureAnalysis analysis =
                failure(NeedsJson.class, null, ONE_DATABASE, "--spring.autoconfigure.exclude=" + JACKSON);

        assertThat(analysis.getDescription()).endsWith("because the application has no ObjectMapper of Jackson.");

        assertThat(failure(TwoMappers.class, null, ONE_DATABASE, "--spring.autoconfigure.exclude=" + JACKSON)
                        .getDescription())
                .endsWith("2 beans of type ObjectMapper, and none of them is primary: one, other.");
    }

    /** Spring Boot's own analysis is right then. */
    @Test
    void what_the_starter_does_not_know_it_does_not_explain() {
        String exclude = "--spring.autoconfigure.exclude=";
        assertThat(analysis(NeedsQualifiedBroker.class, null, ONE_DATABASE)).isNull();
        assertThat(analysis(HasBroker.class, null, ONE_DATABASE, exclude + ConsumerAutoConfiguration.class.getName()))
                .isNull();
        assertThat(analysis(NeedsJson.class, null, ONE_DATABASE, exclude + JsonAutoConfiguration.class.getName()))
                .isNull();
    }

    private static ConfigurableApplicationContext start(Class<?> application, String... arguments) {
        return new SpringApplication(application).run(arguments);
    }

    private static FailureAnalysis failure(Class<?> application, @Nullable ClassLoader classes, String... arguments) {
        FailureAnalysis analysis = analysis(application, classes, arguments);
        assertThat(analysis).isNotNull();
        return analysis;
    }

    /** What is left after the application has failed to start, as the analyzer sees it. */
    private static @Nullable FailureAnalysis analysis(
            Class<?> application, @Nullable ClassLoader classes, String... arguments) {
        AtomicReference<ConfigurableApplicationContext> context = new AtomicReference<>();
        SpringApplication starting = new SpringApplication(application);
        starting.setWebApplicationType(WebApplicationType.NONE);
        if (classes != null) {
            starting.setResourceLoader(new DefaultResourceLoader(classes));
        }
        starting.addInitializers(context::set);

        Throwable failure = catchThrowable(() -> starting.run(arguments));

        assertThat(failure).isNotNull();
        return new MissingBeanFailureAnalyzer(
                        context.get().getBeanFactory(), context.get().getEnvironment())
                .analyze(failure);
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(excludeName = {HIBERNATE, FLYWAY})
    static class NeedsConsumers {

        @Bean
        String billing(IdempotentConsumers consumers) {
            return consumers.toString();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(excludeName = {HIBERNATE, FLYWAY})
    static class NeedsBroker {

        @Bean
        String billing(ConnectionFactory broker) {
            return broker.toString();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(excludeName = {HIBERNATE, FLYWAY})
    static class NeedsQualifiedBroker {

        @Bean
        String billing(@Qualifier("special") ConnectionFactory broker) {
            return broker.toString();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(excludeName = {HIBERNATE, FLYWAY})
    static class HasBroker {

        @Bean
        ConnectionFactory broker() {
            return new ConnectionFactory();
        }

        @Bean
        String billing(IdempotentConsumers consumers) {
            return consumers.toString();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(excludeName = {HIBERNATE, FLYWAY})
    static class TwoMappers {

        @Bean
        JsonMapper one() {
            return new JsonMapper();
        }

        @Bean
        JsonMapper other() {
            return new JsonMapper();
        }

        @Bean
        String maker(JsonEvents events) {
            return events.toString();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(excludeName = {HIBERNATE, FLYWAY})
    static class TwoBrokers {

        @Bean
        ConnectionFactory one() {
            return new ConnectionFactory();
        }

        @Bean
        ConnectionFactory other() {
            return new ConnectionFactory();
        }

        @Bean
        String billing(IdempotentConsumers consumers) {
            return consumers.toString();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(excludeName = {HIBERNATE, FLYWAY})
    static class NeedsOutbox {

        @Autowired
        Outbox outbox;
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(excludeName = {HIBERNATE, FLYWAY})
    static class TwoDatabases {

        @Bean
        DataSource billing() {
            return nowhere();
        }

        @Bean
        DataSource orders() {
            return nowhere();
        }

        @Bean
        String publisher(Outbox outbox) {
            return outbox.schema();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(excludeName = {HIBERNATE, FLYWAY})
    static class NeedsInbox {

        @Bean
        DataSource billing() {
            return nowhere();
        }

        @Bean
        DataSource orders() {
            return nowhere();
        }

        @Bean
        PlatformTransactionManager billingTransactions() {
            return new JdbcTransactionManager(billing());
        }

        @Bean
        PlatformTransactionManager ordersTransactions() {
            return new JdbcTransactionManager(orders());
        }

        @Bean
        String reader(Inbox inbox) {
            return inbox.toString();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(
            excludeName = {
                HIBERNATE,
                FLYWAY,
                "org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration"
            })
    static class NeedsInboxAlone {

        @Bean
        DataSource orders() {
            return nowhere();
        }

        @Bean
        String reader(Inbox inbox) {
            return inbox.toString();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(excludeName = {HIBERNATE, FLYWAY})
    static class NeedsAvro {

        @Bean
        String maker(AvroEvents events) {
            return events.toString();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration(excludeName = {HIBERNATE, FLYWAY})
    static class NeedsJson {

        @Bean
        String maker(JsonEvents events) {
            return events.toString();
        }
    }

    private static DataSource nowhere() {
        return new SimpleDriverDataSource(new org.postgresql.Driver(), "jdbc:postgresql://127.0.0.1:1/nowhere");
    }
}
