/** What the tests of the sample services share. */
@NullMarked
package io.outboxrelay.samples;

import org.jspecify.annotations.NullMarked;
