/**
 * An outbox in MariaDB or MySQL, behind {@link io.outboxrelay.relay.mariadb.MariaDbDialect}: what the package {@code
 * postgresql} does, with the same tables and the same guarantees. What differs is in docs/databases.md.
 *
 * <p>Every session is at READ COMMITTED: then InnoDB locks the rows that a statement changes and no gaps between them, so
 * that nothing here makes a service's INSERT wait. Time is the database's and UTC; no statement is given a time of the host.
 * Lists are written out in the text of a statement, since there are no arrays.
 */
@NullMarked
package io.outboxrelay.relay.mariadb;

import org.jspecify.annotations.NullMarked;
