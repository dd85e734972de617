/**
 * Everything that the relay asks of a database. {@link io.outboxrelay.relay.database.OutboxStore} serves a running
 * relay, {@link io.outboxrelay.relay.database.Failures}, {@link io.outboxrelay.relay.database.Published} and
 * {@link io.outboxrelay.relay.database.Overview} serve commands. They hold the flow: transactions, chunks, retries,
 * audit, mapping.
 *
 * <p>{@code OutboxActs} and {@code CommandActs} say what they ask of a kind of database. Each kind implements them with
 * its own SQL, every text beside the values that it binds. A {@link io.outboxrelay.relay.database.Dialect} chooses
 * among them.
 */
@NullMarked
package io.outboxrelay.relay.database;

import org.jspecify.annotations.NullMarked;
