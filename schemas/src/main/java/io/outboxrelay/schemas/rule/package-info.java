/**
 * What may change in a contract, and what may not.
 *
 * <p>{@code SchemaComparison} walks through two versions side by side. Avro's own resolution decides what cannot be
 * read at all; the rest are rules that it lacks, where an event is read without an error and means something else:
 * another unit of time, another scale, a default in place of a value. Each {@code Rule} has a section in
 * {@code docs/schema-rules.md}.
 *
 * <p>Two sorts of readers can fail. <em>Readers of the new version</em> meet events that the old one wrote: those on
 * their way when a consumer is updated, those parked, those replayed. <em>Readers of the old version</em> meet events
 * of the new one as soon as a producer is updated. A {@code Compatibility} says which of them are promised that they
 * can.
 */
@NullMarked
package io.outboxrelay.schemas.rule;

import org.jspecify.annotations.NullMarked;
