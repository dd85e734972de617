package io.outboxrelay.testservers;

import java.util.Base64;

/** A broker that one test has for itself and may kill. One thread at a time calls it. */
public final class PrivateRabbitMq implements AutoCloseable {
    private final RabbitMq server;
    private final ServerControl machinery;
    private final TlsPorts tlsPorts;

    /**
     * Where the broker can be made to listen for TLS.
     *
     * @param here the port for clients on this machine
     * @param there the same port as the broker sees it
     */
    record TlsPorts(int here, int there) {}

    PrivateRabbitMq(RabbitMq server, ServerControl machinery, TlsPorts tlsPorts) {
        this.server = server;
        this.machinery = machinery;
        this.tlsPorts = tlsPorts;
    }

    /**
     * The server itself, for code that does not care that it is private.
     *
     * @return valid until {@link #close}
     */
    public RabbitMq server() {
        return server;
    }

    /**
     * Kind and version of the server, for people to read.
     *
     * @return as {@link RabbitMq#name}
     */
    public String name() {
        return server.name();
    }

    /**
     * Creates an empty virtual host with a unique name.
     *
     * @return the virtual host; closing it deletes it
     * @throws IllegalStateException when the broker does not answer or refuses
     */
    public TestVirtualHost newVirtualHost() {
        return server.newVirtualHost();
    }

    /**
     * Runs a management command on the broker's node.
     *
     * @param arguments what one would write after {@code rabbitmqctl}
     * @return what the command printed to its standard output
     * @throws IllegalStateException when the command failed, with its output
     * @throws UnsupportedOperationException when the broker is the embedded one, which has no such commands
     */
    public String control(String... arguments) {
        return server.control(arguments);
    }

    /**
     * Where the broker listens for TLS, once {@link #listenForTls} was called.
     *
     * @return a TCP port of {@link TestVirtualHost#host}
     */
    public int tlsPort() {
        return tlsPorts.here();
    }

    /**
     * Makes the broker listen for TLS, with a certificate of the test's own. A call after the first one replaces the
     * certificate for new connections. Does not survive the broker's end.
     *
     * @param certificate the certificate, DER
     * @param privateKey its key, PKCS#8
     * @throws IllegalStateException when the broker refuses
     * @throws UnsupportedOperationException when the broker is the embedded one
     */
    public void listenForTls(byte[] certificate, byte[] privateKey) {
        Base64.Encoder base64 = Base64.getEncoder();
        // Stopping a listener may also end the next one on its port, so check it and start it again.
        control("eval", """
                {ok, _} = application:ensure_all_started(ssl),
                Listen = fun() ->
                    catch rabbit_networking:stop_tcp_listener(%1$d),
                    rabbit_networking:start_ssl_listener(%1$d, [
                        {cert, base64:decode("%2$s")}, {key, {'PrivateKeyInfo', base64:decode("%3$s")}}], 2),
                    timer:sleep(200),
                    {ok, Socket} = gen_tcp:connect({127, 0, 0, 1}, %1$d, [], 2000),
                    gen_tcp:close(Socket)
                end,
                true = lists:any(fun(_) -> (catch Listen()) =:= ok end, lists:seq(1, 10)).
                """.formatted(
                        tlsPorts.there(), base64.encodeToString(certificate), base64.encodeToString(privateKey)));
    }

    /**
     * Ends all processes of the server with SIGKILL and waits until they are gone; nothing if it is down.
     *
     * @throws UnsupportedOperationException when the server is an embedded one that lives in this JVM
     */
    public void kill() {
        machinery.kill();
    }

    /**
     * Asks the server to stop and waits until it has; nothing if it is down.
     *
     * @throws UnsupportedOperationException when the server is an embedded one that lives in this JVM
     */
    public void stop() {
        machinery.stop();
    }

    /**
     * Starts the server again, on the same port with the same data, and waits until it answers; nothing if it runs.
     *
     * @throws IllegalStateException when it does not answer in time, with the end of its log
     * @throws UnsupportedOperationException when the server is an embedded one that lives in this JVM
     */
    public void start() {
        machinery.start();
    }

    /**
     * Suspends all processes of the server: its sockets stay open and silent, new connections are not served.
     *
     * @throws UnsupportedOperationException when the server is an embedded one that lives in this JVM
     */
    public void freeze() {
        machinery.freeze();
    }

    /**
     * Lets a frozen server run again.
     *
     * @throws UnsupportedOperationException when the server is an embedded one that lives in this JVM
     */
    public void thaw() {
        machinery.thaw();
    }

    @Override
    public String toString() {
        return server.toString();
    }

    /** Kills the server, frozen or not, and removes its files. */
    @Override
    public void close() {
        machinery.close();
    }
}
