-- Version 4 of the tables, the same as PostgreSQL's after its fourth migration. MariaDB and MySQL share this file; only
-- the collation differs. Each statement ends a transaction, so each may be repeated: run an interrupted installation
-- again. Checks have names because MySQL's errors show nothing else. They belong to the table because MariaDB gives no
-- names to those of a column.

-- One row for each lane. The owner may publish the lane until lease_until, by the clock of this database; epoch grows
-- with every change of owner. The owner is one process of a relay; no other process has its name. The lanes come first
-- because an interrupted installation continues with their number.
CREATE TABLE IF NOT EXISTS outbox_lane (
    lane        smallint     NOT NULL PRIMARY KEY,
    owner       varchar(255),
    epoch       bigint       NOT NULL DEFAULT 0,
    lease_from  datetime(6),
    lease_until datetime(6),
    CONSTRAINT outbox_lane_lane CHECK (lane BETWEEN 0 AND ${lanes} - 1),
    CONSTRAINT outbox_lane_owned_until CHECK ((owner IS NULL) = (lease_until IS NULL))
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ${collation} COMMENT 'Who publishes which lane, until when.';

-- Two digits, because the depth of a recursion is limited.
INSERT IGNORE INTO outbox_lane (lane)
WITH RECURSIVE digit (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM digit WHERE n < 31)
SELECT low.n + 32 * high.n FROM digit low CROSS JOIN digit high WHERE low.n + 32 * high.n < ${lanes};

-- The outbox contains only events that are not yet published: the relay deletes a row once the broker has confirmed it.
--
-- The limits are those of a message's properties. The columns are wider than their limits: a value that a session
-- without strict mode truncates is still too long, and refused. The collation compares texts byte by byte, including
-- trailing spaces, so two aggregates are equal exactly when they are equal on PostgreSQL.
--
-- lane: a fixed slice of the outbox: the CRC-32 of type, U+001F and id, modulo the number of lanes. MariaDB allows no
-- generated column in a primary key, and InnoDB requires a counter to come first in an index. So the position is the
-- primary key, and rows are added at the end of the table. occurred_at and all other times are UTC, whatever the time
-- zone of a session.
CREATE TABLE IF NOT EXISTS outbox (
    lane           smallint      GENERATED ALWAYS AS (
        crc32(concat(aggregate_type, char(31 USING utf8mb4), aggregate_id)) % ${lanes}) STORED,
    position       bigint        NOT NULL AUTO_INCREMENT,
    event_id       binary(16)    NOT NULL DEFAULT (unhex(replace(uuid(), '-', ''))),
    aggregate_type varchar(256)  NOT NULL,
    aggregate_id   varchar(1025) NOT NULL,
    event_type     varchar(256)  NOT NULL,
    payload        longblob      NOT NULL,
    content_type   varchar(256)  NOT NULL,
    headers        longtext      NOT NULL DEFAULT ('{}'),
    occurred_at    datetime(6)   NOT NULL DEFAULT (utc_timestamp(6)),
    PRIMARY KEY (position),
    KEY outbox_lane_position (lane, position),
    CONSTRAINT outbox_aggregate_type CHECK (octet_length(aggregate_type) BETWEEN 1 AND 255),
    CONSTRAINT outbox_aggregate_id CHECK (octet_length(aggregate_id) <= 1024),
    CONSTRAINT outbox_event_type CHECK (octet_length(event_type) BETWEEN 1 AND 255),
    CONSTRAINT outbox_content_type CHECK (octet_length(content_type) <= 255),
    CONSTRAINT outbox_headers CHECK (
        json_valid(headers) AND json_type(headers) = 'OBJECT' AND octet_length(headers) <= 65536)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ${collation}
  COMMENT 'Events not yet published. A relay deletes a row once the broker has routed and confirmed it.';

-- One row for each running relay. It counts as alive until alive_until.
CREATE TABLE IF NOT EXISTS outbox_instance (
    instance    varchar(255) NOT NULL PRIMARY KEY,
    alive_from  datetime(6)  NOT NULL DEFAULT (utc_timestamp(6)),
    alive_until datetime(6)  NOT NULL,
    started_at  datetime(6)  NOT NULL DEFAULT (utc_timestamp(6))
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ${collation} COMMENT 'The relays that share the lanes.';

-- One row for each event that a consumer has processed, written in the transaction of the consumer's own changes.
CREATE TABLE IF NOT EXISTS inbox (
    consumer     varchar(255) NOT NULL,
    event_id     binary(16)   NOT NULL,
    processed_at datetime(6)  NOT NULL DEFAULT (utc_timestamp(6)),
    PRIMARY KEY (consumer, event_id),
    KEY inbox_processed_at (processed_at)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ${collation}
  COMMENT 'Events that a consumer has processed: an event found here is not processed again.';

-- Events that could not be published, with everything they had, and the later events of their aggregates that wait
-- behind them. The relay moves a row here when the broker or the relay itself refused it, and deletes it once the
-- broker has confirmed it.
--
-- Within an aggregate the order is that of id. While an aggregate has blocking rows, its next event to be published is
-- the one with the lowest id among them, and only that one may be retrying, parked or paused; all others are waiting.
--   retrying  is published again at next_attempt_at
--   parked    kept for a person: failures retry, failures discard. If it has a next_attempt_at it is published again then,
--             because the cause may be gone
--   paused    a person has paused its route
--   waiting   has not failed, but an earlier event of its aggregate has
-- An aggregate's type and id are too long for an index: aggregate is their SHA-256.
CREATE TABLE IF NOT EXISTS outbox_failure (
    id              bigint        NOT NULL AUTO_INCREMENT PRIMARY KEY,
    lane            smallint      NOT NULL,
    position        bigint        NOT NULL,
    event_id        binary(16)    NOT NULL,
    aggregate_type  varchar(256)  NOT NULL,
    aggregate_id    varchar(1025) NOT NULL,
    aggregate       binary(32)    GENERATED ALWAYS AS (
        unhex(sha2(concat(aggregate_type, char(31 USING utf8mb4), aggregate_id), 256))) STORED,
    event_type      varchar(256)  NOT NULL,
    payload         longblob      NOT NULL,
    content_type    varchar(256)  NOT NULL,
    headers         longtext      NOT NULL,
    occurred_at     datetime(6)   NOT NULL,
    state           varchar(8)    NOT NULL,
    -- Whether later events of the aggregate wait for it; false only if the policy is to continue behind a parked event.
    blocking        boolean       NOT NULL DEFAULT true,
    -- Spent attempts, of retry.max-attempts.
    attempts        int           NOT NULL DEFAULT 0,
    -- Number of failures in a row, whether they spent an attempt or not: the backoff doubles with each.
    failures        int           NOT NULL DEFAULT 0,
    next_attempt_at datetime(6),
    first_failed_at datetime(6),
    failed_at       datetime(6),
    -- Since when the broker has returned it, without any other answer in between.
    returned_since  datetime(6),
    reason          varchar(255),
    detail          text,
    CONSTRAINT outbox_failure_lane CHECK (lane BETWEEN 0 AND ${lanes} - 1),
    CONSTRAINT outbox_failure_state CHECK (state IN ('retrying', 'parked', 'paused', 'waiting')),
    CONSTRAINT outbox_failure_detail CHECK (octet_length(detail) <= 4096),
    CONSTRAINT outbox_failure_not_blocking CHECK (blocking OR state = 'parked'),
    CONSTRAINT outbox_failure_retrying_when CHECK (next_attempt_at IS NOT NULL OR state <> 'retrying'),
    CONSTRAINT outbox_failure_tried_again CHECK (
        next_attempt_at IS NULL OR blocking AND state IN ('retrying', 'parked')),
    CONSTRAINT outbox_failure_parked_why CHECK (reason IS NOT NULL OR state <> 'parked'),
    KEY outbox_failure_aggregate (aggregate, blocking, id),
    KEY outbox_failure_aggregate_state (aggregate, state),
    -- For queries on blocking, paused, parked and due events and the age of the oldest, which must not read the waiting ones.
    KEY outbox_failure_state (lane, state, occurred_at),
    KEY outbox_failure_due (lane, next_attempt_at),
    KEY outbox_failure_event_id (event_id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ${collation}
  COMMENT 'Events that could not be published, and those of their aggregates that wait behind them.';

-- One row for each paused route. '*' stands for every type; a row of two stars pauses the whole outbox.
CREATE TABLE IF NOT EXISTS outbox_pause (
    aggregate_type varchar(255) NOT NULL,
    event_type     varchar(255) NOT NULL,
    paused_at      datetime(6)  NOT NULL DEFAULT (utc_timestamp(6)),
    paused_by      varchar(255) NOT NULL,
    reason         text         NOT NULL,
    PRIMARY KEY (aggregate_type, event_type)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ${collation} COMMENT 'Routes whose events a person has paused.';

-- One row for each command of a person that changed something. The server sets id, at and db_user, and the admin's role
-- may not choose them; the person states who.
CREATE TABLE IF NOT EXISTS outbox_audit (
    id      bigint       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at      datetime(6)  NOT NULL DEFAULT (utc_timestamp(6)),
    db_user varchar(255) NOT NULL DEFAULT (substring_index(user(), '@', 1)),
    who     text         NOT NULL,
    action  text         NOT NULL,
    what    longtext     NOT NULL,
    events  bigint       NOT NULL,
    reason  text         NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ${collation}
  COMMENT 'What people have done to events: who, what, how many, when, why.';

-- Published events, for as long as the source retains them (sources: retain). The settling transaction moves rows here
-- instead of deleting them. So each event here was published and confirmed, or dropped because its route says so and no
-- queue is bound. It can be replayed from here. The relay deletes old rows in small steps.
--
-- id: the order of publishing within each aggregate.
CREATE TABLE IF NOT EXISTS outbox_published (
    id             bigint        NOT NULL AUTO_INCREMENT PRIMARY KEY,
    published_at   datetime(6)   NOT NULL DEFAULT (utc_timestamp(6)),
    lane           smallint      NOT NULL,
    position       bigint        NOT NULL,
    event_id       binary(16)    NOT NULL,
    aggregate_type varchar(256)  NOT NULL,
    aggregate_id   varchar(1025) NOT NULL,
    aggregate      binary(32)    GENERATED ALWAYS AS (
        unhex(sha2(concat(aggregate_type, char(31 USING utf8mb4), aggregate_id), 256))) STORED,
    event_type     varchar(256)  NOT NULL,
    payload        longblob      NOT NULL,
    content_type   varchar(256)  NOT NULL,
    headers        longtext      NOT NULL,
    occurred_at    datetime(6)   NOT NULL,
    KEY outbox_published_at (published_at),
    KEY outbox_published_event_id (event_id),
    KEY outbox_published_aggregate (aggregate, id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ${collation}
  COMMENT 'Events that were published and are retained for a while: they can be replayed.';

-- The relay reads this to learn whether the schema is new enough for it. Each migration replaces it, last of all.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW outbox_schema_version AS SELECT 4 AS version;
