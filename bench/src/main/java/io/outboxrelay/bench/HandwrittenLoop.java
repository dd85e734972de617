package io.outboxrelay.bench;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Delivery;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * One thread that commits many events at a time, by the broker's client and JDBC alone. It knows no failures: any one
 * ends its process.
 */
final class HandwrittenLoop implements AutoCloseable {

    private static final int PREFETCH = 1_000;

    private final BlockingQueue<Delivery> deliveries = new LinkedBlockingQueue<>();
    private final com.rabbitmq.client.Connection broker;
    private final Channel channel;
    private final ConsumerParts parts;
    private final int batch;
    private final Thread thread = new Thread(this::run, "handwritten-loop");

    private HandwrittenLoop(ConsumerParts parts, int batch) throws Exception {
        this.parts = parts;
        this.batch = batch;
        this.broker = parts.broker().newConnection("handwritten loop");
        this.channel = broker.createChannel();
    }

    static AutoCloseable start(ConsumerParts parts, int batch) throws Exception {
        HandwrittenLoop loop = new HandwrittenLoop(parts, batch);
        loop.channel.basicQos(PREFETCH);
        loop.channel.basicConsume(BenchQueue.QUEUE, false, (tag, delivery) -> loop.deliveries.add(delivery), tag -> {});
        loop.thread.start();
        return loop;
    }

    @Override
    public void close() throws IOException {
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        broker.close();
    }

    private void run() {
        try (Connection connection = parts.database().getConnection();
                PreparedStatement note = connection.prepareStatement(HandwrittenInbox.NOTE_ALL);
                PreparedStatement effect = connection.prepareStatement(Effects.INSERT)) {
            connection.setAutoCommit(false);
            while (true) {
                List<Delivery> taken = take();
                handle(taken, note, effect);
                connection.commit();
                channel.basicAck(taken.get(taken.size() - 1).getEnvelope().getDeliveryTag(), true);
            }
        } catch (InterruptedException e) {
            // It was closed between two batches.
        } catch (SQLException | IOException | RuntimeException e) {
            e.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }

    private List<Delivery> take() throws InterruptedException {
        List<Delivery> taken = new ArrayList<>(batch);
        taken.add(deliveries.take());
        deliveries.drainTo(taken, batch - 1);
        return taken;
    }

    private void handle(List<Delivery> taken, PreparedStatement note, PreparedStatement effect) throws SQLException {
        Set<UUID> added = HandwrittenInbox.noteAll(
                note, taken.stream().map(HandwrittenLoop::id).toList());
        for (Delivery delivery : taken) {
            UUID id = id(delivery);
            if (added.remove(id)) {
                effect.setObject(1, id);
                effect.setString(
                        2,
                        delivery.getProperties()
                                .getHeaders()
                                .get(EventSupply.AGGREGATE_ID)
                                .toString());
                effect.setLong(3, Effects.number(delivery.getBody()));
                effect.executeUpdate();
                parts.effects().added();
            }
        }
    }

    private static UUID id(Delivery delivery) {
        return UUID.fromString(delivery.getProperties().getMessageId());
    }
}
