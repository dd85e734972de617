SET LOCAL search_path = pg_catalog, pg_temp;

-- Events that could not be published, with everything they had, and those of the same aggregate that wait behind them. The
-- relay moves a row here when the broker or the relay itself said no, and deletes it once the broker has confirmed it.
--
-- Within an aggregate the order is that of id. While an aggregate has blocking rows, its next event to be published is the
-- one with the lowest id among them, and only that one may be retrying, parked or paused; all others are waiting.
--   retrying  is published again at next_attempt_at
--   parked    kept for a person: failures retry, failures discard. Where it has a next_attempt_at it is published again then,
--             since what it was parked for may have gone
--   paused    its route is paused by a person
--   waiting   has not failed, but one before it has
CREATE TABLE ${schema}.outbox_failure (
    id              bigint      NOT NULL GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
    lane            smallint    NOT NULL CHECK (lane BETWEEN 0 AND ${lanes} - 1),
    position        bigint      NOT NULL,
    event_id        uuid        NOT NULL,
    aggregate_type  text        NOT NULL,
    aggregate_id    text        NOT NULL,
    event_type      text        NOT NULL,
    payload         bytea       NOT NULL,
    content_type    text        NOT NULL,
    headers         jsonb       NOT NULL,
    occurred_at     timestamptz NOT NULL,
    state           text        NOT NULL CHECK (state IN ('retrying', 'parked', 'paused', 'waiting')),
    -- Whether later events of the aggregate wait for it; false only where the policy is to go on behind a parked event.
    blocking        boolean     NOT NULL DEFAULT true CHECK (blocking OR state = 'parked'),
    -- How many attempts were spent, of retry.max-attempts.
    attempts        int         NOT NULL DEFAULT 0,
    -- How often it failed in a row, spending an attempt or not: the backoff doubles with each.
    failures        int         NOT NULL DEFAULT 0,
    next_attempt_at timestamptz CHECK (next_attempt_at IS NOT NULL OR state <> 'retrying'),
    first_failed_at timestamptz,
    failed_at       timestamptz,
    -- Since when the broker has returned it, without any other answer in between.
    returned_since  timestamptz,
    reason          text        CHECK (reason IS NOT NULL OR state <> 'parked'),
    detail          text        CHECK (octet_length(detail) <= 4096),
    CHECK (next_attempt_at IS NULL OR blocking AND state IN ('retrying', 'parked'))
) WITH (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 20000
);

CREATE INDEX outbox_failure_aggregate ON ${schema}.outbox_failure (lane, aggregate_type, aggregate_id, id) WHERE blocking;
-- Who blocks, what is paused, what is parked, how old the oldest is: however many wait behind these, they are not read for it.
CREATE INDEX outbox_failure_head ON ${schema}.outbox_failure (lane, aggregate_type, aggregate_id, id)
    INCLUDE (state, blocking, event_type, occurred_at) WHERE state <> 'waiting';
CREATE INDEX outbox_failure_due ON ${schema}.outbox_failure (lane, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX outbox_failure_event_id ON ${schema}.outbox_failure (event_id);

COMMENT ON TABLE ${schema}.outbox_failure IS 'Events that could not be published, and those of their aggregates that wait behind them.';

-- What is not to be published for now: a row for each paused route. '*' stands for every type; a row of two stars pauses
-- the whole outbox.
CREATE TABLE ${schema}.outbox_pause (
    aggregate_type text        NOT NULL,
    event_type     text        NOT NULL,
    paused_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    paused_by      text        NOT NULL,
    reason         text        NOT NULL,
    PRIMARY KEY (aggregate_type, event_type)
);

COMMENT ON TABLE ${schema}.outbox_pause IS 'Routes whose events a person has paused.';

-- What people have done, a row for each command that changed something. id, at and db_user are the server's, and nobody may
-- choose them; who is what the person said.
CREATE TABLE ${schema}.outbox_audit (
    id      bigint      NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    db_user text        NOT NULL DEFAULT session_user,
    who     text        NOT NULL,
    action  text        NOT NULL,
    what    text        NOT NULL,
    events  bigint      NOT NULL,
    reason  text        NOT NULL
);

COMMENT ON TABLE ${schema}.outbox_audit IS 'What people have done to events: who, what, how many, when, why.';

DO $roles$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'outbox_relay') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON ${schema}.outbox_failure TO outbox_relay;
        GRANT SELECT ON ${schema}.outbox_pause TO outbox_relay;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'outbox_admin') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON ${schema}.outbox_failure, ${schema}.outbox_pause TO outbox_admin;
        -- Nobody rewrites what was noted, or says when and as which user.
        GRANT SELECT, INSERT (who, action, what, events, reason) ON ${schema}.outbox_audit TO outbox_admin;
    END IF;
END
$roles$;

CREATE OR REPLACE FUNCTION ${schema}.outbox_schema_version() RETURNS int LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS 'SELECT 3';
