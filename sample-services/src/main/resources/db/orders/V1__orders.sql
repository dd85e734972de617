-- An order is an aggregate: whoever changes it locks its row first, so that its events are written one after the other.
CREATE TABLE orders (
    order_id     uuid        PRIMARY KEY,
    version      int         NOT NULL,
    state        text        NOT NULL CHECK (state IN ('placed', 'paid', 'shipped')),
    customer_id  text        NOT NULL,
    item         text        NOT NULL,
    quantity     int         NOT NULL CHECK (quantity > 0),
    amount_cents bigint      NOT NULL CHECK (amount_cents >= 0),
    changed_at   timestamptz NOT NULL DEFAULT now()
);

-- What happened to each order, kept for good. The outbox forgets an event once it is published; this is where one can
-- count what should have arrived.
CREATE TABLE order_history (
    event_id    uuid        PRIMARY KEY,
    order_id    uuid        NOT NULL REFERENCES orders,
    version     int         NOT NULL,
    event_type  text        NOT NULL,
    happened_at timestamptz NOT NULL,
    UNIQUE (order_id, version)
);

-- The service's login user: its own tables, and into the outbox it may only write.
GRANT SELECT, INSERT, UPDATE ON orders TO "${service_user}";
GRANT SELECT, INSERT ON order_history TO "${service_user}";
GRANT outbox_writer TO "${service_user}";
