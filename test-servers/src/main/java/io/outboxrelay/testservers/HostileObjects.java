package io.outboxrelay.testservers;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import javax.sql.DataSource;

/**
 * Objects that a hostile user of a PostgreSQL database creates so that they hide the catalog's. Using one raises an
 * error with {@link #CAUGHT} and its name.
 */
public final class HostileObjects {

    /** Part of the error message when one was used. */
    public static final String CAUGHT = "caught by";

    private static final List<String> FUNCTIONS = List.of(
            "concat(text, oid)",
            "concat(text, text)",
            "concat_ws(text, text, text)",
            "format(text, text, text)",
            "format(text, name, text)",
            "greatest(int, numeric)",
            "has_table_privilege(varchar, varchar)",
            "hashtext(varchar)",
            "left(varchar, int)",
            "make_interval(int)",
            "make_interval(secs double precision)",
            "octet_length(varchar)",
            "set_config(text, varchar, boolean)",
            "to_char(date, varchar)",
            "to_regclass(varchar)",
            "to_regprocedure(varchar)",
            "unnest(int[], bigint[])",
            "unnest(text[], text[])");

    private static final List<String> OPERATORS = List.of(
            "* bigint interval",
            "* int interval",
            "% int smallint",
            "+ date bigint",
            "|| text oid",
            "|| text name",
            "|| name text",
            "= name text",
            "= name varchar",
            "= text name",
            "= text varchar",
            "= varchar varchar",
            "= oid regclass",
            "= smallint bigint",
            "<> name text",
            "<> name varchar",
            "<> text varchar",
            "> bigint varchar",
            "<= int varchar",
            "~ name text",
            "~~ name text");

    private HostileObjects() {}

    /**
     * Lays out in {@code public} what fits better than the catalog's objects, and so is taken although the catalog is
     * looked through first. {@code format(text, text)} makes the thief a superuser, where its user may, and then does
     * as its namesake.
     *
     * @param database connections as the thief
     * @param thief role that owns the objects
     * @throws SQLException if the thief may not create them
     */
    public static void fitBetter(DataSource database, String thief) throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("""
                    CREATE FUNCTION public.format(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
                        IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
                            ALTER ROLE %s SUPERUSER;
                        END IF;
                        RETURN pg_catalog.format($1, VARIADIC ARRAY[$2]);
                    END $$""".formatted(thief));
            for (String function : FUNCTIONS) {
                statement.execute("CREATE FUNCTION public.%s RETURNS text LANGUAGE plpgsql AS $$ %s $$"
                        .formatted(function.replace("greatest", "\"greatest\""), trap("public." + function)));
            }
            int n = 0;
            for (String operator : OPERATORS) {
                String[] parts = operator.split(" ");
                statement.execute("CREATE FUNCTION public.lure_%d(%s, %s) RETURNS boolean LANGUAGE plpgsql AS $$ %s $$"
                        .formatted(n, parts[1], parts[2], trap("public." + operator)));
                statement.execute("CREATE OPERATOR public.%s (FUNCTION = public.lure_%d, LEFTARG = %s, RIGHTARG = %s)"
                        .formatted(parts[0], n++, parts[1], parts[2]));
            }
        }
    }

    /**
     * Hides the whole catalog: makes a schema {@code evil} with an object for each function, operator, type, table and
     * view of the catalog, and a search path that begins with it the default of the database and of a role.
     *
     * @param database a database without such a schema
     * @param victim role whose default it becomes as well
     * @return how many objects hide something
     * @throws SQLException if they cannot be made
     */
    public static int hideTheCatalog(TestDatabase database, String victim) throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("SET search_path = pg_catalog");
            statement.execute("CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO PUBLIC");
            statement.execute("CREATE FUNCTION evil.trapped() RETURNS boolean LANGUAGE plpgsql AS $$ %s $$"
                    .formatted(trap("a type or a relation in evil")));
            statement.execute("CREATE TABLE evil.hidden (n int)");
            statement.execute(HIDE);
            statement.execute("GRANT SELECT ON ALL TABLES IN SCHEMA evil TO PUBLIC");
            String path = " SET search_path = evil, public, pg_catalog";
            statement.execute("ALTER DATABASE " + database.name() + path);
            statement.execute("ALTER ROLE " + victim + " IN DATABASE " + database.name() + path);
            try (var row = statement.executeQuery("SELECT n FROM evil.hidden")) {
                row.next();
                return row.getInt(1);
            }
        }
    }

    private static String trap(String what) {
        return "BEGIN RAISE EXCEPTION '" + CAUGHT + " " + what.replace("%", "%%") + "'; END";
    }

    /** What cannot be imitated, such as a function with an argument of an internal type, is left out. */
    private static final String HIDE = """
            DO $hide$
            DECLARE
                one record;
                made int := 0;
            BEGIN
                FOR one IN
                    SELECT format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', proname,
                                  pg_get_function_identity_arguments(oid), pg_get_function_result(oid),
                                  format('BEGIN RAISE EXCEPTION ''caught by function evil.%s''; END', proname))
                           AS statement
                    FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind IN ('f', 'w')
                    UNION ALL
                    SELECT format('CREATE FUNCTION evil.op_%s(%s) RETURNS %s LANGUAGE plpgsql AS %L', oid,
                                  concat_ws(', ', nullif(oprleft, 0)::regtype, nullif(oprright, 0)::regtype),
                                  oprresult::regtype,
                                  format('BEGIN RAISE EXCEPTION ''caught by operator evil.%s''; END',
                                         replace(oprname, '%', '%%')))
                    FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace
                    UNION ALL
                    SELECT format('CREATE OPERATOR evil.%s (FUNCTION = evil.op_%s%s, RIGHTARG = %s)', oprname, oid,
                                  ', LEFTARG = ' || nullif(oprleft, 0)::regtype, oprright::regtype)
                    FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace
                    UNION ALL
                    SELECT format('CREATE DOMAIN evil.%I AS %s CHECK (evil.trapped())', typname, oid::regtype)
                    FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typelem = 0
                    UNION ALL
                    SELECT format('CREATE VIEW evil.%I AS SELECT * FROM pg_catalog.%I WHERE evil.trapped()',
                                  relname, relname)
                    FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v')
                    UNION ALL
                    SELECT 'CREATE AGGREGATE evil.' || signature FROM unnest(ARRAY[
                        'count(*) (SFUNC = evil.int8inc, STYPE = bigint, INITCOND = 0)',
                        'count("any") (SFUNC = evil.int8inc_any, STYPE = bigint, INITCOND = 0)',
                        'sum(bigint) (SFUNC = evil.int8pl, STYPE = bigint)',
                        'sum(int) (SFUNC = evil.int4pl, STYPE = int)',
                        'min(bigint) (SFUNC = evil.int8smaller, STYPE = bigint)',
                        'max(bigint) (SFUNC = evil.int8larger, STYPE = bigint)']) AS signature
                LOOP
                    BEGIN
                        EXECUTE one.statement;
                        made := made + 1;
                    EXCEPTION WHEN OTHERS THEN NULL;
                    END;
                END LOOP;
                INSERT INTO evil.hidden VALUES (made);
            END
            $hide$""";
}
