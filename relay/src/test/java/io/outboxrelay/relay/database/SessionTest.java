package io.outboxrelay.relay.database;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.relay.database.Session.Use;
import io.outboxrelay.relay.database.Session.Verdict;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an error reveals about its server. */
class SessionTest {

    // hazard 74
    @ParameterizedTest
    @CsvSource({
        "jdbc:postgresql:, 25006, 0, cannot execute UPDATE in a read-only transaction, LEAVE",
        "jdbc:postgresql:, 57P01, 0, terminating connection due to administrator command, LEAVE",
        "jdbc:postgresql:, 57P02, 0, terminating connection because of crash of another server process, LEAVE",
        "jdbc:postgresql:, 57P03, 0, the database system is shutting down, LEAVE",
        "jdbc:postgresql:, 08006, 0, An I/O error occurred while sending to the backend., LEAVE",
        "jdbc:postgresql:, 57P05, 0, terminating connection due to idle-session timeout, RENEW",
        "jdbc:postgresql:, 57014, 0, canceling statement due to statement timeout, KEEP",
        "jdbc:postgresql:, 40P01, 0, deadlock detected, KEEP",
        "jdbc:postgresql:, 42501, 0, permission denied for table outbox, KEEP",
        "jdbc:mariadb:, HY000, 1290, running with the --read-only option so it cannot execute this statement, LEAVE",
        "jdbc:mysql:, HY000, 1290, running with the --super-read-only option so it cannot execute this statement,"
                + " LEAVE",
        "jdbc:mysql:, HY000, 1290, running with the --secure-file-priv option so it cannot execute this statement,"
                + " KEEP",
        "jdbc:mariadb:, 25006, 1792, Cannot execute statement in a READ ONLY transaction, LEAVE",
        "jdbc:mysql:, HY000, 1836, Running in read-only mode, LEAVE",
        "jdbc:mariadb:, 08S01, 1053, Server shutdown in progress, LEAVE",
        "jdbc:mysql:, HY000, 1665, impossible to write to binary log since BINLOG_FORMAT = STATEMENT, RENEW",
        "jdbc:mariadb:, 42000, 1142, DELETE command denied to user, RENEW",
        "jdbc:mariadb:, 40001, 1213, Deadlock found when trying to get lock, KEEP",
        "jdbc:mysql:, HY000, 1205, Lock wait timeout exceeded, KEEP",
    })
    void an_error_leaves_the_server_or_renews_the_session_or_keeps_it(
            String url, String state, int code, String words, Verdict expected) {
        Session session = Dialect.of(url).orElseThrow().session(Use.HOUSEKEEPING, "public", Duration.ofSeconds(3));

        assertThat(session.verdict(new SQLException(words, state, code))).isEqualTo(expected);
    }
}
