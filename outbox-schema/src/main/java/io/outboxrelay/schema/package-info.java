/**
 * Installs the outbox and inbox tables into a service's database.
 *
 * <p>There are three ways, and they end in the same tables:
 *
 * <ul>
 *   <li>{@link io.outboxrelay.schema.OutboxSchemaCallback} in the service's own Flyway, one line of configuration;
 *   <li>{@link io.outboxrelay.schema.OutboxSchema#install(javax.sql.DataSource)} from any program;
 *   <li>{@link io.outboxrelay.schema.OutboxSchema#sql()} as plain text, for people who run SQL by hand.
 * </ul>
 *
 * <p>The migrations are in {@code db/outbox/postgresql} and {@code db/outbox/innodb} (MariaDB and MySQL). They have a
 * history table of their own, {@code outbox_schema_history}, so that they never mix with the service's migrations. They
 * only add. The database itself reports the installed version, by the function {@code outbox_schema_version()} (a view
 * in MariaDB and MySQL). So the version is right whichever way was taken, and any user may read it.
 */
@NullMarked
package io.outboxrelay.schema;

import org.jspecify.annotations.NullMarked;
