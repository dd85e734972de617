package io.outboxrelay.spring;

import io.outboxrelay.client.AvroEvents;
import io.outboxrelay.client.Inbox;
import io.outboxrelay.client.JsonEvents;
import io.outboxrelay.client.Outbox;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.core.env.Environment;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.util.ClassUtils;

/** Knows why the starter did not make a bean: it asks what the conditions of the auto-configurations ask. */
final class MissingBeans {

    private static final String BROKER = "com.rabbitmq.client.ConnectionFactory";

    private static final String SPRING_BROKER = "org.springframework.amqp.rabbit.connection.ConnectionFactory";

    /** Those of Jackson 3 and 2. */
    private static final List<String> MAPPERS =
            List.of("tools.jackson.databind.ObjectMapper", "com.fasterxml.jackson.databind.ObjectMapper");

    private static final String ADDRESS = "outbox.consumer.uri=amqp://user:password@localhost:5672/%2f";

    private static final String SPRING_ADDRESS = "spring.rabbitmq.host=localhost";

    private final ConfigurableListableBeanFactory beans;
    private final Environment environment;

    /**
     * Why there is no bean, and what to do about it.
     *
     * @param why the end of a sentence
     * @param help sentences and lines to copy
     */
    record Reason(String why, String help) {}

    MissingBeans(ConfigurableListableBeanFactory beans, Environment environment) {
        this.beans = beans;
        this.environment = environment;
    }

    /** Empty for a bean that is none of the starter's, or whose conditions all hold. */
    Optional<Reason> reasonFor(Class<?> type) {
        if (type == Outbox.class) {
            return dataSource();
        }
        if (type == Inbox.class) {
            return inbox();
        }
        if (type == IdempotentConsumers.class) {
            return client().or(this::inbox).or(this::broker);
        }
        if (type.getName().equals(BROKER)) {
            return broker();
        }
        if (type == AvroEvents.class) {
            return avro();
        }
        return type == JsonEvents.class ? json() : Optional.empty();
    }

    private Optional<Reason> inbox() {
        return dataSource().or(this::transactionManager);
    }

    private Optional<Reason> dataSource() {
        String[] names = beans.getBeanNamesForType(DataSource.class, true, false);
        if (names.length == 0) {
            return because(
                    "the application has no DataSource",
                    "Add the JDBC driver of your database and set its address:",
                    "spring.datasource.url=jdbc:postgresql://localhost:5432/orders");
        }
        return chosen(DataSource.class, names, ChosenBean.DATA_SOURCE);
    }

    private Optional<Reason> transactionManager() {
        String[] names = beans.getBeanNamesForType(PlatformTransactionManager.class, true, false);
        if (names.length == 0) {
            return because(
                    "the application has no PlatformTransactionManager",
                    "Declare a transaction manager for the outbox's DataSource:",
                    "@Bean JdbcTransactionManager transactions(DataSource dataSource) {",
                    "    return new JdbcTransactionManager(dataSource);",
                    "}");
        }
        return chosen(PlatformTransactionManager.class, names, ChosenBean.TRANSACTION_MANAGER);
    }

    private Optional<Reason> chosen(Class<?> type, String[] names, String property) {
        if (environment.containsProperty(property) || hasOneCandidate(names)) {
            return Optional.empty();
        }
        return because(
                "the application has %d beans of type %s, and none of them is primary: %s"
                        .formatted(names.length, type.getSimpleName(), String.join(", ", names)),
                "Name the bean for the database that has the outbox and inbox tables, for example:",
                property + "=" + names[0]);
    }

    private Optional<Reason> client() {
        return isPresent(BROKER)
                ? Optional.empty()
                : because(
                        "RabbitMQ's Java client is not on the class path",
                        "Add it, and set the address of the broker. With Spring Boot's own RabbitMQ support:",
                        "org.springframework.boot:spring-boot-starter-amqp",
                        SPRING_ADDRESS,
                        "Or without it:",
                        "com.rabbitmq:amqp-client",
                        ADDRESS);
    }

