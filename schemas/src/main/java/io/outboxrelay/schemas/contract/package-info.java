/**
 * Contracts on disk: what events look like, who owns them, how they may change.
 *
 * <pre>
 * contracts/
 *   contracts.yaml                       what is agreed about each subject
 *   orders.order-placed/v1.avsc          a subject is a folder; its versions are kept for ever
 *   orders.order-placed/v2.avsc          the newest generates classes
 *   shared/money/v1.avsc                 a type that several contracts use
 * </pre>
 *
 * <p>A version that is released never changes again. So a version that uses a shared type says which version of it, in
 * its own file: {@code "uses": ["money/v1"]} at the top of the schema, and then names the type by its Avro name. A new
 * version of {@code money} changes nothing until a new version of a contract uses it. What is used is put in where it
 * is named, so that every {@code Contract}'s version is one schema that stands by itself.
 *
 * <p>Versions are numbered from 1 without gaps. That, and the list of subjects in {@code contracts.yaml}, is why a tree
 * can be read from a class path, where folders cannot be listed.
 *
 * <p>{@code SchemaIdentity} says whether two schemas are the same. Avro's own fingerprint does not: it passes over
 * defaults and logical types.
 */
@NullMarked
package io.outboxrelay.schemas.contract;

import org.jspecify.annotations.NullMarked;
