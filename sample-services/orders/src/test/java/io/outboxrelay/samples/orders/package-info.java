@NullMarked
package io.outboxrelay.samples.orders;

import org.jspecify.annotations.NullMarked;
