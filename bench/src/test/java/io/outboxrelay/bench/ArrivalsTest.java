package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.testservers.Arrivals;
import io.outboxrelay.testservers.ServiceEvent;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ArrivalsTest {

    private final Arrivals arrivals = new Arrivals();

    private static final ChaosSource.Backlog NOTHING = new ChaosSource.Backlog(0, 0);

    @Test
    void in_order_with_duplicates_is_good() {
        ServiceEvent first = event(1, 1);
        ServiceEvent second = event(1, 2);
        arrivals.add(first);
        arrivals.add(second);
        arrivals.add(first);

        Verdict verdict = judge(Set.of(first, second), NOTHING);

        assertThat(verdict.isGood()).isTrue();
        assertThat(verdict.counts(3))
                .isEqualTo("events=2 kills=3 lost=0 out_of_order=0 duplicates_delivered=1"
                        + " effects_lost=0 effects_twice=0 effects_out_of_order=0");
    }

    @Test
    void an_event_behind_a_later_one_of_its_aggregate_is_out_of_order_and_not_lost() {
        ServiceEvent first = event(1, 1);
        ServiceEvent second = event(1, 2);
        arrivals.add(second);
        arrivals.add(event(2, 1));
        arrivals.add(first);

        Verdict verdict = judge(Set.copyOf(arrivals.events()), NOTHING);

        assertThat(verdict.isGood()).isFalse();
        assertThat(verdict.lost()).isEmpty();
        assertThat(verdict.details()).containsExactly("out of order orders: " + first + " came after " + second);
    }

    @Test
    void a_gap_is_lost_and_not_out_of_order() {
        ServiceEvent first = event(1, 1);
        ServiceEvent second = event(1, 2);
        arrivals.add(second);

        Verdict verdict = judge(Set.of(first, second), NOTHING);

        assertThat(verdict.isGood()).isFalse();
        assertThat(verdict.details()).containsExactly("lost orders: " + first);
    }

    @Test
    void an_event_that_was_rolled_back_must_not_arrive() {
        ServiceEvent committed = event(1, 1);
        ServiceEvent rolledBack = event(1, 1);
        arrivals.add(committed);
        arrivals.add(rolledBack);

        Verdict verdict = judge(Set.of(committed), NOTHING);

        assertThat(verdict.isGood()).isFalse();
        assertThat(verdict.details()).containsExactly("never committed orders: " + rolledBack);
    }

    @Test
    void a_remaining_backlog_is_a_failure() {
        ServiceEvent event = event(1, 1);
        arrivals.add(event);

        Verdict verdict = judge(Set.of(event), new ChaosSource.Backlog(0, 2));

        assertThat(verdict.isGood()).isFalse();
        assertThat(verdict.details()).containsExactly("left orders: 0 in the outbox, 2 failed");
    }

    /** Where each committed event has its effect. */
    private Verdict judge(Set<ServiceEvent> committed, ChaosSource.Backlog left) {
        List<ChaosEffect> effects = committed.stream()
                .map(event -> new ChaosEffect(event, event.sequence() - 1, "a"))
                .toList();
        return Verdict.of("orders", committed, arrivals, left, effects);
    }

    private static ServiceEvent event(int aggregate, long sequence) {
        return new ServiceEvent(UUID.randomUUID(), aggregate, sequence);
    }
}
