/**
 * The events that the shop's services tell each other about, generated from {@code contracts}. A service shares
 * these with others, and nothing else: neither its tables nor its classes.
 */
@NullMarked
package io.outboxrelay.samples.contracts;

import org.jspecify.annotations.NullMarked;
