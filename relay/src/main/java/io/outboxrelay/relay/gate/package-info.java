/**
 * The gate before publishing: an event passes if its schema is a registered version of its subject, and if that version
 * is as compatible as the subject promises.
 *
 * <p><b>What is judged.</b> Events with an Avro content type, and events that name a schema in
 * {@code cloudEvents_dataschema}. An event names its schema in that header (subject, version, full identity) and in the
 * first bytes of its payload (fingerprint or id); both must match the version. The payload itself is not read.
 *
 * <p><b>Where.</b> Between the lane and its publisher, on the lane's thread: to the lane it is a publisher whose
 * answers come at once. A verdict that lets events pass stays in memory, because a registered version never changes; so
 * an event of a known schema costs one look into a map. Threads of the gate look up all others. The lane waits for them
 * briefly: all waits between two flushes together are bounded. An event whose lookup takes longer or fails is
 * {@code Nacked} and comes again.
 *
 * <p><b>Invariants.</b> Nothing passes unchecked. A verdict against an event comes from a lookup that began after the
 * event had been read: it is not reused for events that were read later, because the schema may have been registered
 * meanwhile, and a parked event needs a person. While the registry is away, known verdicts remain valid, and nothing is
 * asked for an event before a probe has reached the registry again.
 */
@NullMarked
package io.outboxrelay.relay.gate;

import org.jspecify.annotations.NullMarked;
