package io.outboxrelay.testservers;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * A database that one service has for itself, and the login user that the service works with: no other login may
 * connect. One thread at a time calls it.
 */
public final class ServiceDatabase implements AutoCloseable {

    private final String service;
    private final TestDatabase database;
    private final String password = UUID.randomUUID().toString();
    private final List<String> logins = new ArrayList<>();

    private ServiceDatabase(String service, TestDatabase database) {
        this.service = service;
        this.database = database;
    }

    /**
     * Makes the login user of a service for an empty database, which belongs to the result from then on.
     *
     * @param service its name, the beginning of the user's
     * @param database without tables
     * @return the database with its user, who may only connect
     * @throws IllegalStateException when the server refuses
     */
    public static ServiceDatabase of(String service, TestDatabase database) {
        ServiceDatabase made = new ServiceDatabase(service, database);
        if (database.kind() == DatabaseKind.POSTGRESQL) {
            made.execute(List.of("REVOKE CONNECT ON DATABASE %s FROM PUBLIC".formatted(database.name())));
        }
        made.login("");
        return made;
    }

    /**
     * The same in a new database of the server that the whole JVM shares.
     *
     * @param service its name
     * @param kind of database
     * @return the database with its user
     * @throws IllegalStateException when there is no server or it refuses
     */
    public static ServiceDatabase of(String service, DatabaseKind kind) {
        return of(service, kind.newDatabase());
    }

    /**
     * The database, seen by its owner.
     *
     * @return valid until {@link #close}
     */
    public TestDatabase database() {
        return database;
    }

    /**
     * Connections as the user that the service works with.
     *
     * @return a new data source
     */
    public DataSource asService() {
        return database.dataSource(user(), password());
    }

    /**
     * The user that the service works with. Roles belong to the whole server, so this one has the database's name in
     * it.
     *
     * @return a name that needs no quotes
     */
    public String user() {
        return service + "_" + database.name().substring(database.name().length() - 32);
    }

    /**
     * The user's password.
     *
     * @return never empty
     */
    public String password() {
        return password;
    }

    /**
     * Arguments for a Spring Boot service: its database, and any free port.
     *
     * @return arguments for its {@code main}
     */
    public List<String> arguments() {
        return List.of(
                "--server.port=0",
                "--spring.datasource.url=" + database.jdbcUrl(),
                "--spring.datasource.username=" + user(),
                "--spring.datasource.password=" + password(),
                "--spring.flyway.user=" + database.user(),
                "--spring.flyway.password=" + database.password());
    }

    /**
     * Makes one more login, such as that of a relay, with the same password.
     *
     * @param suffix what follows the service's name in the login's
     * @return its name: it may connect, and nothing else yet
     */
    public String login(String suffix) {
        String login = user() + suffix;
        if (database.kind() == DatabaseKind.MARIADB) {
            execute(List.of("CREATE USER %s IDENTIFIED BY '%s'".formatted(login, password)));
        } else {
            execute(List.of(
                    "CREATE ROLE %s LOGIN PASSWORD '%s'".formatted(login, password),
                    "GRANT CONNECT ON DATABASE %s TO %s".formatted(database.name(), login)));
        }
        logins.add(login);
        return login;
    }

    /** Drops the logins and the database. */
    @Override
    public void close() {
        for (String login : logins) {
            execute(
                    database.kind() == DatabaseKind.MARIADB
                            ? List.of("DROP USER " + login)
                            : List.of("DROP OWNED BY " + login, "DROP ROLE " + login));
        }
        database.close();
    }

    private void execute(List<String> statements) {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(
                    "A login of the database %s could not be created or dropped".formatted(database.name()), e);
        }
    }
}
