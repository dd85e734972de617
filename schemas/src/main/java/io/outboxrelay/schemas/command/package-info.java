/**
 * The contracts' commands for a command line; {@code SchemasCommand} is the door. Needs picocli, which a program that
 * has these commands brings along. Like the goals of the Maven plugin they only read options and call
 * {@code ContractChecks}, {@code ContractSite} or {@code ContractExchange}.
 */
@NullMarked
package io.outboxrelay.schemas.command;

import org.jspecify.annotations.NullMarked;
