package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MembershipTest {

    private static final List<String> QUEUES =
            IntStream.range(0, 8).mapToObj(number -> "billing.orders." + number).toList();

    @Test
    void one_instance_has_all_partitions() {
        assertThat(Membership.share(QUEUES, List.of("red"), "red")).isEqualTo(QUEUES);
    }

    @Test
    void partition_p_is_that_of_instance_p_modulo_their_number() {
        List<String> alive = List.of("red", "green", "blue");

        assertThat(Membership.share(QUEUES, alive, "red"))
                .containsExactly("billing.orders.0", "billing.orders.3", "billing.orders.6");
        assertThat(Membership.share(QUEUES, alive, "green"))
                .containsExactly("billing.orders.1", "billing.orders.4", "billing.orders.7");
        assertThat(Membership.share(QUEUES, alive, "blue")).containsExactly("billing.orders.2", "billing.orders.5");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 8, 9, 20})
    void every_partition_has_one_instance_and_their_shares_differ_by_one_at_most(int instances) {
        List<String> alive = IntStream.range(0, instances)
                .mapToObj(number -> "pid " + number)
                .toList();
        List<String> shared = new ArrayList<>();
        for (String instance : alive) {
            List<String> share = Membership.share(QUEUES, alive, instance);
            assertThat(share.size()).isBetween(QUEUES.size() / instances, (QUEUES.size() - 1) / instances + 1);
            shared.addAll(share);
        }

        assertThat(shared).containsExactlyInAnyOrderElementsOf(QUEUES);
    }

    @Test
    void who_is_not_among_the_living_has_no_partition() {
        assertThat(Membership.share(QUEUES, List.of("red"), "blue")).isEmpty();
        assertThat(Membership.share(QUEUES, List.of(), "blue")).isEmpty();
    }
}
