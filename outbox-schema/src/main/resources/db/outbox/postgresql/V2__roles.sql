SET LOCAL search_path = pg_catalog, pg_temp;

-- Group roles with the least that each party needs. They cannot log in: grant them to the users that do, for example
--     GRANT outbox_writer TO orders_service;
-- A user who may not create roles installs the tables all the same; then an administrator grants the same by hand.
-- Roles belong to the whole server: where several databases have an outbox, also keep users out of the others' databases
-- (REVOKE CONNECT ON DATABASE ... FROM PUBLIC).
DO $roles$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['outbox_writer', 'outbox_consumer', 'outbox_relay', 'outbox_admin'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
            EXCEPTION
                -- Roles belong to the whole server: another database's installation may be creating them right now.
                WHEN duplicate_object OR unique_violation THEN NULL;
                WHEN insufficient_privilege THEN
                    RAISE WARNING 'Role % is missing and this user may not create it: no rights were granted to it. Create it, then grant what V2__roles.sql grants.', role_name;
                    CONTINUE;
            END;
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA ${schema} TO %I', role_name);
        CASE role_name
            -- A service that publishes: it can add events and nothing else; it cannot even read them.
            WHEN 'outbox_writer' THEN
                GRANT INSERT (event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers, occurred_at)
                    ON ${schema}.outbox TO outbox_writer;
            -- A service that consumes.
            WHEN 'outbox_consumer' THEN
                GRANT SELECT, INSERT, DELETE ON ${schema}.inbox TO outbox_consumer;
            WHEN 'outbox_relay' THEN
                GRANT SELECT, DELETE ON ${schema}.outbox TO outbox_relay;
                GRANT SELECT ON SEQUENCE ${schema}.outbox_position_seq TO outbox_relay;
                GRANT SELECT, UPDATE ON ${schema}.outbox_lane TO outbox_relay;
                GRANT SELECT, INSERT ON ${schema}.outbox_incarnation TO outbox_relay;
                GRANT SELECT, INSERT, UPDATE, DELETE ON ${schema}.outbox_instance TO outbox_relay;
            -- A person who looks after it: all data, no DDL.
            WHEN 'outbox_admin' THEN
                GRANT SELECT, INSERT, UPDATE, DELETE
                    ON ${schema}.outbox, ${schema}.outbox_lane, ${schema}.outbox_instance, ${schema}.outbox_incarnation, ${schema}.inbox
                    TO outbox_admin;
        END CASE;
    END LOOP;
END
$roles$;

CREATE OR REPLACE FUNCTION ${schema}.outbox_schema_version() RETURNS int LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS 'SELECT 2';
