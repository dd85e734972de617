-- Read models, which own no data. Every row comes from an event of another service, and all of them can be emptied and
-- rebuilt from a replay (rebuild-views.sql). Ids are those of the other services, and stored as text.
--
-- "version" is that of the event from which a row comes. An event is applied only if the row has a lower version. So it
-- does not matter how often, how late and in which order events arrive: the newest one determines the row.

CREATE TABLE customer_view (
    customer_id text PRIMARY KEY,
    version     int  NOT NULL,
    name        text NOT NULL,
    email       text NOT NULL,
    region      text NOT NULL,
    country     text
);

CREATE INDEX customer_view_by_name ON customer_view (name, customer_id);
CREATE INDEX customer_view_by_region ON customer_view (region, name, customer_id);

-- Separate from customer_view, because the newest event about a customer's name is not the newest one about the credit.
CREATE TABLE credit_view (
    customer_id        text   PRIMARY KEY,
    version            int    NOT NULL,
    credit_limit_cents bigint NOT NULL,
    available_cents    bigint NOT NULL
);

CREATE TABLE product_view (
    product_id  text   PRIMARY KEY,
    version     int    NOT NULL,
    name        text   NOT NULL,
    price_cents bigint NOT NULL,
    currency    text   NOT NULL
);

CREATE INDEX product_view_by_name ON product_view (name, product_id);

-- Reference data of the customers service.
CREATE TABLE country_view (
    code     text PRIMARY KEY,
    version  int  NOT NULL,
    name     text NOT NULL,
    currency text NOT NULL
);

CREATE TABLE currency_view (
    code         text PRIMARY KEY,
    version      int  NOT NULL,
    name         text NOT NULL,
    minor_digits int  NOT NULL
);

-- State and reason are those of the newest event. The rest comes only from OrderPlaced, and is null until it has
-- arrived.
CREATE TABLE order_view (
    order_id     text PRIMARY KEY,
    version      int  NOT NULL,
    state        text NOT NULL,
    reason       text,
    customer_id  text,
    amount_cents bigint,
    currency     text,
    placed_at    timestamptz
);

CREATE INDEX order_view_by_customer ON order_view (customer_id, placed_at DESC, order_id);

CREATE TABLE order_line_view (
    order_id    text   NOT NULL,
    number      int    NOT NULL,
    product_id  text   NOT NULL,
    name        text   NOT NULL,
    quantity    int    NOT NULL,
    price_cents bigint NOT NULL,
    PRIMARY KEY (order_id, number)
);

-- The events of orders, products and customers about an order, each once: a replay has the ids of the first delivery.
CREATE TABLE saga_step (
    event_id    uuid        PRIMARY KEY,
    order_id    text        NOT NULL,
    service     text        NOT NULL,
    version     int         NOT NULL,
    event_type  text        NOT NULL,
    detail      text,
    happened_at timestamptz NOT NULL
);

CREATE INDEX saga_step_by_order ON saga_step (order_id, happened_at);

-- The age of the views.
CREATE TABLE freshness (
    source text        PRIMARY KEY,
    as_of  timestamptz NOT NULL
);

-- The highest version of each aggregate, and the version that was expected when its last event arrived.
CREATE TABLE heard (
    aggregate_type text NOT NULL,
    aggregate_id   text NOT NULL,
    version        int  NOT NULL,
    expected       int  NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id)
);

-- First deliveries whose version was not the next one of their aggregate. Stays empty except during a rebuild; the
-- views are not affected.
CREATE TABLE out_of_order (
    event_id         uuid PRIMARY KEY,
    aggregate_type   text NOT NULL,
    aggregate_id     text NOT NULL,
    version_expected int  NOT NULL,
    version_received int  NOT NULL
);

-- The service's login user: it may apply events, but not delete. It writes no events, so it needs no outbox_writer.
GRANT SELECT, INSERT, UPDATE
    ON customer_view, credit_view, product_view, country_view, currency_view, order_view, freshness, heard
    TO "${service_user}";
GRANT SELECT, INSERT ON order_line_view, saga_step, out_of_order TO "${service_user}";
GRANT outbox_consumer TO "${service_user}";
