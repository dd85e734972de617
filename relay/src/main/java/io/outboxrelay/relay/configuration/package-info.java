/**
 * What the relay is told.
 *
 * <p>{@code Keys} is the catalogue: each key once, with its kind, its default and its meaning. Three layers fill
 * {@code Settings} with text, each value with its origin: the file ({@code YamlFile}), then the environment
 * ({@code EnvironmentVariables}), then the command line ({@code Assignments}); a later one replaces an earlier one.
 * {@code Values} reads the texts as what they are, {@code CrossChecks} holds the rules between keys, and
 * {@code ConfigurationReader}, the door, makes the {@code Configuration} of it.
 *
 * <p>Nothing is repaired and nothing is overlooked: a key that does not exist, a value that does not fit and a rule that
 * is broken are faults, and all of them are reported together. No message shows a secret: a value is masked by its key,
 * and the value of something that is not a key is never shown.
 */
@NullMarked
package io.outboxrelay.relay.configuration;

import org.jspecify.annotations.NullMarked;
