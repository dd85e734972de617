/**
 * The relay's configuration.
 *
 * <p>{@code Keys} is the catalogue: each key once, with its kind, its default and its meaning. Three layers fill
 * {@code Settings} with text, each value with its origin: the file ({@code YamlFile}), then the environment
 * ({@code EnvironmentVariables}), then the command line ({@code Assignments}); a later one replaces an earlier one.
 * {@code Values} converts the texts, {@code CrossChecks} has the rules between keys, {@code Exposures} warns, and
 * {@code ConfigurationReader}, the door, builds the {@code Configuration}.
 *
 * <p>Nothing is corrected and nothing is ignored: an unknown key, an invalid value and a broken rule are faults, and
 * all of them are reported together. No message shows a secret: a value is masked by its key, and the value of
 * something that is not a key is never shown.
 */
@NullMarked
package io.outboxrelay.relay.configuration;

import org.jspecify.annotations.NullMarked;
