package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DeliverCallback;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.Envelope;
import io.outboxrelay.client.IdempotentConsumer.GiveUp;
import io.outboxrelay.client.Tries.Backoff;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Which acknowledgements the broker gets when several workers settle deliveries. */
@Tag("quick")
class AcknowledgementsTest {

    private static final int PREFETCH = 16;

    private final List<String> frames = new ArrayList<>();
    private final List<Taken> taken = new ArrayList<>();
    private DeliverCallback broker = (tag, delivery) -> {};
    private Subscription subscription;

    @BeforeEach
    void deliver() throws IOException {
        Channel channel = proxy(Channel.class, (self, method, arguments) -> {
            switch (method.getName()) {
                case "basicConsume" -> {
                    broker = (DeliverCallback) arguments[2];
                    return "tag";
                }
                case "basicAck" ->
                    frames.add((boolean) arguments[1] ? "up to " + arguments[0] : "only " + arguments[0]);
                default -> {}
            }
            return null;
        });
        Connection connection = proxy(Connection.class, (self, method, arguments) -> channel);
        subscription = Subscription.open(
                connection, settings(), "billing.orders", PREFETCH, taken::add, new ConsumerCounts(), () -> {});
        for (int tag = 1; tag <= PREFETCH; tag++) {
            broker.handle("tag", delivery(tag));
        }
    }

    @Test
    void what_is_done_in_order_takes_a_frame_for_each_quarter_of_the_prefetch() {
        done(1, 16);

        assertThat(frames).containsExactly("up to 4", "up to 8", "up to 12", "up to 16");
    }

    @Test
    void what_a_slow_worker_holds_up_is_acknowledged_alone_when_it_is_more_than_half() {
        done(2, 9);
        assertThat(frames).isEmpty();

        done(10, 13);

        assertThat(frames).hasSize(12).startsWith("only 2").endsWith("only 13");
    }

    @Test
    void once_the_slow_one_is_done_one_frame_is_for_all() {
        done(2, 9);

        done(1, 1);
        done(10, 12);

        assertThat(frames).containsExactly("up to 12");
    }

    @Test
    void every_second_the_rest_is_acknowledged() {
        done(1, 2);
        done(4, 4);

        subscription.acknowledgeRest();
        subscription.acknowledgeRest();

        assertThat(frames).containsExactly("up to 2", "only 4");
    }

    @Test
    void the_last_in_hand_is_acknowledged_at_once() throws IOException {
        done(1, 16);
        frames.clear();

        broker.handle("tag", delivery(17));
        done(17, 17);

        assertThat(frames).containsExactly("up to 17");
    }

    private void done(int from, int to) {
        for (Taken each : taken.subList(from - 1, to)) {
            subscription.done(each);
        }
    }

    private static Delivery delivery(int tag) {
        return new Delivery(
                new Envelope(tag, false, "", "billing.orders"),
                new BasicProperties.Builder()
                        .messageId(UUID.randomUUID().toString())
                        .build(),
                new byte[10]);
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static ConsumerSettings settings() {
        Duration second = Duration.ofSeconds(1);
        return new ConsumerSettings(
                "billing",
                "billing.orders",
                ConsumerQueue.named("billing.orders").boundToEvents("events", "Order", "OrderPlaced"),
                List.of(),
                4,
                1,
                PREFETCH,
                1_000_000,
                GiveUp.PARK,
                3,
                new Backoff(second, second),
                second,
                second,
                second);
    }
}
