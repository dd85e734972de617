package io.outboxrelay.client;

import io.outboxrelay.testservers.TestDatabase;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * What consumers do for events that are numbered within their aggregates, in tables that show afterwards what was lost,
 * happened twice, or happened too early. An effect changes the row of its aggregate, so it meets any other effect of
 * that aggregate that has not committed yet. Safe for many threads and processes.
 */
record OrderedEffects(JdbcTemplate jdbc) {

    OrderedEffects(DataSource source) {
        this(new JdbcTemplate(source));
    }

    /**
     * How the effects compare with the events.
     *
     * @param lost events without an effect
     * @param twice effects of events that had one before
     * @param outOfOrder effects that were not those of the next event of their aggregate
     */
    record Verdict(long lost, long twice, long outOfOrder) {

        static final Verdict GOOD = new Verdict(0, 0, 0);
    }

    /** Creates the tables, with aggregates that are numbered from 0. */
    static OrderedEffects create(TestDatabase database, int aggregates) {
        OrderedEffects effects = new OrderedEffects(new JdbcTemplate(database.sessions()));
        effects.jdbc.execute("CREATE TABLE effect_aggregate"
                + " (id int PRIMARY KEY, last int NOT NULL, out_of_order int NOT NULL)");
        effects.jdbc.execute("CREATE TABLE ordered_effect"
                + " (aggregate int NOT NULL, number int NOT NULL, event_id varchar(36) NOT NULL,"
                + " instance varchar(60) NOT NULL)");
        effects.jdbc.execute("CREATE INDEX ordered_effect_event ON ordered_effect (event_id)");
        // One statement: each would have a connection of its own, and a commit.
        effects.jdbc.execute(IntStream.range(0, aggregates)
                .mapToObj(aggregate -> "(" + aggregate + ", 0, 0)")
                .collect(Collectors.joining(", ", "INSERT INTO effect_aggregate VALUES ", "")));
        return effects;
    }

    /** The effect of an event, in the transaction of its handler. */
    void add(ReceivedEvent event, String instance) {
        NumberedEvent numbered = NumberedEvent.of(event);
        // MariaDB assigns from left to right, so that the last number is still the one before.
        jdbc.update(
                "UPDATE effect_aggregate SET out_of_order = out_of_order + CASE WHEN last = ? - 1 THEN 0 ELSE 1 END,"
                        + " last = CASE WHEN last < ? THEN ? ELSE last END WHERE id = ?",
                numbered.number(),
                numbered.number(),
                numbered.number(),
                numbered.aggregate());
        jdbc.update(
                "INSERT INTO ordered_effect VALUES (?, ?, ?, ?)",
                numbered.aggregate(),
                numbered.number(),
                event.id().toString(),
                instance);
    }

    /** How many effects there are. */
    int count() {
        return number("SELECT count(*) FROM ordered_effect");
    }

    /** How many effects each of the instances has made, those without one left out. */
    Map<String, Integer> byInstance() {
        Map<String, Integer> effects = new TreeMap<>();
        jdbc.query("SELECT instance, count(*) FROM ordered_effect GROUP BY instance", row -> {
            effects.put(row.getString(1), row.getInt(2));
        });
        return effects;
    }

    /** Compares the effects with so many events, which are all there were. */
    Verdict judge(int events) {
        int different = number("SELECT count(DISTINCT event_id) FROM ordered_effect");
        return new Verdict(
                events - different, count() - different, number("SELECT sum(out_of_order) FROM effect_aggregate"));
    }

    private int number(String sql) {
        Integer number = jdbc.queryForObject(sql, Integer.class);
        return number == null ? 0 : number;
    }
}
