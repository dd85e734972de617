package io.outboxrelay.spring;

import org.springframework.jdbc.core.JdbcTemplate;

/** What the consumer of the example changes. */
class Invoices {

    private final JdbcTemplate jdbc;

    Invoices(JdbcTemplate jdbc) {
        this.jdbc = jdbc;
        jdbc.execute("CREATE TABLE invoice (order_id text, total int)");
    }

    void add(OrderPlaced placed) {
        jdbc.update("INSERT INTO invoice VALUES (?, ?)", placed.orderId(), placed.total());
    }

    void cancel(String orderId) {
        jdbc.update("DELETE FROM invoice WHERE order_id = ?", orderId);
    }
}
