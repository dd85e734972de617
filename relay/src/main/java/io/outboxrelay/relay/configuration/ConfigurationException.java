package io.outboxrelay.relay.configuration;

import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The relay cannot start with its configuration: all faults at once, without secrets. */
public final class ConfigurationException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final transient List<Fault> faults;

    ConfigurationException(List<Fault> faults) {
        super((faults.size() == 1 ? "1 fault" : faults.size() + " faults")
                + " in the configuration:"
                + faults.stream().map(fault -> "\n  " + fault).collect(Collectors.joining()));
        this.faults = List.copyOf(faults);
    }

    /** {@return all faults, in the order in which they were found} */
    List<Fault> faults() {
        return faults;
    }

    /**
     * One fault of the configuration.
     *
     * @param key the key, as it would be written in the file
     * @param shown its value, masked; null if there is none, or if it may be a secret
     * @param origin where it was set
     * @param problem what is wrong and what to do about it, in sentences
     */
    record Fault(String key, @Nullable String shown, String origin, String problem) {

        @Override
        public String toString() {
            return key + (shown == null ? "" : " = \"" + shown + "\"") + " (" + origin + ") " + problem;
        }
    }
}
