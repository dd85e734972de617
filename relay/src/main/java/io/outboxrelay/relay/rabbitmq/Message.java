package io.outboxrelay.relay.rabbitmq;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.impl.Frame;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.Help;
import io.outboxrelay.relay.lane.LogKeys;
import io.outboxrelay.relay.lane.OncePerMinute;
import io.outboxrelay.relay.rabbitmq.Outstanding.Identity;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Date;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How an event looks on the wire. */
final class Message {

    private static final Logger LOG = LoggerFactory.getLogger(Message.class);
    private static final int PERSISTENT = 2;

    /** Of a short string, in bytes. */
    private static final int LONGEST_SHORT_TEXT = 255;

    private static final String AGGREGATE_TYPE = "aggregate_type";
    private static final String AGGREGATE_ID = "aggregate_id";

    /** By this header a broker can divide the events among queues so that those of an aggregate stay together. */
    static final String LANE = "outbox_lane";

    /** Header with the number of the replay in the audit of the source. */
    static final String REPLAY = "outbox_replay";

    private final String source;
    private final boolean cloudEvents;
    private final @Nullable Long replay;
    private final OncePerMinute headersNotSent = new OncePerMinute();

    /**
     * @param source name of the source, sent as {@code app_id}
     * @param cloudEvents whether the CloudEvents headers are sent too
     * @param replay number of the replay that sends the events again; null for a first publication
     */
    Message(String source, boolean cloudEvents, @Nullable Long replay) {
        this.source = source;
        this.cloudEvents = cloudEvents;
        this.replay = replay;
    }

    /**
     * Returns the properties of the event's message, for one channel. They are encoded here to see whether they can be:
     * the client finds out only after it has counted the message, and then the channel's tags are wrong.
     *
     * @throws IllegalArgumentException if they cannot be sent
     */
    BasicProperties properties(Event event, byte[] payload, Channel channel) {
        Map<String, Object> headers = headers(event);
        BasicProperties properties = new BasicProperties.Builder()
                .messageId(event.id().toString())
                .type(shortText("the event type", event.type()))
                .timestamp(timestamp(event.occurredAt()))
                .appId(source)
                .contentType(shortText("the content type", event.contentType()))
                .deliveryMode(PERSISTENT)
                .headers(headers)
                .build();
        Frame frame = encode(properties, channel.getChannelNumber(), payload.length);
        int frameMax = channel.getConnection().getFrameMax();
        if (frameMax > 0 && frame.size() > frameMax) {
            throw new IllegalArgumentException(
                    "properties and headers take " + frame.size() + " bytes, a frame of the broker " + frameMax
                            + "; the longest header is '" + Headers.longest(headers) + "'");
        }
        return new Encoded(frame);
    }

    private void reportHeadersNotSent(Event event) {
        headersNotSent.occurred(count -> LOG.atWarn()
                .addMarker(Help.HEADERS_NOT_SENT)
                .addKeyValue(LogKeys.SOURCE, source)
                .addKeyValue(LogKeys.EVENT_ID, event.id())
                .log(
                        "Source {}: these headers of {} are not sent, because RabbitMQ keeps its own record of a"
                                + " message in them: {}; do not copy them from a received message{}",
                        source,
                        event,
                        Headers.read(event.headers()).keySet().stream()
                                .filter(Headers::isRecord)
                                .sorted()
                                .toList(),
                        OncePerMinute.andMore(count)));
    }

    private static String shortText(String what, String text) {
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > LONGEST_SHORT_TEXT) {
            throw new IllegalArgumentException(
                    what + " has " + bytes + " bytes, more than the " + LONGEST_SHORT_TEXT + " of the protocol");
        }
        return text;
    }

    /** Whole seconds since 1970, without a sign. */
    private static Date timestamp(Instant occurredAt) {
        long seconds = occurredAt.getEpochSecond();
        if (seconds < 0 || seconds > Long.MAX_VALUE / 1_000) {
            throw new IllegalArgumentException(
                    "it occurred at " + occurredAt + ", and the protocol has no such time; 1970 is the first year");
        }
        return new Date(seconds * 1_000);
    }

    private static Frame encode(BasicProperties properties, int channel, int payloadBytes) {
        try {
            return properties.toFrame(channel, payloadBytes);
        } catch (IOException e) {
            throw new IllegalArgumentException("properties and headers cannot be encoded: " + e.getMessage(), e);
        }
    }

    /** Properties that are encoded already. */
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

    /** Returns the identity of a returned message. */
    static Identity identity(BasicProperties properties) {
        Map<String, Object> headers = properties.getHeaders();
        return new Identity(
                UUID.fromString(properties.getMessageId()),
                new Aggregate(
                        headers.get(AGGREGATE_TYPE).toString(),
                        headers.get(AGGREGATE_ID).toString()));
    }

    private Map<String, Object> headers(Event event) {
        Map<String, Object> headers = Headers.read(event.headers());
        if (headers.keySet().removeIf(Headers::isRecord)) {
            reportHeadersNotSent(event);
        }
        if (cloudEvents) {
            headers.put("cloudEvents_specversion", "1.0");
            headers.put("cloudEvents_id", event.id().toString());
            headers.put("cloudEvents_source", source);
            headers.put("cloudEvents_type", event.type());
            headers.put("cloudEvents_subject", event.aggregate().id());
            headers.put("cloudEvents_time", event.occurredAt().toString());
        }
        headers.remove(REPLAY); // from a service that forwards received headers
        headers.remove(HistoryQueue.END);
        if (replay != null) {
            headers.put(REPLAY, replay);
        }
        headers.put(AGGREGATE_TYPE, event.aggregate().type());
        headers.put(AGGREGATE_ID, event.aggregate().id());
        headers.put(LANE, event.lane());
        return headers;
    }
}
