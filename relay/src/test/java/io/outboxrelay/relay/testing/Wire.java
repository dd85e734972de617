package io.outboxrelay.relay.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A network between a relay and a server: a port of this machine whose connections end at the server. It can be slow,
 * and its connections can die as when a cable is cut or a firewall forgets them: nothing comes through any more, and
 * neither side notices. New connections work.
 */
public final class Wire implements AutoCloseable {

    private final int port;
    private final ServerSocket door;
    private final List<Pair> pairs = new CopyOnWriteArrayList<>();
    private final AtomicInteger connects = new AtomicInteger();
    private volatile InetSocketAddress server;
    private volatile long delayNanos;

    /** One connection: two sockets and whether anything still comes through. */
    private static final class Pair {
        private final Socket relay;
        private final Socket server;
        private volatile boolean dead;

        Pair(Socket relay, Socket server) {
            this.relay = relay;
            this.server = server;
        }

        void close() throws IOException {
            relay.close();
            server.close();
        }
    }

    /** Begins to accept connections for a server. */
    public Wire(String host, int port) throws IOException {
        this.port = port;
        this.server = new InetSocketAddress(host, port);
        this.door = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        background("wire-" + port, this::accept);
    }

    /** The port of this machine that leads to the server. */
    public int port() {
        return door.getLocalPort();
    }

    /** Number of connections, including those while the server was down. */
    public int connects() {
        return connects.get();
    }

    /** New connections end at another server from now on, as when a name moves; those of this moment stay. */
    public void moveTo(String host, int otherPort) {
        server = new InetSocketAddress(host, otherPort);
    }

    /** Ends all connections of this moment, as a server does that goes. */
    public void drop() throws IOException {
        for (Pair pair : List.copyOf(pairs)) {
            pair.close();
        }
    }

    /** From now on the server's answers are delayed. */
    public void delayAnswers(long nanos) {
        delayNanos = nanos;
    }

    /**
     * Lets all connections of this moment die without a word.
     *
     * @return how many
     */
    public int cut() {
        List<Pair> now = List.copyOf(pairs);
        now.forEach(pair -> pair.dead = true);
        return now.size();
    }

    @Override
    public void close() throws IOException {
        door.close();
        for (Pair pair : pairs) {
            pair.close();
        }
    }

    private void accept() {
        while (!door.isClosed()) {
            try {
                Socket relay = door.accept();
                connects.incrementAndGet();
                try {
                    connect(relay, new Socket(server.getAddress(), server.getPort()));
                } catch (IOException e) {
                    relay.close(); // the server is away, and the relay is to see just that
                }
            } catch (IOException e) {
                return;
            }
        }
    }

    private void connect(Socket relay, Socket server) throws IOException {
        relay.setTcpNoDelay(true);
        server.setTcpNoDelay(true);
        Pair pair = new Pair(relay, server);
        pairs.add(pair);
        background("wire-" + port + "-asks", () -> pump(pair, relay, server, false));
        background("wire-" + port + "-answers", () -> pump(pair, server, relay, true));
    }

    private void pump(Pair pair, Socket from, Socket to, boolean answers) {
        byte[] buffer = new byte[16 * 1024];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                if (answers && delayNanos > 0) {
                    LockSupport.parkNanos(delayNanos);
                }
                if (!pair.dead) {
                    out.write(buffer, 0, n);
                }
            }
        } catch (IOException e) {
            // One side has closed; closing informs the other.
        }
        if (!pair.dead) {
            closed(pair);
        }
    }

    private void closed(Pair pair) {
        pairs.remove(pair);
        try {
            pair.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void background(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }
}
