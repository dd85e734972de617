package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.OutboxStore.Look;
import io.outboxrelay.relay.lane.Help;
import io.outboxrelay.relay.lane.LaneStore.Closed;
import io.outboxrelay.relay.lane.LaneStore.Incarnation;
import io.outboxrelay.relay.lane.WriterWatch;
import io.outboxrelay.relay.lane.WriterWatch.Writer;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Finds how far the floor of the lanes may rise. It waits for every open transaction that may hold a position. InnoDB
 * does not show who has written to a table, so all open transactions of the server count.
 *
 * <p>A transaction takes its position before it appears in {@code innodb_trx}. So a session that executes a statement
 * counts as well, until it is idle without a transaction or executes another one. If it has a transaction at the next
 * look, that one counts instead. The last position is read first, then the executing sessions, then the transactions:
 * whoever had taken a position by then is in one of the two lists, or has ended.
 *
 * <p>The server may answer from a copy of {@code innodb_trx} that somebody else read a moment ago. A fresh answer shows
 * this session executing the very statement that reads it, which contains a unique name. Otherwise the look proves
 * nothing.
 *
 * <p>It needs the privilege PROCESS. The floor stays at the beginning without it, in a Galera cluster, where the other
 * nodes' transactions are invisible, and on MySQL, which does not name statements. The log says so once. Called by one
 * thread, except for {@link #closed()}.
 */
final class OpenTransactions {

    private static final Logger LOG = LoggerFactory.getLogger(OpenTransactions.class);
    private static final int PRIVILEGE_MISSING = 1227;

    private final String source;
    private final String prefix;
    private final boolean mySql;
    private final JdbcTemplate database;
    private final TransactionTemplate transaction;
    private final WriterWatch watch = new WriterWatch();
    /** Names under which statements without a transaction counted at the last look, by session. */
    private Map<Long, String> statements = new HashMap<>();
    /** Transactions that continue under the name of such a statement, by session. */
    private Map<Long, Alias> aliases = new HashMap<>();

    private @Nullable Tail lastTail;
    private boolean possible = true;

    OpenTransactions(String source, String schema, DataSource connections, boolean mySql) {
        this.source = source;
        this.prefix = MariaDbOutbox.prefix(schema);
        this.database = new JdbcTemplate(connections);
        this.transaction = new TransactionTemplate(new DataSourceTransactionManager(connections));
        this.mySql = mySql;
        if (mySql) {
            sayImpossible("MySQL does not name statements");
        }
    }

    Closed closed() {
        return watch.closed();
    }

    Look look(long now) {
        if (mySql) {
            return new Look(Optional.empty(), false, null);
        }
        Seen seen = Objects.requireNonNull(transaction.execute(status -> see()));
        boolean another = lastTail != null && !seen.tail().continues(lastTail);
        if (another) {
            watch.forget();
        }
        lastTail = seen.tail();
        if (!seen.conclusive()) {
            return new Look(Optional.empty(), another, null);
        }
        if (seen.detached()) {
            // A prepared transaction has no session any more, so it cannot be matched with one that was seen.
            watch.forget();
        }
        return new Look(watch.look(seen.tail().incarnation(), seen.tail().position(), named(seen), now), another, null);
    }

    private Seen see() {
        Tail tail = tail();
        if (!possible) {
            // Floors may have been raised while it was possible.
            return new Seen(tail, List.of(), List.of(), false);
        }
        try {
            // From here on this session has a transaction, and appears in its own look.
            database.queryForList("SELECT lane FROM " + prefix + "outbox_lane LIMIT 1", Integer.class);
            if (Boolean.TRUE.equals(database.queryForObject("""
                    SELECT count(*) > 0 FROM information_schema.global_variables
                    WHERE variable_name = 'WSREP_ON' AND variable_value = 'ON'""", Boolean.class))) {
                sayImpossible("the transactions of a cluster's other nodes cannot be seen");
                return new Seen(tail, List.of(), List.of(), false);
            }
            List<Statement> executing = executing();
            List<Trx> open = open();
            return new Seen(tail, executing, open, true);
        } catch (DataAccessException e) {
            if (e.getMostSpecificCause() instanceof SQLException cause && cause.getErrorCode() == PRIVILEGE_MISSING) {
                sayImpossible("the database user lacks the privilege PROCESS");
                return new Seen(tail, List.of(), List.of(), false);
            }
            throw e;
        }
    }

    private void sayImpossible(String why) {
        possible = false;
        LOG.warn(
                Help.OPEN_TRANSACTIONS_UNSEEN,
                "Source {}: open transactions cannot be seen, because {}. Every read starts at the first row, which is"
                        + " slower behind many recently deleted rows",
                source,
                why);
    }

    /**
     * The counter of positions is that of the server's memory, and counts what was not committed too. The server
     * computes its uptime from the same time of the statement that {@code unix_timestamp()} is: the difference is when
     * it was started, always the same. For servers that were started within one second there is {@code uuid_short()},
     * which counts its calls since then, below a byte for the server's id.
     */
    private Tail tail() {
        String where = prefix.isEmpty() ? "database()" : "'" + prefix.substring(0, prefix.length() - 1) + "'";
        return Objects.requireNonNull(database.queryForObject(
                """
                SELECT coalesce(t.auto_increment, 1) - 1 AS position,
                       INCARNATION AS incarnation, t.create_time AS made,
                       unix_timestamp() - s.variable_value AS started, uuid_short() & 0xffffffffffffff AS looks
                FROM information_schema.tables t, information_schema.global_status s
                WHERE t.table_schema = %s AND t.table_name = 'outbox' AND s.variable_name = 'UPTIME'
                """.replace("INCARNATION", MariaDbOutbox.INCARNATION).formatted(where),
                (row, n) -> new Tail(
                        new Incarnation(row.getString("incarnation")),
                        row.getString("made"),
                        row.getLong("started"),
                        row.getLong("looks"),
                        row.getLong("position"))));
    }

    private List<Statement> executing() {
        return database.query(
                """
                SELECT id, query_id, user, host, db FROM information_schema.processlist
                WHERE command NOT IN ('Sleep', 'Daemon', 'Binlog Dump', 'Slave_IO') AND id <> connection_id()
                """,
                (row, n) -> new Statement(
                        row.getLong("id"),
                        row.getString("query_id"),
                        who(row.getLong("id"), row.getString("user"), row.getString("host"), row.getString("db"))));
    }

    private List<Trx> open() {
        String name = UUID.randomUUID().toString();
        return database.query("""
                SELECT /* %s */ t.trx_id, t.trx_mysql_thread_id, t.trx_started, t.trx_query,
                       date_format(convert_tz(t.trx_started, 'SYSTEM', '+00:00'), '%%Y-%%m-%%dT%%TZ') AS since,
                       t.trx_mysql_thread_id = connection_id() AS own, p.user, p.host, p.db
                FROM information_schema.innodb_trx t
                LEFT JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
                """.formatted(name), (row, n) -> {
            long session = row.getLong("trx_mysql_thread_id");
            String query = row.getString("trx_query");
            return new Trx(
                    session,
                    row.getString("trx_started"),
                    row.getBoolean("own"),
                    query != null && query.contains(name),
                    session == 0
                            ? "a prepared transaction, see XA RECOVER"
                            : who(session, row.getString("user"), row.getString("host"), row.getString("db"))
                                    + ", since " + row.getString("since"));
        });
    }

    private static String who(long session, @Nullable String user, @Nullable String host, @Nullable String db) {
        return "session %d, user %s, from %s, in database %s".formatted(session, user, host, db);
    }

    /** A transaction's name is its session and its beginning; its id may change once it writes. */
    private Map<String, Writer> named(Seen seen) {
        Map<String, Writer> names = new HashMap<>();
        Map<Long, Alias> goOn = new HashMap<>();
        for (Trx trx : seen.others()) {
            Alias alias = aliases.get(trx.session());
            String statement = statements.get(trx.session());
            if (alias != null && alias.started().equals(trx.started())) {
                goOn.put(trx.session(), alias);
            } else if (statement != null) {
                goOn.put(trx.session(), new Alias(trx.started(), statement));
            }
            Alias before = goOn.get(trx.session());
            if (before != null) {
                names.put(before.name(), new Writer(before.name(), trx.who(), Duration.ZERO));
            }
            String name = trx.session() + "/" + trx.started();
            names.put(name, new Writer(name, trx.who(), Duration.ZERO));
        }
        Map<Long, String> without = new HashMap<>();
        for (Statement one : seen.executing()) {
            if (seen.others().stream().noneMatch(trx -> trx.session() == one.session())) {
                String name = one.session() + "/statement " + one.query();
                without.put(one.session(), name);
                names.put(name, new Writer(name, one.who(), Duration.ZERO));
            }
        }
        aliases = goOn;
        statements = without;
        return names;
    }

    private record Alias(String started, String name) {}

    private record Statement(long session, String query, String who) {}

    private record Trx(long session, String started, boolean own, boolean now, String who) {}

    private record Seen(Tail tail, List<Statement> executing, List<Trx> open, boolean possible) {

        boolean conclusive() {
            return possible && open.stream().anyMatch(trx -> trx.own() && trx.now());
        }

        boolean detached() {
            return open.stream().anyMatch(trx -> trx.session() == 0);
        }

        List<Trx> others() {
            return open.stream().filter(trx -> !trx.own()).toList();
        }
    }

    /**
     * The last position that was given out, and what guarantees that the next one is higher.
     *
     * @param incarnation of the server
     * @param made when the table was created
     * @param started the second in which the server was started
     * @param looks grows with every look, until the server is started again
     * @param position the last one
     */
    private record Tail(Incarnation incarnation, String made, long started, long looks, long position) {

        boolean continues(Tail earlier) {
            return made.equals(earlier.made)
                    && started == earlier.started
                    && looks > earlier.looks
                    && position >= earlier.position;
        }
    }
}
