/**
 * What a person types, and how it is answered.
 *
 * <p>A class for each command; {@code Commands}, the door, adds them to the program. Most work on the databases of the
 * configured sources alone, whether or not a relay runs: {@code DatabaseOptions} says on which and as whom, and walks through
 * them. {@code Words} says how values are written and read. Results go to standard output, everything else to standard error.
 */
@NullMarked
package io.outboxrelay.relay.command;

import org.jspecify.annotations.NullMarked;
