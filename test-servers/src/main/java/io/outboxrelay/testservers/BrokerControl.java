package io.outboxrelay.testservers;

/** How a broker is administered, whatever kind it is. */
interface BrokerControl {
    /** Makes a virtual host in which the broker's user may do everything. */
    void createVirtualHost(String name);

    /** Deletes a virtual host with everything in it. */
    void deleteVirtualHost(String name);

    /** Runs a command of rabbitmqctl and returns its output. */
    String run(String... arguments);
}
