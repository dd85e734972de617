-- Group roles with the least that each party needs. They cannot log in: grant them to the users that do, for example
--     GRANT orders_outbox_writer TO orders_service; SET DEFAULT ROLE orders_outbox_writer TO orders_service;
-- Roles belong to the whole server, and each of its databases may have an outbox: so the database is in their names.
-- A user who may not create roles installs the tables all the same; then an administrator makes these statements by hand.
-- Repeated after every installation; granting again changes nothing.
CREATE ROLE IF NOT EXISTS `${role}_outbox_writer`, `${role}_outbox_consumer`, `${role}_outbox_relay`, `${role}_outbox_admin`;

-- A service that publishes: it can add events and nothing else; it cannot even read them.
GRANT INSERT (event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers, occurred_at)
    ON outbox TO `${role}_outbox_writer`;

-- A service that consumes.
GRANT SELECT, INSERT, DELETE ON inbox TO `${role}_outbox_consumer`;

GRANT SELECT, DELETE ON outbox TO `${role}_outbox_relay`;
GRANT SELECT, UPDATE ON outbox_lane TO `${role}_outbox_relay`;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_instance TO `${role}_outbox_relay`;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_failure TO `${role}_outbox_relay`;
GRANT SELECT ON outbox_pause TO `${role}_outbox_relay`;
GRANT SELECT, INSERT, DELETE ON outbox_published TO `${role}_outbox_relay`;
GRANT SELECT ON outbox_schema_version TO `${role}_outbox_relay`;

-- A person who looks after it: all data, no DDL. Nobody rewrites what was noted, or says when and as which user.
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO `${role}_outbox_admin`;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_lane TO `${role}_outbox_admin`;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_instance TO `${role}_outbox_admin`;
GRANT SELECT, INSERT, UPDATE, DELETE ON inbox TO `${role}_outbox_admin`;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_failure TO `${role}_outbox_admin`;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_pause TO `${role}_outbox_admin`;
GRANT SELECT, DELETE ON outbox_published TO `${role}_outbox_admin`;
GRANT SELECT, INSERT (who, action, what, events, reason) ON outbox_audit TO `${role}_outbox_admin`;
GRANT SELECT ON outbox_schema_version TO `${role}_outbox_admin`;
