-- Reference data. The version is 0 until the service writes the first event about an entry, when it starts.
CREATE TABLE currency (
    code         text PRIMARY KEY CHECK (code ~ '^[A-Z]{3}$'),
    version      int  NOT NULL DEFAULT 0,
    name         text NOT NULL,
    minor_digits int  NOT NULL CHECK (minor_digits BETWEEN 0 AND 4)
);

CREATE TABLE country (
    code     text PRIMARY KEY CHECK (code ~ '^[A-Z]{2}$'),
    version  int  NOT NULL DEFAULT 0,
    name     text NOT NULL,
    currency text NOT NULL REFERENCES currency
);

INSERT INTO currency (code, name, minor_digits) VALUES
    ('CHF', 'Swiss franc', 2),
    ('EUR', 'Euro', 2),
    ('JPY', 'Yen', 0),
    ('SEK', 'Swedish krona', 2);

INSERT INTO country (code, name, currency) VALUES
    ('AT', 'Austria', 'EUR'),
    ('CH', 'Switzerland', 'CHF'),
    ('DE', 'Germany', 'EUR'),
    ('JP', 'Japan', 'JPY'),
    ('SE', 'Sweden', 'SEK');

-- A customer is an aggregate: every change and every decision about its credit locks its row first, so that decisions
-- wait for each other and events are written one after another.
CREATE TABLE customer (
    customer_id        text        PRIMARY KEY,
    version            int         NOT NULL,
    name               text        NOT NULL,
    email              text        NOT NULL,
    region             text        NOT NULL,
    country            text        REFERENCES country,
    credit_limit_cents bigint      NOT NULL CHECK (credit_limit_cents >= 0),
    registered_at      timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX customer_by_region ON customer (region, name);

-- The decision about the credit for an order, kept permanently: a repeated request gets the same answer. There is no
-- foreign key, because orders may name unknown customers, and that answer is kept too.
CREATE TABLE credit_reservation (
    customer_id  text   NOT NULL,
    order_id     text   NOT NULL,
    state        text   NOT NULL CHECK (state IN ('RESERVED', 'CREDIT_EXCEEDED', 'UNKNOWN_CUSTOMER', 'RELEASED', 'SETTLED')),
    amount_cents bigint NOT NULL CHECK (amount_cents >= 0),
    PRIMARY KEY (customer_id, order_id)
);

CREATE INDEX credit_reserved ON credit_reservation (customer_id) INCLUDE (amount_cents) WHERE state = 'RESERVED';

-- The only definition of available credit. It is negative if the limit was lowered below the reservations.
CREATE VIEW credit AS
SELECT customer_id, credit_limit_cents, reserved_cents, credit_limit_cents - reserved_cents AS available_cents
FROM customer
CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount_cents), 0)::bigint AS reserved_cents
    FROM credit_reservation
    WHERE credit_reservation.customer_id = customer.customer_id AND state = 'RESERVED') AS reserved;

-- The heartbeat for services that keep copies: one row, however many instances there are.
CREATE TABLE heartbeat (version int NOT NULL, beat_at timestamptz NOT NULL);
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
GRANT SELECT, INSERT, UPDATE ON currency, country, customer, credit_reservation TO "${service_user}";
GRANT SELECT, UPDATE ON heartbeat TO "${service_user}";
GRANT SELECT ON credit TO "${service_user}";
GRANT SELECT ON waiting_event, published_event, lane_owner TO "${service_user}";
GRANT outbox_writer TO "${service_user}";
GRANT outbox_consumer TO "${service_user}";
