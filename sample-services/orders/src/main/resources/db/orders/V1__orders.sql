-- An order is an aggregate: whoever changes it locks its row first, so that its events are written one after the other.
-- It is also the saga's memory: where it stands, and until when it waits for an answer.
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
    -- Who waits has a deadline, and who has a deadline waits: so every saga ends.
    CHECK (CASE
        WHEN state IN ('awaiting_stock', 'awaiting_credit', 'releasing_credit', 'releasing_stock')
            THEN deadline IS NOT NULL
        ELSE state IN ('confirmed', 'paid', 'rejected', 'cancelled') AND deadline IS NULL
    END),
    CHECK (state <> 'rejected' OR reason IS NOT NULL)
);

CREATE INDEX orders_by_customer ON orders (customer_id, placed_at);
CREATE INDEX orders_by_deadline ON orders (deadline) WHERE deadline IS NOT NULL;

-- What was ordered, at the name and price of that moment. It stays so whatever becomes of the product.
CREATE TABLE order_line (
    order_id    uuid   NOT NULL REFERENCES orders,
    number      int    NOT NULL,
    product_id  text   NOT NULL,
    name        text   NOT NULL,
    quantity    int    NOT NULL CHECK (quantity > 0),
    price_cents bigint NOT NULL CHECK (price_cents >= 0),
    PRIMARY KEY (order_id, number)
);

-- What each order's saga has done, for good: the outbox forgets an event once it is published.
CREATE TABLE saga_step (
    order_id    uuid        NOT NULL REFERENCES orders,
    number      int         NOT NULL,
    step        text        NOT NULL,
    happened_at timestamptz NOT NULL,
    PRIMARY KEY (order_id, number)
);

-- Copies of what other services own, fed by their events and by nothing else. No order refers to a row here: a copy may be
-- emptied and built again at any time.
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

-- Until when others have been heard: how old the copies are.
CREATE TABLE freshness (
    source text        PRIMARY KEY,
    as_of  timestamptz NOT NULL
);

-- The service's own heartbeat, by which others know how old their copies of orders are.
CREATE TABLE heartbeat (
    version int         NOT NULL,
    beat_at timestamptz NOT NULL
);
INSERT INTO heartbeat VALUES (0, '2000-01-01 00:00:00Z');

-- The service's login user: its own tables, and into the outbox it may only write.
GRANT SELECT, INSERT, UPDATE ON orders, customer_replica, product_replica, freshness TO "${service_user}";
GRANT SELECT, INSERT ON order_line, saga_step TO "${service_user}";
GRANT SELECT, UPDATE ON heartbeat TO "${service_user}";
GRANT outbox_writer, outbox_consumer TO "${service_user}";
