/**
 * A client of schema registries: any that speaks the <a
 * href="https://docs.confluent.io/platform/current/schema-registry/develop/api.html">REST interface of Confluent's</a>,
 * such as Confluent's own, Apicurio's ({@code /apis/ccompat/v7}), Karapace or Redpanda's.
 *
 * <p><b>Texts are not compared.</b> Registries reorder, minify and normalise. Two schemas are the same when their
 * {@link io.outboxrelay.schemas.contract.SchemaIdentity} is. So registering what is there already in another spelling
 * is found out here, and what a registry gives back is checked to be what was sent.
 *
 * <p><b>Being away.</b> What cannot be reached, answers too late or says that it is overloaded is asked again, a few
 * times with growing pauses; then a {@link io.outboxrelay.schemas.registry.RegistryException} says that it is
 * {@linkplain io.outboxrelay.schemas.registry.RegistryException.Kind#AWAY away}. A version of a subject never changes,
 * nor does the schema of an id: both are remembered, as many as the settings allow, and answered from memory also when
 * the registry is away. Which versions a subject has may change, and is asked for every time.
 *
 * <p><b>Secrets.</b> Neither a user's password nor a token is in a message, a log or a {@code toString}. Redirects are
 * not followed: credentials go to the address that was configured and to no other.
 */
@NullMarked
package io.outboxrelay.schemas.registry;

import org.jspecify.annotations.NullMarked;
