-- A product is an aggregate: every change of it or of its stock locks its row first. Texts are compared byte by byte.
CREATE TABLE product (
    product_id  varchar(64)  NOT NULL PRIMARY KEY,
    version     int          NOT NULL,
    name        varchar(200) NOT NULL,
    price_cents bigint       NOT NULL CHECK (price_cents >= 0),
    currency    char(3)      NOT NULL,
    stock       bigint       NOT NULL CHECK (stock >= 0),
    reserved    bigint       NOT NULL DEFAULT 0 CHECK (reserved >= 0)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- The decision about the stock for an order, kept permanently: a repeated request gets the same answer. It is an
-- aggregate too, locked before any product. A row is NEW between its first lock and the decision, but never after a
-- commit.
CREATE TABLE reservation (
    order_id   varchar(255) NOT NULL PRIMARY KEY,
    version    int          NOT NULL,
    state      varchar(20)  NOT NULL CHECK (state IN ('NEW', 'RESERVED', 'OUT_OF_STOCK', 'UNKNOWN_PRODUCT', 'RELEASED')),
    product_id varchar(255) COMMENT 'which product was missing'
) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE reservation_line (
    order_id   varchar(255) NOT NULL,
    product_id varchar(64)  NOT NULL,
    quantity   int          NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, product_id),
    FOREIGN KEY (order_id) REFERENCES reservation (order_id),
    FOREIGN KEY (product_id) REFERENCES product (product_id)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

-- The heartbeat for services that keep copies: one row, however many instances there are.
CREATE TABLE heartbeat (version int NOT NULL, beat_at datetime(6) NOT NULL);
INSERT INTO heartbeat VALUES (0, '2000-01-01 00:00:00');

-- Where this service's events are: waiting in the outbox, failed, or published; and which relay owns which lane. The
-- service reads these views (OutboxApi), not the tables of the outbox, which its login cannot read.
CREATE VIEW waiting_event AS
SELECT event_id, aggregate_type, aggregate_id, event_type, lane, 'waiting' AS state, NULL AS reason,
       occurred_at AS written_at, timestampdiff(MICROSECOND, occurred_at, utc_timestamp(6)) / 1e6 AS age_seconds
FROM outbox
UNION ALL
SELECT event_id, aggregate_type, aggregate_id, event_type, lane, state, reason,
       occurred_at, timestampdiff(MICROSECOND, occurred_at, utc_timestamp(6)) / 1e6
FROM outbox_failure;

CREATE VIEW published_event AS
SELECT event_id, aggregate_type, aggregate_id, aggregate, event_type, lane, occurred_at AS written_at, published_at
FROM outbox_published;

CREATE VIEW lane_owner AS
SELECT lane, CASE WHEN lease_until > utc_timestamp(6) THEN owner END AS owner FROM outbox_lane;

-- The service's login user: it may use its own tables, and only write into the outbox. A user has one
-- default role here, so one role contains the two of the outbox. Roles belong to the whole server, so its name contains
-- the database.
CREATE ROLE IF NOT EXISTS `${flyway:database}_service`;
GRANT `${flyway:database}_outbox_writer` TO `${flyway:database}_service`;
GRANT `${flyway:database}_outbox_consumer` TO `${flyway:database}_service`;
GRANT SELECT, INSERT, UPDATE ON product TO `${flyway:database}_service`;
GRANT SELECT, INSERT, UPDATE ON reservation TO `${flyway:database}_service`;
GRANT SELECT, INSERT ON reservation_line TO `${flyway:database}_service`;
GRANT SELECT, UPDATE ON heartbeat TO `${flyway:database}_service`;
GRANT SELECT ON waiting_event TO `${flyway:database}_service`;
GRANT SELECT ON published_event TO `${flyway:database}_service`;
GRANT SELECT ON lane_owner TO `${flyway:database}_service`;
GRANT `${flyway:database}_service` TO `${service_user}`;
SET DEFAULT ROLE `${flyway:database}_service` FOR `${service_user}`;
