/** Tests of the servers themselves: each kind that this machine has is started, killed, frozen and closed. */
@NullMarked
package io.outboxrelay.testservers;

import org.jspecify.annotations.NullMarked;
