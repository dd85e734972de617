/**
 * The catalogue of all events for people: static pages that need no server, no script and nothing from outside.
 * Whatever comes from a contract is put in as text, never as markup.
 */
@NullMarked
package io.outboxrelay.schemas.site;

import org.jspecify.annotations.NullMarked;
