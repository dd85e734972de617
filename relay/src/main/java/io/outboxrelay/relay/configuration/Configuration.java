package io.outboxrelay.relay.configuration;

import io.outboxrelay.relay.lane.FailurePolicy;
import io.outboxrelay.relay.lane.Lane.LaneSettings;
import io.outboxrelay.relay.operations.Logging.LogSettings;
import io.outboxrelay.relay.operations.OperationsServer.HttpSettings;
import io.outboxrelay.relay.rabbitmq.BrokerSettings;
import io.outboxrelay.relay.source.Source.LeaseSettings;
import io.outboxrelay.relay.source.Source.PollSettings;
import io.outboxrelay.relay.source.SourceSettings;
import java.time.Duration;
import java.util.List;

/**
 * The checked configuration of a relay.
 *
 * @param instance name of this relay among those that share its sources
 * @param gracePeriod longest that draining may take after SIGTERM
 */
public record Configuration(
        String instance,
        List<SourceSettings> sources,
        BrokerSettings broker,
        LaneSettings lane,
        FailurePolicy failures,
        LeaseSettings lease,
        PollSettings poll,
        HttpSettings http,
        LogSettings log,
        Duration gracePeriod) {}
