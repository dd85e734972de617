package io.outboxrelay.relay.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Address;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ResolvedInetAddress;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.SocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("server")
class BurstConnectionFactoryTest {

    private static final byte[] BODY = "x".repeat(20).getBytes(StandardCharsets.UTF_8);

    private final AtomicInteger writes = new AtomicInteger();
    private final BurstConnectionFactory factory = new BurstConnectionFactory();
    private TestVirtualHost host;
    private Connection connection;
    private Channel channel;

    @BeforeEach
    void connect() throws Exception {
        host = Servers.rabbitmq().newVirtualHost();
        factory.setUri(host.amqpUri());
        factory.setAutomaticRecoveryEnabled(false);
        factory.setRequestedHeartbeat(1);
        factory.setSocketFactory(new CountingSockets());
        connection = factory.newConnection("burst");
        channel = connection.createChannel();
        channel.queueDeclare("orders", true, false, false, null);
        channel.confirmSelect();
        writes.set(0);
    }

    @AfterEach
    void disconnect() {
        connection.abort(2_000);
        host.close();
    }

    @Test
    void a_burst_is_one_write_where_the_client_alone_makes_one_for_every_message() throws Exception {
        publish(50);
        assertThat(writes.get()).as("not held back").isGreaterThanOrEqualTo(50);
        channel.waitForConfirmsOrDie(10_000);

        writes.set(0);
        factory.holdBack(true);
        publish(50);
        factory.holdBack(false);
        int before = writes.get();
        factory.flush();

        assertThat(before).as("held back, but for heartbeats").isLessThanOrEqualTo(3);
        assertThat(writes.get()).isLessThanOrEqualTo(before + 2);
        channel.waitForConfirmsOrDie(10_000);
        assertThat(channel.messageCount("orders")).isEqualTo(100);
    }

    // hazard 71
    @Test
    void of_the_addresses_of_a_name_the_one_that_was_tried_last_comes_last() throws Exception {
        Address tried = address(connection.getAddress());
        Address other = address(InetAddress.getByAddress(new byte[] {127, 9, 9, 9}));

        for (int n = 0; n < 20; n++) {
            List<Address> order = factory.createAddressResolver(List.of(tried)).maybeShuffle(List.of(tried, other));
            assertThat(order.get(1)).isSameAs(tried);
        }
    }

    private static Address address(InetAddress ip) {
        return new ResolvedInetAddress("broker", ip, 5672);
    }

    @Test
    void heartbeats_pass_while_a_thread_holds_back() throws Exception {
        factory.holdBack(true);

        await().atMost(PublisherHarness.PATIENCE).until(() -> writes.get() >= 3);

        assertThat(connection.isOpen()).isTrue();
        factory.holdBack(false);
    }

    @Test
    void what_another_thread_publishes_is_not_held_back() throws Exception {
        factory.holdBack(true);
        Thread other = new Thread(() -> {
            try {
                publish(1);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        other.start();
        other.join();

        channel.waitForConfirmsOrDie(10_000);
        factory.holdBack(false);
    }

    private void publish(int count) throws IOException {
        for (int n = 0; n < count; n++) {
            channel.basicPublish("", "orders", null, BODY);
        }
    }

    /** Sockets whose writes are counted. */
    private final class CountingSockets extends SocketFactory {

        @Override
        public Socket createSocket() {
            return new Socket() {
                @Override
                public OutputStream getOutputStream() throws IOException {
                    OutputStream plain = super.getOutputStream();
                    return new OutputStream() {
                        @Override
                        public void write(int b) throws IOException {
                            writes.incrementAndGet();
                            plain.write(b);
                        }

                        @Override
                        public void write(byte[] bytes, int from, int length) throws IOException {
                            writes.incrementAndGet();
                            plain.write(bytes, from, length);
                        }
                    };
                }
            };
        }

        @Override
        public Socket createSocket(String name, int port) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(String name, int port, InetAddress local, int localPort) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(InetAddress address, int port) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(InetAddress address, int port, InetAddress local, int localPort) {
            throw new UnsupportedOperationException();
        }
    }
}
