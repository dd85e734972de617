/**
 * The core: one lane's cycle of claim, publish and settle.
 *
 * <p>A lane is a fixed slice of the outbox with one owner at a time. Its owner runs one thread, and the thread runs
 * {@link io.outboxrelay.relay.lane.Lane#cycle()} again and again:
 *
 * <ol>
 *   <li><b>claim</b>: one SELECT reads the oldest events of the lane. It locks nothing and writes nothing.
 *   <li><b>publish</b>: the events go out, aggregates side by side, within an aggregate one after the other: the next
 *       one only when the one before it is confirmed.
 *   <li><b>settle</b>: one DELETE removes exactly the events that were confirmed. Those that failed, and those that
 *       were read of an aggregate that is blocked, move to the failures, from where they are published later.
 * </ol>
 *
 * <p>A crash loses nothing that is needed: the next owner of the lane claims again what was not deleted. What a lane
 * keeps in memory only makes the next cycle cheaper:
 *
 * <ul>
 *   <li>the {@linkplain io.outboxrelay.relay.lane.Lane#floor() floor}, below which no event can appear any more, so
 *       that a claim need not skip deleted rows;
 *   <li>the aggregates that are blocked by a failure: too many do no harm, and a new owner reads them first;
 *   <li>the aggregates whose event was not answered, which wait for a moment;
 *   <li>the events that may have made the broker close the channel or the connection, which are published alone;
 *   <li>confirmed events whose DELETE failed, which are deleted before the next claim.
 * </ul>
 *
 * <p>The package knows two narrow interfaces and a clock, and nothing else: the
 * {@link io.outboxrelay.relay.lane.LaneStore store} and the {@link io.outboxrelay.relay.lane.Publisher publisher}. So
 * the same code runs against a database and a broker, and against simulated ones that crash between any two steps.
 */
@NullMarked
package io.outboxrelay.relay.lane;

import org.jspecify.annotations.NullMarked;
