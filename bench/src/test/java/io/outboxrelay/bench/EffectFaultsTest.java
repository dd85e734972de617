package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.testservers.Arrivals;
import io.outboxrelay.testservers.ServiceEvent;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class EffectFaultsTest {

    private final ServiceEvent first = event(1);
    private final ServiceEvent second = event(2);
    private final ServiceEvent third = event(3);

    @Test
    void one_effect_of_each_event_in_order_is_good() {
        EffectFaults faults = judge(effect(first, 0), effect(second, 1), effect(third, 2));

        assertThat(faults.isEmpty()).isTrue();
        assertThat(faults.counts()).isEqualTo("effects_lost=0 effects_twice=0 effects_out_of_order=0");
    }

    @Test
    void an_event_without_an_effect_is_lost_and_the_next_one_is_not_out_of_order() {
        EffectFaults faults = judge(effect(first, 0), effect(third, 1));

        assertThat(faults.details(10)).containsExactly("no effect orders: " + second);
        assertThat(faults.counts()).isEqualTo("effects_lost=1 effects_twice=0 effects_out_of_order=0");
    }

    @Test
    void a_second_effect_names_both_instances() {
        EffectFaults faults =
                judge(effect(first, 0), effect(second, 1), new ChaosEffect(second, 2, "b"), effect(third, 2));

        assertThat(faults.details(10)).containsExactly("second effect orders: " + second + " by b, and before by a");
        assertThat(faults.counts()).isEqualTo("effects_lost=0 effects_twice=1 effects_out_of_order=0");
    }

    @Test
    void an_effect_before_that_of_an_earlier_event_is_out_of_order() {
        EffectFaults faults = judge(effect(second, 0), effect(first, 2), effect(third, 2));

        assertThat(faults.details(10))
                .containsExactly("effect out of order orders: " + second + " by a overtook " + first + " by a");
        assertThat(faults.counts()).isEqualTo("effects_lost=0 effects_twice=0 effects_out_of_order=1");
    }

    @Test
    void an_effect_that_could_not_see_the_uncommitted_one_before_it_is_out_of_order() {
        EffectFaults faults = judge(effect(first, 0), effect(second, 1), effect(third, 1));

        assertThat(faults.details(10))
                .containsExactly("effect out of order orders: " + third + " by a overtook " + second + " by a");
    }

    @Test
    void an_event_that_was_rolled_back_must_have_no_effect() {
        ServiceEvent rolledBack = event(3);

        EffectFaults faults = judge(effect(first, 0), effect(second, 1), effect(third, 2), effect(rolledBack, 3));

        assertThat(faults.isEmpty()).isFalse();
        assertThat(faults.details(10)).containsExactly("effect never committed orders: " + rolledBack);
    }

    @Test
    void any_of_them_makes_the_verdict_bad() {
        Arrivals arrivals = new Arrivals();
        arrivals.add(first);
        Set<ServiceEvent> committed = Set.of(first);
        ChaosSource.Backlog nothing = new ChaosSource.Backlog(0, 0);

        Verdict good = Verdict.of("orders", committed, arrivals, nothing, List.of(effect(first, 0)));
        Verdict bad = Verdict.of("payments", committed, arrivals, nothing, List.of());

        assertThat(good.isGood()).isTrue();
        assertThat(good.and(bad).isGood()).isFalse();
        assertThat(good.and(bad).details()).containsExactly("no effect payments: " + first);
        assertThat(good.and(bad).counts(0)).contains(" effects_lost=1 effects_twice=0 effects_out_of_order=0 ");
    }

    @Test
    void what_a_consumer_has_stored_is_a_failure() {
        Verdict verdict = Verdict.ofProcesses(List.of(), new ChaosEffects.Progress(5, 2));

        assertThat(verdict.details()).containsExactly("left billing: 2 stored");
    }

    private EffectFaults judge(ChaosEffect... effects) {
        return EffectFaults.of("orders", Set.of(first, second, third), List.of(effects));
    }

    private static ChaosEffect effect(ServiceEvent event, long before) {
        return new ChaosEffect(event, before, "a");
    }

    private static ServiceEvent event(long sequence) {
        return new ServiceEvent(UUID.randomUUID(), 7, sequence);
    }
}
