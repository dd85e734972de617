/**
 * The events that the shop's services exchange, generated from {@code contracts}. A service shares only these with
 * others, neither its tables nor its classes.
 */
@NullMarked
package io.outboxrelay.samples.contracts;

import org.jspecify.annotations.NullMarked;
