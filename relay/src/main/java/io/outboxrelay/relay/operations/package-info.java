/**
 * What the people and machines that operate a relay look at.
 *
 * <p>{@code OperationsServer} answers {@code /health/live}, {@code /health/ready} and {@code /metrics} while a relay
 * runs; it learns how the sources are doing from a supplier of {@code SourceHealth} and knows nothing else of the relay.
 * {@code Meters} holds the registry in which every part registers its own meters. {@code Logging} says how messages look.
 */
@NullMarked
package io.outboxrelay.relay.operations;

import org.jspecify.annotations.NullMarked;
