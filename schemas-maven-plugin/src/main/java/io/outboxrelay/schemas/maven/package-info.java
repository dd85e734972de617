/**
 * The checks of contracts as a part of a service's own build: the first of three places where an event that would break a
 * consumer is stopped. {@code validate} and {@code check} look, {@code generate} makes classes of the newest versions and
 * puts all versions into the jar, {@code docs} writes the catalogue.
 */
@NullMarked
package io.outboxrelay.schemas.maven;

import org.jspecify.annotations.NullMarked;
