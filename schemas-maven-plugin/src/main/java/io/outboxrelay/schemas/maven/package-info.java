/**
 * Contract checks in a service's own build: the first of three places that stop an event which would break a consumer.
 * {@code validate} and {@code check} inspect contracts, {@code generate} generates classes of the newest versions and
 * puts all versions into the jar, {@code docs} writes the catalogue.
 */
@NullMarked
package io.outboxrelay.schemas.maven;

import org.jspecify.annotations.NullMarked;
