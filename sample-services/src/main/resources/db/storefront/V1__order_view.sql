-- Orders as customers see them: built from events alone. What an event that came too early would have told is null.
CREATE TABLE order_view (
    order_id       uuid        PRIMARY KEY,
    version        int         NOT NULL,
    state          text        NOT NULL,
    customer_id    text,
    item           text,
    quantity       int,
    amount_cents   bigint,
    events_applied int         NOT NULL,
    changed_at     timestamptz NOT NULL
);

-- First deliveries whose version was not the next one of their order. Stays empty.
CREATE TABLE out_of_order (
    event_id         uuid PRIMARY KEY,
    order_id         uuid NOT NULL,
    version_expected int  NOT NULL,
    version_received int  NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON order_view TO "${service_user}";
GRANT SELECT, INSERT ON out_of_order TO "${service_user}";
GRANT outbox_consumer TO "${service_user}";
