package io.outboxrelay.relay.rabbitmq;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.impl.Frame;
import io.outboxrelay.relay.lane.Aggregate;
import io.outboxrelay.relay.lane.Event;
import java.io.IOException;
import java.util.Date;
import java.util.UUID;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How an event looks on the wire. */
final class Message {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<Map<String, Object>> HEADERS = new TypeReference<>() {};
    private static final int PERSISTENT = 2;

    private static final String AGGREGATE_TYPE = "aggregate_type";
    private static final String AGGREGATE_ID = "aggregate_id";

    /** Number of the replay, in the audit of the source, that sends the message again. */
    static final String REPLAY = "outbox_replay";

    private final String source;
    private final boolean cloudEvents;
    private final @Nullable Long replay;

    /**
     * @param source name of the source, sent as {@code app_id}
     * @param cloudEvents whether the CloudEvents headers are sent too
     * @param replay number of the replay that sends them again; null for what is sent the first time
     */
    Message(String source, boolean cloudEvents, @Nullable Long replay) {
        this.source = source;
        this.cloudEvents = cloudEvents;
        this.replay = replay;
    }

    /**
     * Returns the properties of the event's message, for one channel. They are encoded here, to see whether they can be:
     * the client finds out only when it has counted the message already, and the channel's tags are of no use any more.
     *
     * @throws IllegalArgumentException if they cannot be sent
     */
    BasicProperties properties(Event event, byte[] payload, Channel channel) {
        BasicProperties properties = new BasicProperties.Builder()
                .messageId(event.id().toString())
                .type(event.type())
                .timestamp(Date.from(event.occurredAt()))
                .appId(source)
                .contentType(event.contentType())
                .deliveryMode(PERSISTENT)
                .headers(headers(event))
                .build();
        Frame frame = encode(properties, channel.getChannelNumber(), payload.length);
        int frameMax = channel.getConnection().getFrameMax();
        if (frameMax > 0 && frame.size() > frameMax) {
            throw new IllegalArgumentException("properties and headers take " + frame.size()
                    + " bytes, a frame of the broker " + frameMax + "; fewer or shorter headers are needed");
        }
        return new Encoded(frame);
    }

    private static Frame encode(BasicProperties properties, int channel, int payloadBytes) {
        try {
            return properties.toFrame(channel, payloadBytes);
        } catch (IOException e) {
            throw new IllegalArgumentException("properties and headers cannot be encoded: " + e.getMessage(), e);
        }
    }

    /** Properties that the client need not encode once more. */
    private static final class Encoded extends BasicProperties {

        private final Frame frame;

        Encoded(Frame frame) {
            this.frame = frame;
        }

        @Override
        public Frame toFrame(int channel, long payloadBytes) {
            return frame;
        }
    }

    /** Returns the id of the event whose message came back. */
    static UUID event(BasicProperties properties) {
        return UUID.fromString(properties.getMessageId());
    }

    private Map<String, Object> headers(Event event) {
        Map<String, Object> headers = new HashMap<>(16);
        if (!"{}".equals(event.headers())) {
            try {
                headers.putAll(JSON.readValue(event.headers(), HEADERS));
            } catch (JsonProcessingException e) {
                // Its message would quote the headers.
                throw new IllegalArgumentException("the headers are not a JSON object");
            }
        }
        if (headers.containsKey("CC") || headers.containsKey("BCC")) {
            throw new IllegalArgumentException("the headers CC and BCC are RabbitMQ's own, for more routing keys");
        }
        if (cloudEvents) {
            headers.put("cloudEvents_specversion", "1.0");
            headers.put("cloudEvents_id", event.id().toString());
            headers.put("cloudEvents_source", source);
            headers.put("cloudEvents_type", event.type());
            headers.put("cloudEvents_subject", event.aggregate().id());
            headers.put("cloudEvents_time", event.occurredAt().toString());
        }
        headers.remove(REPLAY); // of a service that passes on what it has received
        if (replay != null) {
            headers.put(REPLAY, replay);
        }
        headers.put(AGGREGATE_TYPE, event.aggregate().type());
        headers.put(AGGREGATE_ID, event.aggregate().id());
        return headers;
    }
}
