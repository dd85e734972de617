/**
 * One database that is relayed: its lanes, their leases, and the threads around them.
 *
 * <p>A {@link io.outboxrelay.relay.source.Source} shares nothing with other sources, neither connections nor threads: a
 * dead database never slows another.
 *
 * <table>
 * <caption>Threads of a source</caption>
 * <tr><td>{@code NAME-lane-N}</td><td>{@code LaneRunner}: cycles of one lane; one thread for each lane owned</td></tr>
 * <tr><td>{@code NAME-lookout}</td><td>{@code Lookout}: asks for all idle lanes at once which have events</td></tr>
 * <tr><td>{@code NAME-leases}</td><td>{@code Leases}: heartbeat, renewal, taking and giving back lanes</td></tr>
 * <tr><td>{@code NAME-writers}</td><td>how far the floor may rise</td></tr>
 * <tr><td>{@code NAME-pauses}</td><td>what people have paused</td></tr>
 * <tr><td>{@code NAME-backlog}</td><td>gauges</td></tr>
 * <tr><td>{@code NAME-floors}</td><td>looks for events below the floor</td></tr>
 * <tr><td>{@code NAME-retention}</td><td>deletes published events that have been kept for long enough</td></tr>
 * <tr><td>{@code NAME-schemas}, {@code NAME-schemas-N}</td><td>looks whether schemas can be looked up; looks them up</td></tr>
 * <tr><td>{@code NAME-broker}</td><td>keeps the broker's connection</td></tr>
 * </table>
 */
@NullMarked
package io.outboxrelay.relay.source;

import org.jspecify.annotations.NullMarked;
