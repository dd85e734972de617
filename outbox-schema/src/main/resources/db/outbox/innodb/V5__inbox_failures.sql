-- Version 5 of the tables, the same as PostgreSQL's. Each statement may be repeated.

-- Events that a consumer has given up, with everything they had, and later events of the same aggregate that wait behind
-- them. The consumer moves an event here in the place of its effect, and then acknowledges it to the broker.
--
-- Within a consumer and an aggregate the order is that of id. The consumer processes the one with the lowest id; all
-- others wait.
--   retrying  is processed again at next_attempt_at
--   parked    kept for a person: inbox failures retry, inbox failures discard
--   waiting   has not failed, but one before it has; once it is the first, it is processed at once
-- An event without an aggregate, its type and id being empty, blocks no other. aggregate is the SHA-256 of type and id,
-- which are too long for an index.
CREATE TABLE IF NOT EXISTS inbox_failure (
    id              bigint        NOT NULL AUTO_INCREMENT PRIMARY KEY,
    consumer        varchar(255)  NOT NULL,
    event_id        binary(16)    NOT NULL,
    aggregate_type  varchar(256)  NOT NULL,
    aggregate_id    varchar(1025) NOT NULL,
    aggregate       binary(32)    GENERATED ALWAYS AS (
        unhex(sha2(concat(aggregate_type, char(31 USING utf8mb4), aggregate_id), 256))) STORED,
    event_type      varchar(256)  NOT NULL,
    payload         longblob      NOT NULL,
    content_type    varchar(256),
    headers         longtext      NOT NULL,
    occurred_at     datetime(6),
    -- Where it came from.
    queue           varchar(255)  NOT NULL,
    state           varchar(8)    NOT NULL,
    -- How many attempts were spent, in the consumer's memory and from here.
    attempts        int           NOT NULL DEFAULT 0,
    next_attempt_at datetime(6),
    first_failed_at datetime(6),
    failed_at       datetime(6),
    reason          varchar(255),
    detail          text,
    -- As in the outbox: what a session without strict mode truncates is refused.
    CONSTRAINT inbox_failure_aggregate_type CHECK (octet_length(aggregate_type) <= 255),
    CONSTRAINT inbox_failure_aggregate_id CHECK (octet_length(aggregate_id) <= 1024),
    CONSTRAINT inbox_failure_event_type CHECK (octet_length(event_type) <= 255),
    CONSTRAINT inbox_failure_content_type CHECK (octet_length(content_type) <= 255),
    CONSTRAINT inbox_failure_state CHECK (state IN ('retrying', 'parked', 'waiting')),
    CONSTRAINT inbox_failure_retrying_when CHECK ((next_attempt_at IS NOT NULL) = (state = 'retrying')),
    CONSTRAINT inbox_failure_parked_why CHECK (reason IS NOT NULL OR state <> 'parked'),
    CONSTRAINT inbox_failure_detail CHECK (octet_length(detail) <= 4096),
    UNIQUE KEY inbox_failure_event (consumer, event_id),
    KEY inbox_failure_aggregate (consumer, aggregate, id),
    -- For queries on due and parked events and the age of the oldest, which must not read the waiting ones.
    KEY inbox_failure_by_state (consumer, state, next_attempt_at)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ${collation}
  COMMENT 'Events that a consumer has given up, and those of their aggregates that wait behind them.';

-- One row for each running process of a consumer whose queue is partitioned. It counts as alive until alive_until, by the
-- clock of this database; the partitions are shared among those alive.
CREATE TABLE IF NOT EXISTS inbox_instance (
    consumer    varchar(255) NOT NULL,
    instance    varchar(255) NOT NULL,
    alive_until datetime(6)  NOT NULL,
    started_at  datetime(6)  NOT NULL DEFAULT (utc_timestamp(6)),
    PRIMARY KEY (consumer, instance)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ${collation}
  COMMENT 'The processes that share the partitions of a queue.';

-- The queues whose history a consumer has handled completely, so that it consumes new events; of a partitioned queue each
-- partition, and in the end the queue as a whole. Without its row a consumer that catches up waits for the history. The row of
-- <queue>.history says that nothing is left there of an earlier one.
CREATE TABLE IF NOT EXISTS inbox_history (
    consumer     varchar(255) NOT NULL,
    queue        varchar(255) NOT NULL,
    -- The id of the message that ended it.
    subscription binary(16)   NOT NULL,
    completed_at datetime(6)  NOT NULL DEFAULT (utc_timestamp(6)),
    PRIMARY KEY (consumer, queue)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ${collation}
  COMMENT 'The queues whose history a consumer has handled.';

-- The histories of this outbox that were sent or are being sent to a queue, by the command subscribe.
CREATE TABLE IF NOT EXISTS outbox_subscription (
    queue        varchar(255)  NOT NULL PRIMARY KEY,
    -- The id of the message that ends the history.
    subscription binary(16)    NOT NULL,
    -- Which events were asked for, in words.
    what         varchar(4000) NOT NULL,
    -- Everything up to this id of outbox_published is in the queue for the history, or the queue is not bound to it.
    sent_up_to   bigint        NOT NULL,
    events       bigint        NOT NULL DEFAULT 0,
    started_at   datetime(6)   NOT NULL DEFAULT (utc_timestamp(6)),
    completed_at datetime(6)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ${collation}
  COMMENT 'How far the history was sent to the queue of a consumer that catches up.';

CREATE OR REPLACE SQL SECURITY INVOKER VIEW outbox_schema_version AS SELECT 5 AS version;
