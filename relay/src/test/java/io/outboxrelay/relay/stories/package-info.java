/**
 * Stories about failures: the relay runs as operators run it, in its own processes, against real servers that are
 * killed, frozen and cut off while services write.
 *
 * <p>{@code Writers} are the services, {@code Observer} is the consumer, {@code RelayProcess} is the relay,
 * {@code Wire} is a network that can be slow or dead; {@code Stage} holds them together and gives the verdict. It
 * always comes from the database, never from the program that wrote: every committed event was delivered, nothing else
 * was, the first deliveries of each aggregate came in the order of writing, and the outbox is empty.
 */
@NullMarked
package io.outboxrelay.relay.stories;

import org.jspecify.annotations.NullMarked;
