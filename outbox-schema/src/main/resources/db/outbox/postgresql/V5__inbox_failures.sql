SET LOCAL search_path = pg_catalog, pg_temp;

-- Events that a consumer has given up, with everything they had, and later events of the same aggregate that wait behind them.
-- The consumer moves an event here in the place of its effect, and then acknowledges it to the broker.
--
-- Within a consumer and an aggregate the order is that of id. The consumer processes the one with the lowest id; all others wait.
--   retrying  is processed again at next_attempt_at
--   parked    kept for a person: inbox failures retry, inbox failures discard
--   waiting   has not failed, but one before it has; once it is the first, it is processed at once
-- An event without an aggregate, its type and id being empty, blocks no other.
CREATE TABLE ${schema}.inbox_failure (
    id              bigint      NOT NULL GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
    consumer        text        NOT NULL,
    event_id        uuid        NOT NULL,
    aggregate_type  text        NOT NULL,
    aggregate_id    text        NOT NULL,
    event_type      text        NOT NULL,
    payload         bytea       NOT NULL,
    content_type    text,
    headers         jsonb       NOT NULL,
    occurred_at     timestamptz,
    -- Where it came from.
    queue           text        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('retrying', 'parked', 'waiting')),
    -- How many attempts were spent, in the consumer's memory and from here.
    attempts        int         NOT NULL DEFAULT 0,
    next_attempt_at timestamptz CHECK ((next_attempt_at IS NOT NULL) = (state = 'retrying')),
    first_failed_at timestamptz,
    failed_at       timestamptz,
    reason          text        CHECK (reason IS NOT NULL OR state <> 'parked'),
    detail          text        CHECK (octet_length(detail) <= 4096),
    UNIQUE (consumer, event_id)
);

CREATE INDEX inbox_failure_aggregate ON ${schema}.inbox_failure (consumer, aggregate_type, aggregate_id, id);
-- What to process next, what is parked, how old the oldest is: however many wait behind these, they are not read for it.
CREATE INDEX inbox_failure_state ON ${schema}.inbox_failure (consumer, state, next_attempt_at);

COMMENT ON TABLE ${schema}.inbox_failure IS 'Events that a consumer has given up, and those of their aggregates that wait behind them.';

-- One row a running process of a consumer whose queue is partitioned. It counts as alive until alive_until, by the clock of this
-- database; the partitions are shared among those alive.
CREATE TABLE ${schema}.inbox_instance (
    consumer    text        NOT NULL,
    instance    text        NOT NULL,
    alive_until timestamptz NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, instance)
) WITH (fillfactor = 50);

COMMENT ON TABLE ${schema}.inbox_instance IS 'The processes that share the partitions of a consumer''s queue.';

-- The queues whose history a consumer has handled completely, so that it consumes new events; of a partitioned queue each
-- partition, and in the end the queue as a whole. Without its row a consumer that catches up waits for the history. The row of
-- <queue>.history says that nothing is left there of an earlier one.
CREATE TABLE ${schema}.inbox_history (
    consumer     text        NOT NULL,
    queue        text        NOT NULL,
    -- The id of the message that ended it.
    subscription uuid        NOT NULL,
    completed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, queue)
);

COMMENT ON TABLE ${schema}.inbox_history IS 'The queues whose history a consumer has handled.';

-- The histories of this outbox that were sent or are being sent to a queue, by the command subscribe.
CREATE TABLE ${schema}.outbox_subscription (
    queue        text        PRIMARY KEY,
    -- The id of the message that ends the history.
    subscription uuid        NOT NULL,
    -- Which events were asked for, in words.
    what         text        NOT NULL,
    -- Everything up to this id of outbox_published is in the queue for the history, or the queue is not bound to it.
    sent_up_to   bigint      NOT NULL,
    events       bigint      NOT NULL DEFAULT 0,
    started_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    completed_at timestamptz
);

COMMENT ON TABLE ${schema}.outbox_subscription IS 'How far the history was sent to the queue of a consumer that catches up.';

DO $roles$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'outbox_consumer') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON ${schema}.inbox_failure, ${schema}.inbox_instance TO outbox_consumer;
        GRANT SELECT, INSERT ON ${schema}.inbox_history TO outbox_consumer;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'outbox_admin') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE
            ON ${schema}.inbox_failure, ${schema}.inbox_instance, ${schema}.inbox_history, ${schema}.outbox_subscription
            TO outbox_admin;
    END IF;
END
$roles$;

CREATE OR REPLACE FUNCTION ${schema}.outbox_schema_version() RETURNS int LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS 'SELECT 5';
