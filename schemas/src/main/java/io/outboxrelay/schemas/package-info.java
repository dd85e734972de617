/**
 * Avro event contracts: how the body of an event is encoded and decoded.
 *
 * <p>A body is <a href="https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding">single-object
 * encoded</a>: the marker {@code C3 01}, the CRC-64-AVRO fingerprint of the writer's schema in little-endian order, the
 * binary data. So a body says by itself how it was written, in ten bytes, and a consumer reads it into its own version
 * of the schema.
 */
@NullMarked
package io.outboxrelay.schemas;

import org.jspecify.annotations.NullMarked;
