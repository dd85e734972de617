package io.outboxrelay.relay.configuration;

import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The relay cannot start with what it was told: every fault at once, none with a secret in it. */
public final class ConfigurationException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final transient List<Fault> faults;

    ConfigurationException(List<Fault> faults) {
        super((faults.size() == 1 ? "1 fault" : faults.size() + " faults")
                + " in the configuration:"
                + faults.stream().map(fault -> "\n  " + fault).collect(Collectors.joining()));
        this.faults = List.copyOf(faults);
    }

    /** All that is wrong, in the order in which it was found. */
    List<Fault> faults() {
        return faults;
    }

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
}
