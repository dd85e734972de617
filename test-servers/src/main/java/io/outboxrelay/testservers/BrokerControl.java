package io.outboxrelay.testservers;

import java.util.List;

/** How a broker is administered, whatever kind it is. */
interface BrokerControl {
    /** Whether the broker runs, as far as that is known without asking it. */
    boolean isRunning();

    /**
     * Creates and deletes virtual hosts. The broker's user may do everything in the new ones.
     *
     * @param create names of new virtual hosts
     * @param delete names of virtual hosts that are deleted with everything in them; one that does not exist is skipped
     */
    void changeVirtualHosts(List<String> create, List<String> delete);

    /** Runs a command of rabbitmqctl and returns its output. */
    String run(String... arguments);
}
