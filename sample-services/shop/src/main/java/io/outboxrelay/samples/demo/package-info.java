/**
 * The demonstration: the whole way of an event on one machine, with one relay killed while orders are placed.
 *
 * <p>{@link io.outboxrelay.samples.demo.Demo} runs it. A {@link io.outboxrelay.samples.demo.Stage} holds the started
 * parts, each service and each relay a process of its own; {@link io.outboxrelay.samples.demo.Shoppers} use the orders
 * service over HTTP as anyone would. The result does not depend on them: {@link io.outboxrelay.samples.demo.Ledger}
 * compares the databases of the services.
 */
@NullMarked
package io.outboxrelay.samples.demo;

import org.jspecify.annotations.NullMarked;
