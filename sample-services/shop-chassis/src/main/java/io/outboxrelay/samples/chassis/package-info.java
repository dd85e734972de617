/**
 * What every service of the shop does in the same way, and nothing of what the shop is about: events in and out, a heartbeat
 * for those who keep copies, and the age of one's own copies. A chassis saves each service the same fifty lines; it must stay
 * so small that a service could do without it.
 */
@NullMarked
package io.outboxrelay.samples.chassis;

import org.jspecify.annotations.NullMarked;
