/**
 * One database that is relayed: its lanes, their leases, and the threads around them.
 *
 * <p>A {@link io.outboxrelay.relay.source.Source} shares neither connections nor threads with other sources: a dead
 * database never slows another.
 *
 * <table>
 * <caption>Threads of a source</caption>
 * <tr><td>{@code NAME-lane-N}</td><td>{@code LaneRunner}: cycles of one lane; one thread for each lane owned</td></tr>
 * <tr><td>{@code NAME-lookout}</td><td>{@code Lookout}: polls for all idle lanes at once</td></tr>
 * <tr><td>{@code NAME-leases}</td><td>{@code Leases}: heartbeat, renewal, taking and handing over lanes</td></tr>
 * <tr><td>{@code NAME-writers}</td><td>{@code Housekeeping}: checks open transactions: how far floors rise</td></tr>
 * <tr><td>{@code NAME-pauses}</td><td>{@code Housekeeping}: reads what people have paused</td></tr>
 * <tr><td>{@code NAME-backlog}</td><td>{@code Housekeeping}: counts the backlog and the failures</td></tr>
 * <tr><td>{@code NAME-floors}</td><td>{@code Housekeeping}: checks for events below the floors</td></tr>
 * <tr><td>{@code NAME-retention}</td><td>{@code Purge}: deletes expired published events</td></tr>
 * <tr><td>{@code NAME-schemas}, {@code NAME-schemas-N}</td><td>checks whether lookups work; looks schemas up</td></tr>
 * <tr><td>{@code NAME-broker}</td><td>keeps the broker's connection</td></tr>
 * </table>
 */
@NullMarked
package io.outboxrelay.relay.source;

import org.jspecify.annotations.NullMarked;
