package io.outboxrelay.bench;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Date;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import java.util.zip.CRC32;

/**
 * Publishes the events of one run as a relay would: the same properties and headers, ids that grow with time,
 * persistent and confirmed. The payload begins with the event's number within its aggregate. The aggregates are drawn
 * at random, in every run the same.
 */
final class EventSupply implements AutoCloseable {

    static final String AGGREGATE_ID = "aggregate_id";

    private static final String AGGREGATE_TYPE = "Order";
    private static final int LANES = 8;
    private static final long CONFIRM_MILLIS = 60_000;
    private static final int UNCONFIRMED = 1_000;

    private final NoArgGenerator ids = Generators.timeBasedEpochGenerator();
    private final SplittableRandom random = new SplittableRandom(1);
    private final Channel channel;
    private final Load load;
    private final long[] numbers;
    private final BasicProperties[] properties;
    private long published;

    EventSupply(BenchQueue queue, Load load) throws IOException {
        this.channel = queue.newChannel();
        this.load = load;
        this.numbers = new long[load.aggregates()];
        this.properties = IntStream.range(0, load.aggregates())
                .mapToObj(EventSupply::properties)
                .toArray(BasicProperties[]::new);
        channel.confirmSelect();
    }

    /** How many events are in the queue, or have been. */
    long published() {
        return published;
    }

    boolean isOver() {
        return published >= load.events();
    }

    /** Publishes the next events, this many or what is left, and returns when the broker has confirmed them. */
    void publish(long most) throws IOException, InterruptedException {
        long end = Math.min(load.events(), published + most);
        while (published < end) {
            publishNext();
            published++;
            if (published % UNCONFIRMED == 0 || published == end) {
                awaitConfirms();
            }
        }
    }

    private void publishNext() throws IOException {
        int aggregate = random.nextInt(load.aggregates());
        byte[] payload = new byte[load.payloadBytes()];
        ByteBuffer.wrap(payload).putLong(++numbers[aggregate]);
        BasicProperties event = properties[aggregate]
                .builder()
                .messageId(ids.generate().toString())
                .timestamp(new Date())
                .build();
        channel.basicPublish(BenchQueue.EXCHANGE, BenchQueue.ROUTING_KEY, true, event, payload);
    }

    private void awaitConfirms() throws IOException, InterruptedException {
        try {
            channel.waitForConfirmsOrDie(CONFIRM_MILLIS);
        } catch (TimeoutException e) {
            throw new IOException("The broker did not confirm the events within " + CONFIRM_MILLIS + " ms", e);
        }
    }

    private static BasicProperties properties(int aggregate) {
        String id = "order-" + aggregate;
        return new BasicProperties.Builder()
                .type("Placed")
                .appId("bench")
                .contentType("application/octet-stream")
                .deliveryMode(2)
                .headers(Map.of("aggregate_type", AGGREGATE_TYPE, AGGREGATE_ID, id, "outbox_lane", lane(id)))
                .build();
    }

    /** Any hash that spreads the aggregates: what is consumed has no outbox. */
    private static int lane(String aggregateId) {
        CRC32 hash = new CRC32();
        hash.update(aggregateId.getBytes(StandardCharsets.UTF_8));
        return (int) (hash.getValue() % LANES);
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } catch (TimeoutException e) {
            throw new IOException("The broker does not answer: " + e.getMessage(), e);
        }
    }
}
