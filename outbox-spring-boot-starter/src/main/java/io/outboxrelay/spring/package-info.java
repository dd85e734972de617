/**
 * Configures outbox and inbox for Spring Boot from {@code outbox.*} properties. A bean of the application's own always
 * wins over the one from here.
 *
 * <ul>
 *   <li>{@code Outbox} and {@code Inbox} on the application's data source and transaction manager. Events may be
 *       published in transactions of every transaction manager that is a bean and works on this data source, until they
 *       begin to commit: in a {@code @TransactionalEventListener(phase = TransactionPhase.BEFORE_COMMIT)}, but not in
 *       the listener's default phase, where {@code Outbox.publish} throws;
 *   <li>with {@code outbox.schema.install=true} the tables are installed before anything uses the database: inside the
 *       application's own Flyway run if Spring Boot runs one (before its migrations, which may then refer to the
 *       outbox), otherwise by themselves;
 *   <li>with {@code outbox.inbox.purge.older-than} the inbox forgets old events;
 *   <li>with {@code outbox.consumer.uri}, Spring Boot's own {@code spring.rabbitmq.*}, or a {@code ConnectionFactory}
 *       of RabbitMQ's Java client as a bean, {@link io.outboxrelay.spring.IdempotentConsumers} builds consumers with
 *       the defaults in {@code outbox.consumer.*};
 *   <li>every bean of type {@code IdempotentConsumer} is started when the application is ready and stopped before
 *       anything that it uses;
 *   <li>{@code JsonEvents} and {@code AvroEvents} make events of objects and records, where Jackson or Avro is there;
 *   <li>with Spring Boot's health (Actuator), {@code outboxConsumers} is down if one of them has ended by an error;
 *       with Micrometer there are meters;
 *   <li>a bean of these that is needed and cannot be made is explained, with the lines that help.
 * </ul>
 */
@NullMarked
package io.outboxrelay.spring;

import org.jspecify.annotations.NullMarked;
