SET LOCAL search_path = pg_catalog, pg_temp;

-- A writer that stays open is not waited for, for others would wait behind this: the installation fails and can be repeated.
SET LOCAL lock_timeout = '2s';

-- What was published, for as long as the relay is told to retain it (sources: retain). The settling statement moves rows here
-- instead of deleting them, so nothing is here that a relay did not settle: published and confirmed, or dropped because its
-- route says so and no queue is bound. It can be replayed from here.
--
-- id: the order of publishing within each aggregate. Partitions are days in UTC and are dropped as a whole.
CREATE SEQUENCE ${schema}.outbox_published_id_seq;

CREATE TABLE ${schema}.outbox_published (
    id             bigint      NOT NULL DEFAULT nextval('${schema}.outbox_published_id_seq'),
    published_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    lane           smallint    NOT NULL,
    position       bigint      NOT NULL,
    event_id       uuid        NOT NULL,
    aggregate_type text        NOT NULL,
    aggregate_id   text        NOT NULL,
    event_type     text        NOT NULL,
    payload        bytea       NOT NULL,
    content_type   text        NOT NULL,
    headers        jsonb       NOT NULL,
    occurred_at    timestamptz NOT NULL,
    PRIMARY KEY (id, published_at)
) PARTITION BY RANGE (published_at);

ALTER SEQUENCE ${schema}.outbox_published_id_seq OWNED BY ${schema}.outbox_published.id;

CREATE INDEX outbox_published_event_id ON ${schema}.outbox_published (event_id);
CREATE INDEX outbox_published_aggregate ON ${schema}.outbox_published (aggregate_type, aggregate_id, id);

-- Takes what no day is there for, so that settling never fails for want of one.
CREATE TABLE ${schema}.outbox_published_rest PARTITION OF ${schema}.outbox_published DEFAULT;
CREATE INDEX outbox_published_rest_at ON ${schema}.outbox_published_rest (published_at);

COMMENT ON TABLE ${schema}.outbox_published IS 'Events that were published and are retained for a while: they can be replayed.';

-- Makes the partition of one day, unless it is there or rows of that day are in the rest already.
CREATE FUNCTION ${schema}.outbox_published_day(day date) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' AS $function$
DECLARE
    partition text := format('outbox_published_%s', to_char(day, 'YYYYMMDD'));
    begins timestamptz := day::timestamp AT TIME ZONE 'UTC';
    ends timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass(format('${schema}.%I', partition)) IS NOT NULL
       OR EXISTS (SELECT FROM ${schema}.outbox_published_rest WHERE published_at >= begins AND published_at < ends) THEN
        RETURN false;
    END IF;
    -- Made beside and attached: made as a partition, it would lock out whoever settles for as long as it takes.
    EXECUTE format('CREATE TABLE ${schema}.%I (LIKE ${schema}.outbox_published INCLUDING DEFAULTS)', partition);
    EXECUTE format('ALTER TABLE ${schema}.outbox_published ATTACH PARTITION ${schema}.%I FOR VALUES FROM (%L) TO (%L)',
                   partition, begins, ends);
    RETURN true;
END
$function$;

REVOKE EXECUTE ON FUNCTION ${schema}.outbox_published_day(date) FROM PUBLIC;

