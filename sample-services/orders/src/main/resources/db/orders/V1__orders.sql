-- An order is an aggregate: every change locks its row first, so that its events are written one after another. The row
-- also holds the saga's state, and the deadline of the awaited answer.
CREATE TABLE orders (
    order_id     uuid        PRIMARY KEY,
    version      int         NOT NULL,
    state        text        NOT NULL,
    reason       text,
    customer_id  text        NOT NULL,
    amount_cents bigint      NOT NULL CHECK (amount_cents >= 0),
    currency     text        NOT NULL,
    placed_at    timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL,
    deadline     timestamptz,
    -- Exactly the waiting orders have a deadline, so every saga ends.
    CHECK (CASE
        WHEN state IN ('awaiting_stock', 'awaiting_credit', 'releasing_credit', 'releasing_stock')
            THEN deadline IS NOT NULL
        ELSE state IN ('confirmed', 'paid', 'rejected', 'cancelled') AND deadline IS NULL
    END),
    CHECK (state <> 'rejected' OR reason IS NOT NULL)
);

CREATE INDEX orders_by_customer ON orders (customer_id, placed_at);
CREATE INDEX orders_by_deadline ON orders (deadline) WHERE deadline IS NOT NULL;

-- The lines of an order, with name and price at the time of the order. Later changes of the product do not affect them.
CREATE TABLE order_line (
    order_id    uuid   NOT NULL REFERENCES orders,
    number      int    NOT NULL,
    product_id  text   NOT NULL,
    name        text   NOT NULL,
    quantity    int    NOT NULL CHECK (quantity > 0),
    price_cents bigint NOT NULL CHECK (price_cents >= 0),
    PRIMARY KEY (order_id, number)
);

-- The steps of each order's saga, kept permanently: the outbox deletes an event once it is published.
CREATE TABLE saga_step (
    order_id    uuid        NOT NULL REFERENCES orders,
    number      int         NOT NULL,
    step        text        NOT NULL,
    happened_at timestamptz NOT NULL,
    PRIMARY KEY (order_id, number)
);

-- Copies of other services' data, written only from their events. No order refers to a row here, so a copy may be
-- emptied and rebuilt at any time.
CREATE TABLE customer_replica (
    customer_id text PRIMARY KEY,
    version     int  NOT NULL,
    name        text NOT NULL,
    email       text NOT NULL
);

CREATE TABLE product_replica (
    product_id  text   PRIMARY KEY,
    version     int    NOT NULL,
    name        text   NOT NULL,
    price_cents bigint NOT NULL,
    currency    text   NOT NULL
);

-- The time of the newest event of each source, which gives the age of the copies.
CREATE TABLE freshness (
    source text        PRIMARY KEY,
    as_of  timestamptz NOT NULL
);

-- The service's own heartbeat, which gives the age of other services' copies of orders.
CREATE TABLE heartbeat (
    version int         NOT NULL,
    beat_at timestamptz NOT NULL
);
INSERT INTO heartbeat VALUES (0, '2000-01-01 00:00:00Z');

-- Where this service's events are: waiting in the outbox, failed, or published; and which relay owns which lane. The
-- service reads these views (OutboxApi), not the tables of the outbox, which its login cannot read.
CREATE VIEW waiting_event AS
SELECT event_id, aggregate_type, aggregate_id, event_type, lane, 'waiting' AS state, NULL AS reason,
       occurred_at AS written_at, extract(epoch FROM clock_timestamp() - occurred_at) AS age_seconds
FROM outbox
UNION ALL
SELECT event_id, aggregate_type, aggregate_id, event_type, lane, state, reason,
       occurred_at, extract(epoch FROM clock_timestamp() - occurred_at)
FROM outbox_failure;

CREATE VIEW published_event AS
SELECT event_id, aggregate_type, aggregate_id, event_type, lane, occurred_at AS written_at, published_at
FROM outbox_published;

CREATE VIEW lane_owner AS
SELECT lane, CASE WHEN lease_until > clock_timestamp() THEN owner END AS owner FROM outbox_lane;

-- The service's login user: it may use its own tables, and only write into the outbox.
GRANT SELECT, INSERT, UPDATE ON orders, customer_replica, product_replica, freshness TO "${service_user}";
GRANT SELECT, INSERT ON order_line, saga_step TO "${service_user}";
GRANT SELECT, UPDATE ON heartbeat TO "${service_user}";
GRANT SELECT ON waiting_event, published_event, lane_owner TO "${service_user}";
GRANT outbox_writer, outbox_consumer TO "${service_user}";
