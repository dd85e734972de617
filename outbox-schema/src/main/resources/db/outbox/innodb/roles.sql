-- Group roles with the least privileges that each party needs. They cannot log in: grant them to the users that do,
-- with
--     GRANT orders_outbox_writer TO orders_service; SET DEFAULT ROLE orders_outbox_writer TO orders_service; -- MySQL
--     GRANT orders_outbox_writer TO orders_service; SET DEFAULT ROLE orders_outbox_writer FOR orders_service; -- MariaDB
-- Roles belong to the whole server, and each of its databases may have an outbox, so their names contain the database.
-- A user without the right to create roles can install the tables; an administrator then runs these statements by hand.
-- They run again after every installation; granting again changes nothing.
CREATE ROLE IF NOT EXISTS `${role}_outbox_writer`, `${role}_outbox_consumer`, `${role}_outbox_relay`, `${role}_outbox_admin`;

-- A service that publishes: it can add events and nothing else; it cannot even read them.
GRANT INSERT (event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers, occurred_at)
    ON outbox TO `${role}_outbox_writer`;

-- A service that consumes.
GRANT SELECT, INSERT, DELETE ON inbox TO `${role}_outbox_consumer`;
GRANT SELECT, INSERT, UPDATE, DELETE ON inbox_failure TO `${role}_outbox_consumer`;
GRANT SELECT, INSERT, UPDATE, DELETE ON inbox_instance TO `${role}_outbox_consumer`;
GRANT SELECT, INSERT ON inbox_history TO `${role}_outbox_consumer`;
GRANT SELECT ON outbox_schema_version TO `${role}_outbox_consumer`;

GRANT SELECT, DELETE ON outbox TO `${role}_outbox_relay`;
GRANT SELECT, UPDATE ON outbox_lane TO `${role}_outbox_relay`;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_instance TO `${role}_outbox_relay`;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_failure TO `${role}_outbox_relay`;
GRANT SELECT ON outbox_pause TO `${role}_outbox_relay`;
GRANT SELECT, INSERT, DELETE ON outbox_published TO `${role}_outbox_relay`;
GRANT SELECT ON outbox_schema_version TO `${role}_outbox_relay`;

-- A person who operates the outbox: all data, no DDL. Nobody changes the audit, or chooses its times and users.
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO `${role}_outbox_admin`;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_lane TO `${role}_outbox_admin`;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_instance TO `${role}_outbox_admin`;
GRANT SELECT, INSERT, UPDATE, DELETE ON inbox TO `${role}_outbox_admin`;
GRANT SELECT, INSERT, UPDATE, DELETE ON inbox_failure TO `${role}_outbox_admin`;
GRANT SELECT, INSERT, UPDATE, DELETE ON inbox_instance TO `${role}_outbox_admin`;
GRANT SELECT, INSERT, UPDATE, DELETE ON inbox_history TO `${role}_outbox_admin`;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_failure TO `${role}_outbox_admin`;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_pause TO `${role}_outbox_admin`;
GRANT SELECT, DELETE ON outbox_published TO `${role}_outbox_admin`;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_subscription TO `${role}_outbox_admin`;
GRANT SELECT, INSERT (who, action, what, events, reason) ON outbox_audit TO `${role}_outbox_admin`;
GRANT SELECT ON outbox_schema_version TO `${role}_outbox_admin`;
