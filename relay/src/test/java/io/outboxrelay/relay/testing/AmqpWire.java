package io.outboxrelay.relay.testing;

import com.rabbitmq.client.AMQP;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A port of this machine that leads to a broker and understands the frames that pass (AMQP 0-9-1, section 2.3.5): a
 * test may hold back, change and add some. So client and broker are real, and one of them shows rare behaviour.
 */
public final class AmqpWire implements AutoCloseable {

    private static final int BASIC = 60;
    private static final int RETURN = 50;
    private static final int ACK = 80;
    private static final int NACK = 120;

    /** Decides about a frame. */
    public interface Change {
        List<Frame> of(Frame frame);
    }

    /**
     * A frame.
     *
     * @param end the octet that ends it; any other than {@link AMQP#FRAME_END} is an error that a broker answers by
     *     closing the connection
     */
    @SuppressWarnings("ArrayRecordComponent")
    public record Frame(int type, int channel, byte[] payload, int end) {

        /** A broker's confirm. */
        public static Frame ack(int channel, long tag, boolean multiple) {
            return confirm(channel, ACK, tag, multiple);
        }

        /** A broker's refusal. */
        public static Frame nack(int channel, long tag, boolean multiple) {
            return confirm(channel, NACK, tag, multiple);
        }

        private static Frame confirm(int channel, int method, long tag, boolean multiple) {
            ByteBuffer payload = ByteBuffer.allocate(13);
            payload.putShort((short) BASIC)
                    .putShort((short) method)
                    .putLong(tag)
                    .put((byte) (multiple ? 1 : 0));
            return new Frame(AMQP.FRAME_METHOD, channel, payload.array(), AMQP.FRAME_END);
        }

        /** Whether it is a broker's confirm. */
        public boolean isAck() {
            return is(ACK);
        }

        /** Whether a message comes back behind it: in a header frame, and a body frame where it has a body. */
        public boolean isReturn() {
            return is(RETURN);
        }

        private boolean is(int method) {
            return type == AMQP.FRAME_METHOD
                    && ByteBuffer.wrap(payload).getShort(0) == BASIC
                    && ByteBuffer.wrap(payload).getShort(2) == method;
        }

        /** Of a confirm. */
        public long tag() {
            return ByteBuffer.wrap(payload).getLong(4);
        }

        /** Whether these bytes are in it. */
        public boolean contains(byte[] bytes) {
            for (int i = 0; i + bytes.length <= payload.length; i++) {
                if (Arrays.equals(payload, i, i + bytes.length, bytes, 0, bytes.length)) {
                    return true;
                }
            }
            return false;
        }

        /** The same frame, but broken. */
        public Frame broken() {
            return new Frame(type, channel, payload, 0);
        }
    }

    private final String host;
    private final int port;
    private final ServerSocket door;
    private final Change asked;
    private final Change answered;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private volatile @Nullable DataOutputStream newest;

    /**
     * Begins to accept connections for a broker.
     *
     * @param asked handles the client's frames
     * @param answered handles the broker's frames
     */
    public AmqpWire(String host, int port, Change asked, Change answered) throws IOException {
        this.host = host;
        this.port = port;
        this.asked = asked;
        this.answered = answered;
        this.door = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        background(this::accept);
    }

    /** The port of this machine that leads to the broker. */
    public int port() {
        return door.getLocalPort();
    }

    /** Sends something to the client of the newest connection, as if the broker had sent it. */
    public void say(Frame frame) throws IOException {
        write(Objects.requireNonNull(newest), frame);
    }

    @Override
    public void close() throws IOException {
        door.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    private void accept() throws IOException {
        while (!door.isClosed()) {
            Socket client = door.accept();
            Socket broker = new Socket(host, port);
            client.setTcpNoDelay(true);
            broker.setTcpNoDelay(true);
            sockets.addAll(List.of(client, broker));
            DataOutputStream toClient = new DataOutputStream(client.getOutputStream());
            DataOutputStream toBroker = new DataOutputStream(broker.getOutputStream());
            newest = toClient;
            background(() -> {
                try (client;
                        broker) {
                    DataInputStream in = new DataInputStream(client.getInputStream());
                    toBroker.write(in.readNBytes(8)); // the protocol header is no frame
                    pass(in, toBroker, asked);
                }
            });
            background(() -> {
                try (client;
                        broker) {
                    pass(new DataInputStream(broker.getInputStream()), toClient, answered);
                }
            });
        }
    }

    private static void pass(DataInputStream in, DataOutputStream out, Change change) throws IOException {
        while (true) {
            int type = in.readUnsignedByte();
            int channel = in.readUnsignedShort();
            byte[] payload = in.readNBytes(in.readInt());
            for (Frame frame : change.of(new Frame(type, channel, payload, in.readUnsignedByte()))) {
                write(out, frame);
            }
        }
    }

    private static void write(DataOutputStream out, Frame frame) throws IOException {
        synchronized (out) {
            out.writeByte(frame.type);
            out.writeShort(frame.channel);
            out.writeInt(frame.payload.length);
            out.write(frame.payload);
            out.writeByte(frame.end);
            out.flush();
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void background(Work work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (IOException e) {
                        // One side has closed, and the close was passed on to the other.
                    }
                },
                "amqp-wire");
        thread.setDaemon(true);
        thread.start();
    }
}
