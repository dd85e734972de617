package io.outboxrelay.relay.configuration;

import java.util.List;
import java.util.stream.Collectors;

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
}
