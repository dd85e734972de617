/** Lets tests use the page as people do: in a real browser, by keyboard, reading the visible texts. */
@NullMarked
package io.outboxrelay.samples.browser;

import org.jspecify.annotations.NullMarked;
