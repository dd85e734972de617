/** The commands about contracts: {@code SchemasCommand} lists them. */
@NullMarked
package io.outboxrelay.relay.schemas;

import org.jspecify.annotations.NullMarked;
