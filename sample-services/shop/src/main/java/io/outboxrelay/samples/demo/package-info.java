/**
 * The demonstration: the whole way of an event on one machine, with one relay killed while orders are placed.
 *
 * <p>{@link io.outboxrelay.samples.demo.Demo} tells the story. A {@link io.outboxrelay.samples.demo.Stage} holds what
 * was started, each service and each relay a process of its own; {@link io.outboxrelay.samples.demo.Shoppers} use the
 * orders service over HTTP as anyone would. What they did is not asked of them: {@link
 * io.outboxrelay.samples.demo.Ledger} compares the databases of the two services.
 */
@NullMarked
package io.outboxrelay.samples.demo;

import org.jspecify.annotations.NullMarked;
