/**
 * Health, metrics and logs.
 *
 * <p>{@code OperationsServer} answers {@code /health/live}, {@code /health/ready} and {@code /metrics} while a relay
 * runs; it gets the health of the sources from a supplier of {@code SourceHealth} and knows nothing else of the relay.
 * {@code Meters} holds the registry in which every part registers its own meters. {@code Logging} configures the log,
 * and {@code Printable} makes foreign text safe for it.
 */
@NullMarked
package io.outboxrelay.relay.operations;

import org.jspecify.annotations.NullMarked;
