/** What the relay's tests share: makers of events and outboxes with defaults, so that a test names only what it is about. */
@NullMarked
package io.outboxrelay.relay.testing;

import org.jspecify.annotations.NullMarked;
