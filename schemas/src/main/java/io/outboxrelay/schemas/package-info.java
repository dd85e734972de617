/**
 * Avro event contracts. The package itself is empty; the parts are:
 *
 * <ul>
 *   <li>{@code encoding}: how the body of an event is written and read;
 *   <li>{@code registry}: a client of schema registries.
 * </ul>
 */
@NullMarked
package io.outboxrelay.schemas;

import org.jspecify.annotations.NullMarked;