    private Optional<Reason> broker() {
        if (environment.containsProperty("outbox.consumer.uri")) {
            return tooMany(BROKER);
        }
        if (isPresent(SPRING_BROKER)) {
            return tooMany(SPRING_BROKER)
                    .or(() -> nowhere(
                            "and Spring Boot's RabbitAutoConfiguration, which reads spring.rabbitmq.*, is excluded"));
        }
        if (Binder.get(environment)
                .bind("spring.rabbitmq", Bindable.mapOf(String.class, Object.class))
                .isBound()) {
            return because(
                    "spring.rabbitmq.* is set, but spring-boot-starter-amqp, which reads it, is not on the class path",
                    "Add that starter:",
                    "org.springframework.boot:spring-boot-starter-amqp",
                    "Or set the address of the broker only for the consumers:",
                    ADDRESS);
        }
        return nowhere("nor is spring-boot-starter-amqp on the class path");
    }

    /** A factory that is there already leaves nothing to say: something else has kept the bean away. */
    private Optional<Reason> nowhere(String neither) {
        if (names(BROKER).length > 0 || names(SPRING_BROKER).length > 0) {
            return tooMany(BROKER);
        }
        return because(
                "no address of the broker is configured: outbox.consumer.uri is not set, " + neither,
                "Set the address of the broker:",
                ADDRESS,
                "Or add org.springframework.boot:spring-boot-starter-amqp and set:",
                SPRING_ADDRESS);
    }

    private String[] names(String type) {
        return isPresent(type)
                ? beans.getBeanNamesForType(ClassUtils.resolveClassName(type, classes()), true, false)
                : new String[0];
    }

    /** More than one factory: the choice is the application's. */
    private Optional<Reason> tooMany(String typeName) {
        String[] names = names(typeName);
        return names.length == 0 || hasOneCandidate(names)
                ? Optional.empty()
                : because(
                        "the application has %d beans of type %s, and none of them is primary: %s"
                                .formatted(names.length, typeName, String.join(", ", names)),
                        "Mark the bean for the consumers' broker with:",
                        "@Primary");
    }

    private Optional<Reason> avro() {
        if (!isPresent("org.apache.avro.Schema") || !isPresent("io.outboxrelay.schemas.contract.Contracts")) {
            return because(
                    "Avro or the module schemas is not on the class path",
                    "Add both:",
                    "org.apache.avro:avro",
                    "io.outboxrelay:schemas");
        }
        return classes().getResource("contracts/contracts.yaml") != null
                ? Optional.empty()
                : because(
                        "the class path has no contracts/contracts.yaml",
                        "Put the contracts folder of your events on the class path, for example with the Maven plugin:",
                        "io.outboxrelay:schemas-maven-plugin, goal generate");
    }

    private Optional<Reason> json() {
        if (MAPPERS.stream().map(this::names).anyMatch(this::hasOneCandidate)) {
            return Optional.empty();
        }
        List<String> several =
                MAPPERS.stream().flatMap(type -> Stream.of(names(type))).toList();
        return because(
                several.isEmpty()
                        ? "the application has no ObjectMapper of Jackson"
                        : "the application has %d beans of type ObjectMapper, and none of them is primary: %s"
                                .formatted(several.size(), String.join(", ", several)),
                several.isEmpty() ? "Add Spring Boot's:" : "Mark the bean for events with:",
                several.isEmpty()
                        ? "org.springframework.boot:spring-boot-starter-jackson (on Spring Boot 3"
                                + " spring-boot-starter-json)"
                        : "@Primary",
                "Or declare the bean:",
                "@Bean JsonEvents jsonEvents() { return new JsonEvents(new Jackson3Json(new JsonMapper())); }");
    }

    /** By the definitions alone: no bean may be made any more when the start has failed. */
    private boolean hasOneCandidate(String[] names) {
        return names.length == 1
                || Stream.of(names)
                                .filter(name -> beans.containsBeanDefinition(name)
                                        && beans.getBeanDefinition(name).isPrimary())
                                .count()
                        == 1;
    }

    private boolean isPresent(String type) {
        return ClassUtils.isPresent(type, classes());
    }

    private ClassLoader classes() {
        ClassLoader its = beans.getBeanClassLoader();
        return its == null ? MissingBeans.class.getClassLoader() : its;
    }

    private static Optional<Reason> because(String why, String help, String... lines) {
        StringBuilder text = new StringBuilder(help).append("\n");
        for (String line : lines) {
            // A sentence stands between the lines to copy.
            text.append(line.endsWith(":") ? "\n\n" + line + "\n" : "\n    " + line);
        }
        return Optional.of(new Reason(why, text.toString()));
    }
}
