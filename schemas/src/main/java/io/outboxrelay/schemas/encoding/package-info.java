/**
 * How the body of an event is written and read.
 *
 * <p><b>Framing.</b> A body of Avro data says nothing about the schema that it was written with, and nobody can read it
 * without. So a body begins with a header, or the reader is told otherwise:
 *
 * <ul>
 *   <li><a href="https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding">single-object</a>, the
 *       default: the marker {@code C3 01}, the CRC-64-AVRO fingerprint of the writer's schema in little-endian order;
 *   <li>Confluent's: a zero byte and the four bytes of the id that a registry gave the schema;
 *   <li>raw: no header; the reader must know the writer's schema.
 * </ul>
 *
 * <p><b>Versions.</b> A consumer reads every body into its own version of the schema, an older event as well as a newer
 * one, by Avro's rules of schema resolution. It needs the writer's schema for that: its own, one that it was given, or
 * one that a {@link io.outboxrelay.schemas.encoding.SchemaSource} finds in a catalogue or in a registry.
 *
 * <p><b>Strangers' bytes.</b> A body comes from the network. It is walked through once before anything is made of it:
 * what it says about lengths and counts must fit the bytes that are there and the
 * {@link io.outboxrelay.schemas.encoding.DecodingLimits limits}. So it cannot make the reader ask for more memory than
 * a small multiple of these. Only the reader's own class and the types of its fields are ever created, whatever a
 * schema names, and nothing is changed for the rest of the process.
 */
@NullMarked
package io.outboxrelay.schemas.encoding;

import org.jspecify.annotations.NullMarked;
