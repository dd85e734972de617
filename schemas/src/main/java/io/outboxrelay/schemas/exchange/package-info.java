/**
 * Contracts on their way to a registry and back: what the commands and the goals of a build have in common.
 *
 * <p>Nothing that is registered is ever changed. The number of a version is the same in a contract and in its subject;
 * where it is not, that is told, and nothing further of the subject is registered.
 */
@NullMarked
package io.outboxrelay.schemas.exchange;

import org.jspecify.annotations.NullMarked;
