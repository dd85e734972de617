/** How tests of the storefront, and of the whole shop, use the page: in a real browser, by its keys, seeing what a person sees. */
@NullMarked
package io.outboxrelay.samples.browser;

import org.jspecify.annotations.NullMarked;
