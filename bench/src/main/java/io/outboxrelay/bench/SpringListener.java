package io.outboxrelay.bench;

import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.springframework.amqp.core.BatchMessageListener;
import org.springframework.amqp.core.Message;
import org.springframework.amqp.core.MessageListener;
import org.springframework.amqp.rabbit.connection.CachingConnectionFactory;
import org.springframework.amqp.rabbit.listener.SimpleMessageListenerContainer;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.PreparedStatementCallback;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Spring AMQP's listener container with an inbox written by hand. The listener runs in a transaction of its own, as
 * with {@code @Transactional}, and the container acknowledges when the listener has returned. (A container that is
 * given the transaction manager acknowledges before the commit, unless its channel is transacted.)
 */
final class SpringListener {

    /** For the rest of a queue that fills no batch, which would wait for a second by default. */
    private static final long RECEIVE_MILLIS = 50;

    private final ConsumerParts parts;
    private final TransactionTemplate transaction;
    private final JdbcTemplate jdbc;

    private SpringListener(ConsumerParts parts) {
        this.parts = parts;
        this.transaction = new TransactionTemplate(parts.transactions());
        this.jdbc = new JdbcTemplate(parts.database());
    }

    /** A transaction and an acknowledgement for each event. */
    static AutoCloseable single(ConsumerParts parts, int concurrency) {
        SpringListener listener = new SpringListener(parts);
        SimpleMessageListenerContainer container = container(parts, concurrency);
        container.setMessageListener((MessageListener) listener::handle);
        return start(container);
    }

    /** A transaction and an acknowledgement for each batch that the container has collected. */
    static AutoCloseable batch(ConsumerParts parts, int concurrency, int size) {
        SpringListener listener = new SpringListener(parts);
        SimpleMessageListenerContainer container = container(parts, concurrency);
        container.setConsumerBatchEnabled(true);
        container.setBatchSize(size);
        container.setReceiveTimeout(RECEIVE_MILLIS);
        container.setMessageListener((BatchMessageListener) listener::handleAll);
        return start(container);
    }

    private static SimpleMessageListenerContainer container(ConsumerParts parts, int concurrency) {
        SimpleMessageListenerContainer container =
                new SimpleMessageListenerContainer(new CachingConnectionFactory(parts.broker()));
        container.setQueueNames(BenchQueue.QUEUE);
        container.setConcurrentConsumers(concurrency);
        return container;
    }

    private static AutoCloseable start(SimpleMessageListenerContainer container) {
        container.afterPropertiesSet();
        container.start();
        return container::stop;
    }

    private void handle(Message message) {
        transaction.executeWithoutResult(status -> {
            if (jdbc.update(HandwrittenInbox.NOTE, ConsumerParts.CONSUMER, id(message)) == 1) {
                add(message);
            }
        });
    }

    private void handleAll(List<Message> messages) {
        transaction.executeWithoutResult(status -> {
            Set<UUID> added = noteAll(messages.stream().map(SpringListener::id).toList());
            for (Message message : messages) {
                if (added.remove(id(message))) {
                    add(message);
                }
            }
        });
    }

    private Set<UUID> noteAll(List<UUID> events) {
        PreparedStatementCallback<Set<UUID>> note = statement -> HandwrittenInbox.noteAll(statement, events);
        Set<UUID> added = jdbc.execute(HandwrittenInbox.NOTE_ALL, note);
        if (added == null) {
            throw new IllegalStateException("The inbox gave no answer");
        }
        return added;
    }

    private void add(Message message) {
        String aggregate = message.getMessageProperties().getHeader(EventSupply.AGGREGATE_ID);
        parts.effects().add(id(message), aggregate, message.getBody());
    }

    private static UUID id(Message message) {
        return UUID.fromString(message.getMessageProperties().getMessageId());
    }
}
