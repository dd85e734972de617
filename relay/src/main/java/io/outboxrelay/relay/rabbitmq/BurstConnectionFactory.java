package io.outboxrelay.relay.rabbitmq;

import static java.util.Comparator.comparing;

import com.rabbitmq.client.Address;
import com.rabbitmq.client.AddressResolver;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.impl.AMQConnection;
import com.rabbitmq.client.impl.Frame;
import com.rabbitmq.client.impl.FrameHandler;
import com.rabbitmq.client.impl.FrameHandlerFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Connections that do not write their socket for every message. While a thread holds back, the flush at the end of each
 * of its publishes does nothing; {@link #flush()} writes the buffer. Other threads, and so heartbeats, are never held
 * back.
 */
final class BurstConnectionFactory extends ConnectionFactory {

    private final ThreadLocal<Boolean> holdingBack = ThreadLocal.withInitial(() -> false);
    private volatile @Nullable FrameHandler newest;
    private volatile @Nullable InetAddress tried;

    @Override
    protected synchronized FrameHandlerFactory createFrameHandlerFactory() throws IOException {
        FrameHandlerFactory plain = super.createFrameHandlerFactory();
        return (address, name) -> {
            tried = ip(address);
            FrameHandler handler = plain.create(address, name);
            newest = handler;
            return new HeldBack(handler);
        };
    }

    /** Of several addresses of the host's name, the one that was tried last comes last: it has just failed. */
    @Override
    protected AddressResolver createAddressResolver(List<Address> addresses) {
        AddressResolver plain = super.createAddressResolver(addresses);
        return new AddressResolver() {
            @Override
            public List<Address> getAddresses() throws IOException {
                return plain.getAddresses();
            }

            @Override
            public List<Address> maybeShuffle(List<Address> resolved) {
                List<Address> shuffled = new ArrayList<>(plain.maybeShuffle(resolved));
                shuffled.sort(comparing(address -> Objects.equals(ip(address), tried)));
                return shuffled;
            }
        };
    }

    /** Addresses of one name are equal to the client, whatever they were resolved to. */
    private static @Nullable InetAddress ip(Address address) {
        return address.toInetSocketAddress(DEFAULT_AMQP_PORT).getAddress();
    }

    /** Makes the current thread's publishes stay in the buffer, or not. */
    void holdBack(boolean held) {
        holdingBack.set(held);
    }

    /** Writes what is in the buffer of the newest connection. */
    void flush() throws IOException {
        FrameHandler handler = newest;
        if (handler != null) {
            handler.flush();
        }
    }

    private final class HeldBack implements FrameHandler {

        private final FrameHandler handler;

        HeldBack(FrameHandler handler) {
            this.handler = handler;
        }

        @Override
        public void flush() throws IOException {
            if (!holdingBack.get()) {
                handler.flush();
            }
        }

        @Override
        public boolean internalHearbeat() {
            return handler.internalHearbeat();
        }

        @Override
        public void finishConnectionNegotiation() {
            handler.finishConnectionNegotiation();
        }

        @Override
        public void setTimeout(int timeoutMs) throws SocketException {
            handler.setTimeout(timeoutMs);
        }

        @Override
        public int getTimeout() throws SocketException {
            return handler.getTimeout();
        }

        @Override
        public void sendHeader() throws IOException {
            handler.sendHeader();
        }

        @Override
        public void initialize(AMQConnection connection) {
            handler.initialize(connection);
        }

        @Override
        public Frame readFrame() throws IOException {
            return handler.readFrame();
        }

        @Override
        public void writeFrame(Frame frame) throws IOException {
            handler.writeFrame(frame);
        }

        @Override
        public void close() {
            handler.close();
        }

        @Override
        public InetAddress getLocalAddress() {
            return handler.getLocalAddress();
        }

        @Override
        public int getLocalPort() {
            return handler.getLocalPort();
        }

        @Override
        public InetAddress getAddress() {
            return handler.getAddress();
        }

        @Override
        public int getPort() {
            return handler.getPort();
        }
    }
}
