package io.outboxrelay.spring;

import com.rabbitmq.client.Address;
import com.rabbitmq.client.ConnectionFactory;
import java.util.List;

/**
 * The nodes of the application's cluster, in the order in which they are tried.
 *
 * @param addresses at least one
 */
record BrokerNodes(List<Address> addresses) {

    /** None, if the factory does not connect to the first of them: then they are not this factory's. */
    List<Address> of(ConnectionFactory broker) {
        Address first = addresses.get(0);
        boolean its = first.getHost().equals(broker.getHost()) && first.getPort() == broker.getPort();
        return its && addresses.size() > 1 ? addresses : List.of();
    }
}
