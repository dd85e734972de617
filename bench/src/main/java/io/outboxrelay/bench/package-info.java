/**
 * Measurements and random faults. {@code drain} measures how fast a relay empties a full outbox, compared with
 * RabbitMQ's own load generator, which does nothing but publish.
 *
 * <p>A {@code Contender} is a publisher in a process of its own. {@code DrainMeasurement} starts one and watches from
 * outside: the broker's number of messages in the queue, and the database's number of remaining events. A contender's
 * own figures do not decide the result. {@code DrainCommand} lets them take turns, so that a machine that becomes
 * slower or faster affects all of them.
 *
 * <p>{@code consume} does the same for consumers and a full queue. A {@code ConsumeContender} runs in a process of its
 * own, {@code ConsumeProgram}; {@code EventSupply} fills its queue with numbered events, and {@code ConsumeMeasurement}
 * watches the rows that it inserts. {@code BenchEffects} counts in the end whether every event had its effect once, and
 * in order.
 *
 * <p>{@code writers}, {@code idle}, {@code latency}, {@code backlog} and {@code sources} run a {@code BenchRelay}
 * without a contender. {@code writers} compares the transactions of a service with those of the same service without
 * events.
 *
 * <p>A {@code Report} notes how much of the machine other programs used, keeps the raw data of a measurement for
 * {@code charts}, and prints its results last, or says why there are none.
 *
 * <p>{@code chaos} checks that nothing is lost or out of order while everything breaks. Each {@code Victim} (a relay, a
 * consumer, a database, the broker, and {@code People}, who pause, resume and retry by the relay's commands) has a
 * {@code Fate}, a thread that injects faults into it again and again; {@code ChaosWriters} write events and, in the
 * same transaction, a record of their own; a {@code QueueReader} records what arrives, and a {@code ChaosConsumer}
 * inserts a row for each event. The {@code Verdict} compares the three, without relays and consumers.
 */
@NullMarked
package io.outboxrelay.bench;

import org.jspecify.annotations.NullMarked;
