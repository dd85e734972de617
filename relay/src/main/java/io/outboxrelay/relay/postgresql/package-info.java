/**
 * An outbox in PostgreSQL, behind {@link io.outboxrelay.relay.postgresql.PostgresDialect}: {@link io.outboxrelay.relay.postgresql.PostgresOutbox} holds every statement that a running
 * relay makes, {@link io.outboxrelay.relay.postgresql.PostgresFailures} those of people's commands.
 *
 * <p>Time is the database's: no statement is given a time of the host.
 */
@NullMarked
package io.outboxrelay.relay.postgresql;

import org.jspecify.annotations.NullMarked;
