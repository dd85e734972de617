package io.outboxrelay.relay.rabbitmq;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ChannelContinuationTimeoutException;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import io.outboxrelay.relay.lane.Backoff;
import io.outboxrelay.relay.lane.Help;
import io.outboxrelay.relay.lane.LogKeys;
import io.outboxrelay.relay.lane.OncePerMinute;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.rabbitmq.BrokerSettings.Topology;
import java.io.IOException;
import java.net.URISyntaxException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One source's connection to the broker. A thread of its own connects, waits until the connection is lost, and connects
 * again, with backoff and jitter. Lanes ask for channels; they get none while there is no connection.
 */
public final class Broker implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Broker.class);
    private static final Duration LONGEST_BACKOFF = Duration.ofSeconds(5);
    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(200), LONGEST_BACKOFF);
    private static final Duration EXCHANGE_CHECKED_AGAIN_AFTER = Duration.ofSeconds(1);
    private static final int CLOSE_TIMEOUT_MILLIS = 2_000;
    private static final int MOST_EXCHANGES_REMEMBERED = 10_000;

    private static final String NO_ANSWER =
            "it did not answer when a channel was to be opened; the node may be frozen or"
                    + " overloaded, or hold up the connection for a queue that does not confirm";

    private final String source;
    private final String instance;
    private final BrokerSettings settings;
    private final BurstConnectionFactory factory;
    private final @Nullable Management management;
    private final Thread keeper;
    private final Map<String, ExchangeState> exchanges = new ConcurrentHashMap<>();
    private volatile @Nullable Connection connection;
    private volatile @Nullable String blocked;
    private volatile String trouble = "not connected yet";
    private volatile @Nullable String channelTrouble;
    private volatile boolean closed;
    private final OncePerMinute channelReports = new OncePerMinute();
    private final OncePerMinute connectionReports = new OncePerMinute();

    // Of the keeper's thread: failures in a row, to connect or to stay connected, and whether one was logged.
    private int failures;
    private boolean complaining;

    /** @param missing why it cannot be published to; null when it exists */
    private record ExchangeState(@Nullable String missing, long lookedAt) {}

    /**
     * @param source name of the source that is published
     * @param instance name of this relay, shown in the broker's list of connections
     * @param settings where the broker is
     * @throws IllegalArgumentException if the settings cannot be used, for instance a trust store that cannot be read
     */
    public Broker(String source, String instance, BrokerSettings settings) {
        this(
                source,
                instance,
                settings,
                virtualHost -> settings.management() == null
                        ? null
                        : new Management(source, settings.management(), settings, virtualHost));
    }

    private Broker(
            String source,
            String instance,
            BrokerSettings settings,
            Function<String, @Nullable Management> managementOf) {
        this.source = source;
        this.instance = instance;
        this.settings = settings;
        this.factory = factory(settings);
        this.management = managementOf.apply(factory.getVirtualHost());
        this.keeper = new Thread(() -> keepConnected("outbox-relay " + source + " " + instance), source + "-broker");
    }

    /** Returns one to the same broker, with a connection of its own, not yet started. */
    Broker another() {
        return new Broker(source, instance, settings, virtualHost -> management);
    }

    String source() {
        return source;
    }

    /** Starts to connect. */
    public void start() {
        keeper.start();
    }

    /** Returns why nothing can be published at the moment; empty when it can. */
    public Optional<String> trouble() {
        Connection current = connection;
        if (current == null || !current.isOpen()) {
            return Optional.of("no connection to the broker " + address() + ": " + trouble);
        }
        String reason = blocked;
        return reason == null
                ? Optional.empty()
                : Optional.of("the broker " + address() + " blocks publishing: " + reason);
    }

    /** Returns whether events can be sent. */
    boolean ready() {
        Connection current = connection;
        return current != null && blocked == null && current.isOpen();
    }

    /** Opens a channel in confirm mode; empty when there is no connection, or for the {@link #channelTrouble()}. */
    Optional<Channel> openChannel() {
        Connection current = connection;
        if (current == null || !current.isOpen()) {
            return Optional.empty();
        }
        try {
            return Optional.of(open(current, Channel::confirmSelect));
        } catch (IOException | ShutdownSignalException e) {
            String why = ConnectionTrouble.inWords(e);
            channelTrouble = "no channel can be opened at the broker " + address() + ": " + why;
            LOG.debug("Source {}: no channel could be opened", source, e);
            if (current.isOpen()) { // otherwise the keeper reports it
                channelReports.occurred(count -> LOG.warn(
                        Help.NO_CHANNEL,
                        "Source {}: no channel can be opened at the broker {}: {}; a lane waits for one",
                        source,
                        address(),
                        why));
            }
            return Optional.empty();
        }
    }

    /** Returns why a channel could not be opened the last time that none could; null when each could so far. */
    @Nullable
    String channelTrouble() {
        return channelTrouble;
    }

    /** Keeps the current thread's publishes in the buffer, or not. */
    void holdBack(boolean held) {
        factory.holdBack(held);
    }

    /** Writes the buffer. */
    void flush() throws IOException {
        factory.flush();
    }

    /**
     * Returns why an exchange cannot be published to; empty when it can. The answer is remembered: as long as the
     * connection lasts if the exchange exists, for a second if it does not.
     */
    Optional<String> missing(String exchange) {
        ExchangeState state = exchanges.get(exchange);
        long now = System.nanoTime();
        if (state == null || state.missing != null && now - state.lookedAt > EXCHANGE_CHECKED_AGAIN_AFTER.toNanos()) {
            if (exchanges.size() >= MOST_EXCHANGES_REMEMBERED) {
                exchanges.clear();
            }
            state = new ExchangeState(look(exchange), now);
            exchanges.put(exchange, state);
        }
        return Optional.ofNullable(state.missing);
    }

    /** Asks whether a queue of the virtual host is down; empty when there is no management API to ask. */
    Optional<CompletableFuture<Management.Answer>> askForQueues() {
        return Optional.ofNullable(management).map(Management::ask);
    }

    /** Checks the exchanges again before the next publish: one of them may be gone. */
    void forgetExchanges() {
        exchanges.clear();
    }

    /** Closes the connection and ends the thread. */
    @Override
    public void close() {
        closed = true;
        keeper.interrupt();
        try {
            keeper.join(2L * CLOSE_TIMEOUT_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private @Nullable String look(String exchange) {
        if (exchange.isEmpty()) {
            return null; // the default exchange always exists and cannot be declared
        }
        if (succeeds(channel -> channel.exchangeDeclarePassive(exchange))) {
            return null;
        }
        if (settings.declares(exchange) && succeeds(channel -> channel.exchangeDeclare(exchange, "topic", true))) {
            LOG.info("Source {}: declared the topic exchange '{}'", source, exchange);
            return null;
        }
        if (!ready()) {
            return null; // unknown; the next connection asks again
        }
        return missingInWords(settings, exchange, address());
    }

    static String missingInWords(BrokerSettings settings, String exchange, String address) {
        return "the exchange '" + exchange + "' does not exist on " + address
                + (settings.declares(exchange)
                        ? " and could not be declared"
                        : settings.topology() == Topology.DECLARE
                                ? "; create it, or let the relay do so by naming it in broker.declare-exchanges"
                                : "; create it, or let the relay do so by broker.topology: declare");
    }

    private interface ChannelCall {
        Object on(Channel channel) throws IOException;
    }

    /**
     * Opens a channel and makes a first call. If the broker does not answer, the connection has lost a channel number.
     */
    private Channel open(Connection current, ChannelCall first) throws IOException {
        try {
            Channel channel = current.createChannel();
            if (channel == null) {
                throw new IOException(
                        "it allows no more than " + current.getChannelMax() + " channels on a connection");
            }
            first.on(channel);
            return channel;
        } catch (ChannelContinuationTimeoutException e) {
            giveUp(current);
            throw e;
        }
    }

    private void giveUp(Connection silent) {
        if (blocked == null) { // a broker that blocks publishing answers later
            trouble = NO_ANSWER;
            silent.abort(CLOSE_TIMEOUT_MILLIS);
        }
    }

    /** Makes a call on a channel of its own: the broker closes the channel to refuse it. */
    private boolean succeeds(ChannelCall call) {
        Connection current = connection;
        if (current == null) {
            return false;
        }
        try {
            open(current, call).close();
            return true;
        } catch (IOException | TimeoutException | ShutdownSignalException e) {
            LOG.debug("Source {}: the broker refused a call", source, e);
            return false;
        }
    }

    private void keepConnected(String name) {
        LogKeys.thisThreadServes(source);
        while (!closed) {
            try {
                Connection current = factory.newConnection(name);
                long since = System.nanoTime();
                serve(current);
                if (System.nanoTime() - since > LONGEST_BACKOFF.toNanos() && !trouble.equals(NO_ANSWER)) {
                    failures = 0; // it has lasted
                }
                failed("lost the connection to");
            } catch (InterruptedException e) {
                return;
            } catch (Exception e) {
                trouble = ConnectionTrouble.inWords(e);
                failed("no connection to");
            }
            if (!closed && !slept()) {
                return;
            }
        }
    }

    /** Notes that connecting failed, or that a connection did not last. */
    private void failed(String what) {
        failures++;
        if (closed) {
            return;
        }
        if (failures == 1) {
            connectionReports.reset();
        }
        connectionReports.occurred(count -> {
            complaining = true;
            LOG.warn(
                    Help.BROKER_CONNECTION,
                    "Source {}: {} the broker {} ({}){}; events stay in the outbox; reconnecting at most every {} s",
                    source,
                    what,
                    address(),
                    trouble,
                    failures == 1 ? "" : ", " + failures + " times in a row",
                    LONGEST_BACKOFF.toSeconds());
        });
    }

    /** Returns when the connection is lost, and leaves none open. */
    private void serve(Connection current) throws InterruptedException {
        CountDownLatch lost = new CountDownLatch(1);
        current.addShutdownListener(cause -> {
            if (!cause.isInitiatedByApplication()) {
                trouble = ConnectionTrouble.inWords(cause);
            }
            lost.countDown();
        });
        exchanges.clear();
        blocked = null;
        current.addBlockedListener(
                reason -> {
                    blocked = reason;
                    LOG.atWarn()
                            .addMarker(Help.BROKER_BLOCKED)
                            .addKeyValue(LogKeys.SOURCE, source)
                            .log("Source {}: the broker {} blocks publishing: {}; waiting", source, address(), reason);
                },
                () -> {
                    blocked = null;
                    LOG.atInfo()
                            .addKeyValue(LogKeys.SOURCE, source)
                            .log("Source {}: the broker {} accepts events again", source, address());
                });
        try {
            connection = current;
            if (complaining || failures == 0) {
                complaining = false;
                LOG.info("Source {}: connected to the broker {}", source, address());
            }
            Template exchange = Template.of(settings.exchange());
            if (exchange.isConstant() && settings.topology() != Topology.NONE) {
                missing(settings.exchange())
                        .ifPresent(missing -> LOG.error(
                                Help.about(Reason.EXCHANGE_MISSING),
                                "Source {}: {}; events wait until it exists",
                                source,
                                missing));
            }
            if (!closed) {
                lost.await();
            }
        } finally {
            connection = null;
            current.abort(CLOSE_TIMEOUT_MILLIS);
        }
    }

    private boolean slept() {
        try {
            TimeUnit.NANOSECONDS.sleep(
                    BACKOFF.after(failures, RandomGenerator.getDefault()).toNanos());
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    private String address() {
        return address(factory);
    }

    static String address(BurstConnectionFactory factory) {
        return factory.getHost() + ":" + factory.getPort() + " (virtual host " + factory.getVirtualHost() + ")";
    }

    /**
     * Returns what opens connections.
     *
     * @throws IllegalArgumentException if the settings cannot be used
     */
    static BurstConnectionFactory factory(BrokerSettings settings) {
        BurstConnectionFactory factory = new BurstConnectionFactory();
        try {
            factory.setUri(settings.uri());
            if (factory.isSSL()) {
                Tls.use(factory, settings);
            }
        } catch (URISyntaxException | GeneralSecurityException | IOException e) {
            throw new IllegalArgumentException("The broker's settings cannot be used: " + e.getMessage(), e);
        }
        // Without it, closing a connection first writes its buffer, and waits for a peer that is gone.
        factory.setShutdownExecutor(Executors.newCachedThreadPool(work -> {
            Thread thread = new Thread(work, "broker-shutdown");
            thread.setDaemon(true);
            return thread;
        }));
        factory.setAutomaticRecoveryEnabled(false);
        factory.setTopologyRecoveryEnabled(false);
        factory.setRequestedHeartbeat((int) settings.heartbeat().toSeconds());
        factory.setConnectionTimeout((int) settings.connectTimeout().toMillis());
        factory.setHandshakeTimeout((int) settings.connectTimeout().toMillis());
        factory.setChannelRpcTimeout((int) settings.connectTimeout().toMillis());
        return factory;
    }
}
