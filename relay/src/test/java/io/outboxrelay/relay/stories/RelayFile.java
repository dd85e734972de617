package io.outboxrelay.relay.stories;

import io.outboxrelay.testservers.TestDatabase;
import java.util.ArrayList;
import java.util.List;

/**
 * A relay's configuration file.
 *
 * @param instance name of the relay
 * @param broker AMQP URI
 * @param sources its databases
 * @param timing its time-outs
 */
record RelayFile(String instance, String broker, List<Database> sources, Timing timing) {

    /** A database as the relay sees it. */
    record Database(String name, String url, String user, String password) {

        static Database of(String name, TestDatabase database) {
            return new Database(name, database.jdbcUrl(), database.user(), database.password());
        }

        /** The same one behind another address. */
        Database at(int port) {
            return new Database(name, url.replaceFirst("//[^/]+/", "//127.0.0.1:" + port + "/"), user, password);
        }
    }

    /** Durations in the notation of the file. */
    record Timing(String lease, String heartbeat, String confirmDeadline, String statementTimeout) {

        /** As short as the rules allow, so that a dead relay's lanes move soon. */
        static final Timing IMPATIENT = new Timing("5s", "500ms", "2s", "1s");

        /** The defaults of a relay, for stories that do not wait for the end of a lease. */
        static final Timing STANDARD = new Timing("15s", "1s", "7s", "5s");

        /** A lease that outlasts the story. */
        static final Timing LONG_LEASE = new Timing("10m", "500ms", "7s", "5s");
    }

    RelayFile named(String other) {
        return new RelayFile(other, broker, sources, timing);
    }

    RelayFile with(Timing other) {
        return new RelayFile(instance, broker, sources, other);
    }

    /** The same broker behind another port of this machine. */
    RelayFile withBrokerAt(int port) {
        String other = broker.replaceFirst("@[^/]+/", "@127.0.0.1:" + port + "/");
        return new RelayFile(instance, other, sources, timing);
    }

    RelayFile withSource(Database source) {
        return new RelayFile(instance, broker, List.of(source), timing);
    }

    RelayFile andSource(Database source) {
        List<Database> all = new ArrayList<>(sources);
        all.add(source);
        return new RelayFile(instance, broker, all, timing);
    }

    String yaml() {
        StringBuilder yaml = new StringBuilder();
        yaml.append("instance: %s%nsources:%n".formatted(instance));
        for (Database source : sources) {
            yaml.append("""
                      - name: %s
                        url: "%s"
                        user: "%s"
                        password: "%s"
                        statement-timeout: %s
                    """.formatted(source.name, source.url, source.user, source.password, timing.statementTimeout));
        }
        // Small batches, so that a kill hits the middle of one.
        yaml.append("""
                broker:
                  uri: "%s"
                  exchange: events
                  heartbeat: 2s
                  connect-timeout: 2s
                publish:
                  batch-events: 60
                  confirm-deadline: %s
                retry:
                  first-backoff: 100ms
                  longest-backoff: 1s
                lease:
                  duration: %s
                  heartbeat: %s
                http:
                  host: 127.0.0.1
                  port: 0
                """.formatted(broker, timing.confirmDeadline, timing.lease, timing.heartbeat));
        return yaml.toString();
    }
}
