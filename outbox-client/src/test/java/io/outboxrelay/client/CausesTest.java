package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.dao.CannotAcquireLockException;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.dao.OptimisticLockingFailureException;
import org.springframework.dao.PessimisticLockingFailureException;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.transaction.TransactionSystemException;

class CausesTest {

    @ParameterizedTest
    @CsvSource({
        "40P01, 0, deadlock on PostgreSQL",
        "40001, 0, serialization failure",
        "55P03, 0, lock timeout on PostgreSQL",
        "40001, 1213, deadlock on MariaDB",
        "HY000, 1205, lock wait timeout on MariaDB",
        "HY000, 3572, NOWAIT on MySQL"
    })
    void contention_is_found_by_state_or_code_wherever_it_is(String state, int code, String reason) { // hazard 88
        SQLException found = new SQLException(reason, state, code);
        assertThat(Causes.sayContention(found)).isTrue();
        assertThat(Causes.sayContention(new IllegalStateException(new RuntimeException(found))))
                .isTrue();
        assertThat(Causes.sayConnectionLoss(found)).isFalse();
    }

    @Test
    void contention_is_found_in_what_spring_makes_of_it() { // hazard 88
        assertThat(Causes.sayContention(new CannotAcquireLockException("translated")))
                .isTrue();
        assertThat(Causes.sayContention(new PessimisticLockingFailureException("translated")))
                .isTrue();
        assertThat(Causes.sayContention(new RuntimeException(new OptimisticLockingFailureException("stale"))))
                .isTrue();
        assertThat(Causes.sayContention(new DataIntegrityViolationException("not unique")))
                .isFalse();
    }

    @Test
    void a_reason_is_found_in_a_batch_and_behind_a_rollback_that_failed_too() {
        BatchUpdateException batch = new BatchUpdateException();
        batch.setNextException(new SQLException("deadlock", "40P01"));
        assertThat(Causes.sayContention(new RuntimeException(batch))).isTrue();

        TransactionSystemException rollback = new TransactionSystemException("rollback");
        rollback.initApplicationException(new RuntimeException(new SQLException("closed", "08006")));
        assertThat(Causes.sayConnectionLoss(rollback)).isTrue();
    }

    @Test
    void a_connection_that_could_not_be_had_is_a_lost_one() {
        assertThat(Causes.sayConnectionLoss(
                        new CannotCreateTransactionException("none", new SQLTransientConnectionException())))
                .isTrue();
        assertThat(Causes.sayConnectionLoss(new SQLException("terminated", "57P01")))
                .isTrue();
        assertThat(Causes.sayConnectionLoss(new SQLException("killed", "70100", 1927)))
                .isTrue();
        assertThat(Causes.sayConnectionLoss(new SQLException("duplicate", "23505")))
                .isFalse();
    }

    @Test
    void a_circle_of_causes_comes_to_an_end() {
        RuntimeException one = new RuntimeException();
        RuntimeException other = new RuntimeException(one);
        one.initCause(other);
        assertThat(Causes.sayContention(one)).isFalse();
    }
}
