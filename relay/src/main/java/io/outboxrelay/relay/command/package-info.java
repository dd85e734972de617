/**
 * The command line.
 *
 * <p>Each command is a class; {@code Commands}, the door, adds them to the program. Most talk to the databases of the
 * configured sources and inboxes directly, so no relay and no consumer has to be running: {@code DatabaseOptions}
 * selects the databases and the user. The commands about failed events are the same for those that the relay could not
 * publish and those that consumers gave up: {@code FailureSide} is the difference. {@code Words} formats and parses
 * values. Results go to standard output, everything else to standard error.
 */
@NullMarked
package io.outboxrelay.relay.command;

import org.jspecify.annotations.NullMarked;
