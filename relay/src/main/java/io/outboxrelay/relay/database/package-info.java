/**
 * What the relay asks of a database, whatever the database is: {@link io.outboxrelay.relay.database.OutboxStore} while it
 * runs, {@link io.outboxrelay.relay.database.Failures} for people's commands, {@link
 * io.outboxrelay.relay.database.Overview} for the status. A {@link io.outboxrelay.relay.database.Dialect} makes them; each
 * dialect has a package of its own, which holds all its SQL.
 */
@NullMarked
package io.outboxrelay.relay.database;

import org.jspecify.annotations.NullMarked;
