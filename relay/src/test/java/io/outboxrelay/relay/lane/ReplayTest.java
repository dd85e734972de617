package io.outboxrelay.relay.lane;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.lane.Replay.ReplaySettings;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ReplayTest {

    private static final Outcome UNROUTABLE = new Outcome.Returned(Reason.UNROUTABLE, "no queue");
    private static final int PAGE = 4;

    private final SettableClock clock = new SettableClock();
    private final ScriptedPublisher publisher = new ScriptedPublisher(clock);
    private final List<Event> archive = new ArrayList<>();
    private final List<String> told = new ArrayList<>();
    private LongPredicate archiveAway = after -> false;
    private @Nullable FailurePolicy policy;

    @Test
    void sends_everything_once_page_by_page() throws Exception {
        published("a", "b", "c", "a", "b", "c", "a", "b", "c");

        assertThat(replay(1_000, false).run(0)).isEqualTo(new Replay.Result(9, 0, 0, 9, null));

        assertThat(publisher.positions()).containsExactlyInAnyOrder(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);
        assertThat(told).containsSubsequence("4 up to 4", "8 up to 8", "9 up to 9");
    }

    @Test
    void sends_the_events_of_an_aggregate_one_after_the_other_also_when_the_broker_says_no() throws Exception {
        published("a", "a", "a", "b");
        boolean[] full = {true};
        publisher.mood = event -> {
            if (event.position() == 2 && full[0]) {
                full[0] = false;
                return new Outcome.Nacked("queue full");
            }
            return Outcome.CONFIRMED;
        };

        assertThat(replay(1_000, false).run(0).sent()).isEqualTo(4);

        assertThat(publisher.positions().stream().filter(place -> place != 4)).containsExactly(1L, 2L, 2L, 3L);
    }

    @Test
    void sends_again_what_is_not_answered() throws Exception {
        published("a", "b");
        boolean[] silent = {true};
        publisher.mood = event -> event.position() == 1 && silent[0] ? ScriptedPublisher.SILENCE : Outcome.CONFIRMED;
        publisher.forgets = event -> silent[0] = false;

        assertThat(replay(1_000, false).run(0)).isEqualTo(new Replay.Result(2, 0, 0, 2, null));

        assertThat(publisher.positions()).containsExactly(1L, 2L, 1L);
    }

    @Test
    void stops_at_an_event_that_cannot_be_sent_and_says_where_to_go_on() throws Exception {
        published("a", "b", "b", "c", "d");
        publisher.mood = event -> event.position() == 2 ? UNROUTABLE : Outcome.CONFIRMED;

        Replay.Result result = replay(1_000, false).run(0);

        assertThat(result.last()).isEqualTo(1);
        assertThat(result.sent()).as("a and c").isEqualTo(2);
        assertThat(result.stopped())
                .contains("of Order b, position 2")
                .endsWith("cannot be sent, unroutable: no queue");
        assertThat(publisher.positions()).doesNotContain(3L, 5L);
    }

    @Test
    void goes_on_behind_an_event_that_cannot_be_sent_where_that_was_asked_for() throws Exception {
        published("a", "b", "b", "c", "d");
        publisher.mood = event -> event.position() == 2 ? UNROUTABLE : Outcome.CONFIRMED;

        assertThat(replay(1_000, true).run(0)).isEqualTo(new Replay.Result(4, 0, 1, 5, null));

        assertThat(told).contains("2 skipped: unroutable: no queue");
    }

    @Test
    void an_event_whose_route_drops_what_no_queue_is_bound_for_ends_nothing() throws Exception {
        published("a", "a", "b");
        publisher.mood = event -> event.position() == 1 ? UNROUTABLE : Outcome.CONFIRMED;
        policy = new FailurePolicy(
                1,
                Duration.ZERO,
                false,
                Duration.ofMillis(1),
                Duration.ofMillis(1),
                ByRoute.always(FailurePolicy.OnPark.BLOCK),
                ByRoute.always(FailurePolicy.Unroutable.DROP));

        assertThat(replay(1_000, false).run(0)).isEqualTo(new Replay.Result(2, 1, 0, 3, null));
    }

    @Test
    void a_database_that_goes_away_in_the_middle_stops_it_and_the_place_is_known() throws Exception {
        published("a", "a", "a", "a", "a");
        archiveAway = after -> after > 0;

        Replay.Result result = replay(1_000, false).run(0);

        assertThat(result).isEqualTo(new Replay.Result(4, 0, 0, 4, "no more events can be read: away"));
    }

    @Test
    void begins_after_the_place_that_it_is_given() throws Exception {
        published("a", "a", "a");

        assertThat(replay(1_000, false).run(2)).isEqualTo(new Replay.Result(1, 0, 0, 3, null));

        assertThat(publisher.positions()).containsExactly(3L);
    }

    @Test
    void is_no_faster_than_it_is_told() throws Exception {
        publishedOrders(102);
        long began = clock.getAsLong();

        replay(10, false).run(0);

        assertThat(Duration.ofNanos(clock.getAsLong() - began))
                .isBetween(Duration.ofMillis(9_800), Duration.ofMillis(10_500));
    }

    @Test
    void has_no_more_in_flight_than_its_window() throws Exception {
        publishedOrders(20);

        replay(1_000_000, false).run(0);

        assertThat(publisher.mostInFlight).isEqualTo(3);
    }

    @Test
    void an_event_that_closes_the_channel_is_found_and_named() throws Exception {
        published("a", "b", "c", "d");
        publisher.closesChannel = event -> event.position() == 3;

        Replay.Result result = replay(1_000, true).run(0);

        assertThat(result).isEqualTo(new Replay.Result(3, 0, 1, 4, null));
        assertThat(told).contains("3 skipped: closes-channel: the channel was closed");
    }

    // hazard 69
    @Test
    void an_event_that_cannot_be_read_is_not_sent_but_named() throws Exception {
        published("a");
        archive.add(event(2, "b", "its row cannot be read"));
        published("c");

        Replay.Result result = replay(1_000, true).run(0);

        assertThat(result).isEqualTo(new Replay.Result(2, 0, 1, 3, null));
        assertThat(told).contains("2 skipped: unreadable: its row cannot be read");
        assertThat(publisher.positions()).containsExactly(1L, 3L);
    }

    private void published(String... aggregates) {
        for (String aggregate : aggregates) {
            archive.add(event(archive.size() + 1, aggregate));
        }
    }

    private void publishedOrders(int events) {
        for (int i = 0; i < events; i++) {
            published("order " + i);
        }
    }

    private static Event event(long place, String aggregate) {
        return event(place, aggregate, null);
    }

    private static Event event(long place, String aggregate, @Nullable String unreadable) {
        return new Event(
                0,
                place,
                new UUID(0, place),
                new Aggregate("Order", aggregate),
                "OrderPlaced",
                0,
                new byte[0],
                "text/plain",
                "{}",
                Instant.EPOCH,
                null,
                unreadable);
    }

    private List<Event> next(long after) {
        if (archiveAway.test(after)) {
            throw new IllegalStateException("away");
        }
        return archive.stream()
                .filter(event -> event.position() > after)
                .limit(PAGE)
                .toList();
    }

    private Replay replay(int rate, boolean skipFailed) {
        return new Replay(
                this::next,
                publisher,
                clock,
                new ReplaySettings(
                        rate,
                        3,
                        1_000,
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(1),
                        (event, failure) -> policy != null && policy.drops(event, failure),
                        skipFailed),
                new Replay.Listener() {
                    @Override
                    public void reached(long events, long last) {
                        told.add(events + " up to " + last);
                    }

                    @Override
                    public void skipped(Event event, String why) {
                        told.add(event.position() + " skipped: " + why);
                    }
                });
    }
}
