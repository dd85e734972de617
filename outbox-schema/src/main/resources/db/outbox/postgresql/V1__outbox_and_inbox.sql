-- Nothing here means an object that somebody else has made: not in public, and not by the search path of a role or a database.
SET LOCAL search_path = pg_catalog, pg_temp;

-- The outbox holds what is not yet published and nothing else: the relay deletes a row once the broker has confirmed it.
--
-- The limits are those of a message's properties; what is larger could never be published and is refused at once.
--
-- lane: a fixed slice of the outbox. All events of one aggregate fall into one lane, and a lane has one owner at a time.
-- SHA-256 is used because it is immutable, the same in every major version and allowed where MD5 is not; doubling the
-- backslashes makes the cast from text to bytea exact for every text. U+001F separates type and id.
--
-- The primary key is what logical replication identifies a deleted row by, and must not contain a generated column: lane is
-- not part of it. It also makes an INSERT fail when the sequence was set back, instead of giving a position out twice.
CREATE TABLE ${schema}.outbox (
    lane           smallint    NOT NULL GENERATED ALWAYS AS (
        ('x' || left(encode(sha256(replace(aggregate_type || U&'\001F' || aggregate_id, '\', '\\')::bytea), 'hex'), 7))::bit(28)::int
        % ${lanes}) STORED,
    position       bigint      NOT NULL GENERATED ALWAYS AS IDENTITY (CACHE 1),
    event_id       uuid        NOT NULL DEFAULT gen_random_uuid(),
    aggregate_type text        NOT NULL CHECK (octet_length(aggregate_type) BETWEEN 1 AND 255),
    aggregate_id   text        NOT NULL CHECK (octet_length(aggregate_id) <= 1024),
    event_type     text        NOT NULL CHECK (octet_length(event_type) BETWEEN 1 AND 255),
    payload        bytea       NOT NULL,
    content_type   text        NOT NULL CHECK (octet_length(content_type) <= 255),
    headers        jsonb       NOT NULL DEFAULT '{}'
        CHECK (jsonb_typeof(headers) = 'object' AND octet_length(headers::text) <= 65536),
    occurred_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (position)
) WITH (
    -- Every row is deleted soon after it was inserted: vacuum by number of dead rows, not by share of a size that is near zero.
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 20000,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 100000
);

CREATE INDEX outbox_lane_position ON ${schema}.outbox (lane, position);

COMMENT ON TABLE ${schema}.outbox IS 'Events not yet published. A relay deletes a row once the broker has routed and confirmed it.';

-- One row a lane. The owner may publish the lane until lease_until, by the clock of this database; epoch grows with
-- every change of owner. The owner is one process of a relay, whose name no other process has.
CREATE TABLE ${schema}.outbox_lane (
    lane        smallint    PRIMARY KEY CHECK (lane BETWEEN 0 AND ${lanes} - 1),
    owner       text,
    epoch       bigint      NOT NULL DEFAULT 0,
    lease_from  timestamptz,
    lease_until timestamptz,
    CHECK ((owner IS NULL) = (lease_until IS NULL))
) WITH (fillfactor = 50);

INSERT INTO ${schema}.outbox_lane (lane) SELECT generate_series(0, ${lanes} - 1);

COMMENT ON TABLE ${schema}.outbox_lane IS 'Who publishes which lane, until when.';

-- One row a running relay. It counts as alive until alive_until.
CREATE TABLE ${schema}.outbox_instance (
    instance    text        PRIMARY KEY,
    alive_from  timestamptz NOT NULL DEFAULT clock_timestamp(),
    alive_until timestamptz NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

COMMENT ON TABLE ${schema}.outbox_instance IS 'The relays that share the lanes.';

-- The name of this life of the server: a crash empties a table that is not logged, a standby has none of its rows, and a
-- restored table has another oid. So a relay notices in its very next claim that what was committed last may be lost.
CREATE UNLOGGED TABLE ${schema}.outbox_incarnation (
    name uuid    NOT NULL DEFAULT gen_random_uuid(),
    one  boolean PRIMARY KEY DEFAULT true CHECK (one)
);

INSERT INTO ${schema}.outbox_incarnation DEFAULT VALUES;

COMMENT ON TABLE ${schema}.outbox_incarnation IS 'The name of this life of the server, empty after a crash until a relay names it.';

-- One row an event that a consumer has processed, written in the transaction of the consumer's own changes.
CREATE TABLE ${schema}.inbox (
    consumer     text        NOT NULL,
    event_id     uuid        NOT NULL,
    processed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, event_id)
);

CREATE INDEX inbox_processed_at ON ${schema}.inbox (processed_at);

COMMENT ON TABLE ${schema}.inbox IS 'Events that a consumer has processed: an event found here is not processed again.';

-- What the relay asks to learn whether this schema is new enough for it. Each migration raises it.
CREATE FUNCTION ${schema}.outbox_schema_version() RETURNS int LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS 'SELECT 1';
