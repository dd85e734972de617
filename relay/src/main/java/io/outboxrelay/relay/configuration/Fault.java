package io.outboxrelay.relay.configuration;

import org.jspecify.annotations.Nullable;

/**
 * One thing that is wrong with what the relay was told.
 *
 * @param key the key, as it would be written in the file
 * @param shown its value, masked; null where there is none or where nobody can know whether it is a secret
 * @param origin where it was given
 * @param problem what is wrong and what to do about it, in sentences
 */
record Fault(String key, @Nullable String shown, String origin, String problem) {

    @Override
    public String toString() {
        return key + (shown == null ? "" : " = \"" + shown + "\"") + " (" + origin + ") " + problem;
    }
}
