@NullMarked
package io.outboxrelay.samples.chassis;

import org.jspecify.annotations.NullMarked;