-- Makes the partitions of today and the next week, empties the rest step by step, and drops the oldest day when nothing of it is
-- to be kept any more. The relay calls it again and again; it may not change tables, so the function does that as its owner,
-- for this table only. Two calls at once exclude each other by a lock on the table, for which one needs rights to it: an advisory
-- lock could be held by any login. Whoever is in the way is waited for half a second, then it is left for the next call (busy). One call does a
-- bounded amount; there is more to do while it says made > 0, dropped = 1 or removed = 5000. Dropping comes last: it locks out whoever
-- settles until the end of the transaction. A call that has made a partition drops none: attaching locks the rest until then,
-- for which somebody who settles may wait, holding what dropping waits for.
CREATE FUNCTION ${schema}.outbox_retain(keep interval, OUT made int, OUT dropped int, OUT removed int, OUT busy boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '500ms' AS $function$
DECLARE
    today date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
    oldest timestamptz := clock_timestamp() - keep;
    over text;
BEGIN
    made := 0; dropped := 0; removed := 0; busy := false;
    IF keep IS NULL OR keep < interval '1 hour' THEN
        RAISE EXCEPTION 'outbox_retain keeps published events for an hour at least, not for %', keep;
    END IF;
    BEGIN
        LOCK TABLE ONLY ${schema}.outbox_published IN SHARE UPDATE EXCLUSIVE MODE NOWAIT;
    EXCEPTION WHEN lock_not_available THEN
        busy := true; -- another relay is at it
        RETURN;
    END;
    BEGIN
        FOR ahead IN 0..7 LOOP
            IF ${schema}.outbox_published_day(today + ahead) THEN
                made := made + 1;
            END IF;
        END LOOP;
    EXCEPTION WHEN lock_not_available OR check_violation THEN
        made := 0; busy := true; -- or somebody has just put a row of that day into the rest
    END;
    BEGIN
        DELETE FROM ${schema}.outbox_published_rest WHERE ctid = ANY (ARRAY (
            SELECT ctid FROM ${schema}.outbox_published_rest WHERE published_at < oldest ORDER BY published_at LIMIT 5000));
        GET DIAGNOSTICS removed = ROW_COUNT;
    EXCEPTION WHEN lock_not_available THEN
        busy := true;
    END;
    SELECT c.relname INTO over FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = '${schema}.outbox_published'::regclass AND c.relname ~ '^outbox_published_[0-9]{8}$'
      AND (to_date(right(c.relname, 8), 'YYYYMMDD') + 1)::timestamp AT TIME ZONE 'UTC' <= oldest
    ORDER BY c.relname LIMIT 1;
    IF over IS NOT NULL AND made = 0 THEN
        BEGIN
            EXECUTE format('DROP TABLE ${schema}.%I', over);
            dropped := 1;
        EXCEPTION WHEN lock_not_available THEN
            busy := true;
        END;
    END IF;
END
$function$;

REVOKE EXECUTE ON FUNCTION ${schema}.outbox_retain(interval) FROM PUBLIC;

DO $roles$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'outbox_relay') THEN
        GRANT SELECT, INSERT ON ${schema}.outbox_published TO outbox_relay;
        GRANT USAGE ON SEQUENCE ${schema}.outbox_published_id_seq TO outbox_relay;
        GRANT EXECUTE ON FUNCTION ${schema}.outbox_retain(interval) TO outbox_relay;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'outbox_admin') THEN
        GRANT SELECT, DELETE ON ${schema}.outbox_published TO outbox_admin;
    END IF;
END
$roles$;

-- Wakes a sleeping relay (sources: wakeup: notify). Every transaction that notifies takes a lock of the whole server when it
-- commits. So a relay that sleeps and listens holds an advisory lock, and writers try it: they notify only if it is taken. They
-- take it for the session and release it at once; a lock of the transaction would last until its end, and meanwhile no
-- relay could take its own. Any login of the database can hold this lock: exclusively, it makes writers notify
-- needlessly; shared, it leaves a relay to its next poll. A lock that needs rights would cost every writer a
-- subtransaction. A pinned search path would cost nearly as much, so every function here is qualified with pg_catalog.
CREATE FUNCTION ${schema}.outbox_wake() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    IF NOT (pg_catalog.pg_try_advisory_lock_shared(TG_RELID::int, 1)
            AND pg_catalog.pg_advisory_unlock_shared(TG_RELID::int, 1)) THEN
        PERFORM pg_catalog.pg_notify(pg_catalog.concat('outbox_', TG_RELID), '');
    END IF;
    RETURN NULL;
END
$function$;

CREATE TRIGGER outbox_wake AFTER INSERT ON ${schema}.outbox FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.outbox_wake();

-- Costs nothing as long as it is disabled.
ALTER TABLE ${schema}.outbox DISABLE TRIGGER outbox_wake;

-- Turns it on or off, for the owner of the table. Waits for open writers, and makes others wait for it, at most a second. A
-- transaction that has notified cannot be prepared, so that writers with two phases would fail: the second argument says that there
-- are none although the server allows for them.
CREATE FUNCTION ${schema}.outbox_wakeup(enabled boolean, nobody_prepares boolean DEFAULT false) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $function$
BEGIN
    IF enabled AND NOT nobody_prepares AND current_setting('max_prepared_transactions')::int > 0 THEN
        RAISE EXCEPTION 'A transaction that wakes the relay cannot be prepared (PREPARE TRANSACTION), which this server allows'
            USING HINT = 'If no service that writes events does that: SELECT outbox_wakeup(true, nobody_prepares => true).';
    END IF;
    IF enabled THEN
        ALTER TABLE ${schema}.outbox ENABLE TRIGGER outbox_wake;
    ELSE
        ALTER TABLE ${schema}.outbox DISABLE TRIGGER outbox_wake;
    END IF;
END
$function$;

REVOKE EXECUTE ON FUNCTION ${schema}.outbox_wakeup(boolean, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION ${schema}.outbox_schema_version() RETURNS int LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS 'SELECT 4';
