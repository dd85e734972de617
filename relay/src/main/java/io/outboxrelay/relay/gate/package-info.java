/**
 * The gate in front of publishing: lets an event pass when the schema that it was written with is a registered version of
 * its subject that keeps what the subject promises.
 *
 * <p><b>What is judged.</b> Events whose content type is Avro's, or which name a schema in {@code cloudEvents_dataschema}.
 * What an event says of its schema is in that header (subject, version, full identity) and in the first bytes of its
 * payload (fingerprint or id); both must be true of the version. The payload itself is not read.
 *
 * <p><b>Where.</b> Between the lane and its publisher, on the lane's thread: to the lane it is a publisher whose answers
 * come at once. A verdict that lets events pass is kept in memory for good, since a registered version never changes; so an
 * event of a known schema costs a look into a map. Any other is looked up by threads of the gate. The lane waits for them a
 * moment, all its waits between two flushes together no longer than that; an event whose lookup takes longer, or cannot be
 * done, is {@code Nacked} and comes again.
 *
 * <p><b>What nobody may get wrong.</b> Nothing passes unchecked. A verdict against an event comes from a lookup that began
 * when the event had been read: it is not reused for events that were read later, because the schema may have been
 * registered meanwhile, and a parked event needs a person. While the registry is away, the verdicts that are known hold, and nothing is asked for an event
 * before a probe has seen the registry again.
 */
@NullMarked
package io.outboxrelay.relay.gate;

import org.jspecify.annotations.NullMarked;
