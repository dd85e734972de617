package io.outboxrelay.schemas.contract;

import java.util.List;
import java.util.stream.Collectors;

/** Contracts cannot be read: every fault at once. */
public final class ContractsException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final transient List<ContractFault> faults;

    ContractsException(List<ContractFault> faults) {
        super((faults.size() == 1 ? "1 fault" : faults.size() + " faults")
                + " in the contracts:"
                + faults.stream().map(fault -> "\n  " + fault).collect(Collectors.joining()));
        this.faults = List.copyOf(faults);
    }

    /** {@return all that is wrong, in the order in which it was found} */
    public List<ContractFault> faults() {
        return faults;
    }
}
