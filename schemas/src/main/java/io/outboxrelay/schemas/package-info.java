/**
 * Avro event contracts. The package itself is empty; the parts are:
 *
 * <ul>
 *   <li>{@code contract}: contracts on disk, in versions, and which schema is which;
 *   <li>{@code rule}: what may change in them, and the reports about it;
 *   <li>{@code site}: the catalogue for people;
 *   <li>{@code encoding}: how the body of an event is written and read;
 *   <li>{@code registry}: a client of schema registries;
 *   <li>{@code exchange}: contracts on their way to a registry and back;
 *   <li>{@code command}: all of this on a command line.
 * </ul>
 */
@NullMarked
package io.outboxrelay.schemas;

import org.jspecify.annotations.NullMarked;
