/**
 * Shared by the relay's tests: makers of events and outboxes with defaults, so that a test names only what matters to
 * it.
 */
@NullMarked
package io.outboxrelay.relay.testing;

import org.jspecify.annotations.NullMarked;
