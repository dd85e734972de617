/**
 * Measurements and trials for people who doubt. {@code drain} asks how fast a relay empties a full outbox, beside RabbitMQ's own
 * load generator, which does nothing but publish.
 *
 * <p>A {@code Contender} is a publisher in a process of its own. {@code DrainMeasurement} starts one and watches from
 * outside: how many messages are in the queue, says the broker; how many events are left, says the database. Nothing that
 * a contender says about itself decides the result. {@code DrainCommand} lets them take turns, so that a machine that
 * becomes slower or faster does so for both.
 *
 * <p>{@code chaos} asks whether anything is lost or comes out of order while everything around it breaks. Each
 * {@code Victim} (a relay, a database, the broker, and {@code People}, who pause, resume and retry by the relay's commands) has a
 * {@code Fate}, a thread that strikes it again and again;
 * {@code ChaosWriters} write events and, in the same transaction, a record of their own; a {@code LedgerReader} notes what
 * arrives. The {@code Verdict} compares the two, and asks the relays nothing.
 */
@NullMarked
package io.outboxrelay.bench;

import org.jspecify.annotations.NullMarked;
