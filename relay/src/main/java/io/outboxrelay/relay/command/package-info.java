/**
 * The command line.
 *
 * <p>Each command is a class; {@code Commands}, the door, adds them to the program. Most talk to the databases of the
 * configured sources directly, so no relay has to be running: {@code DatabaseOptions} selects the databases and the
 * user. {@code Words} formats and parses values. Results go to standard output, everything else to standard error.
 */
@NullMarked
package io.outboxrelay.relay.command;

import org.jspecify.annotations.NullMarked;
