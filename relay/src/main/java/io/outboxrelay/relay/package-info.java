/**
 * The program: {@code Main} finds the command and reports failures; {@code Daemon} is the life of the process that
 * {@code run} starts; {@code Relay} is the list of the running parts.
 */
@NullMarked
package io.outboxrelay.relay;

import org.jspecify.annotations.NullMarked;
