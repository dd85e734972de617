package io.outboxrelay.schema;

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;

/** The kinds of databases that can have an outbox. */
public enum SqlDialect {
    /** PostgreSQL 14 to 18. */
    POSTGRESQL,
    /** MariaDB 10.6 to 11. */
    MARIADB,
    /** MySQL 8, from 8.0.17 on, and 9; what was proven is in docs/databases.md. */
    MYSQL;

    private static final int OLDEST_POSTGRESQL = 14;
    private static final int NEWEST_POSTGRESQL = 18;
    private static final int NEWEST_MARIADB = 11;
    private static final int OLDEST_MINOR_OF_MARIADB_10 = 6;
    private static final int OLDEST_MYSQL = 8;
    private static final int NEWEST_MYSQL = 9;

    /**
     * Finds out what a connection leads to.
     *
     * @throws OutboxSchemaException if it cannot have an outbox
     */
    static SqlDialect of(Connection connection) throws SQLException {
        DatabaseMetaData database = connection.getMetaData();
        return of(
                database.getDatabaseProductName(),
                database.getDatabaseMajorVersion(),
                database.getDatabaseMinorVersion(),
                database.getDatabaseProductVersion());
    }

    static SqlDialect of(String product, int major, int minor, String version) {
        if (product.equals("PostgreSQL") && major >= OLDEST_POSTGRESQL && major <= NEWEST_POSTGRESQL) {
            return POSTGRESQL;
        }
        if (product.equals("MariaDB")
                && (major == 10 ? minor >= OLDEST_MINOR_OF_MARIADB_10 : major == NEWEST_MARIADB)) {
            return MARIADB;
        }
        if (product.equals("MySQL") && major >= OLDEST_MYSQL && major <= NEWEST_MYSQL) {
            return MYSQL;
        }
        throw new OutboxSchemaException("The outbox cannot be installed on " + product + " " + version
                + ": it needs PostgreSQL 14 to 18, MariaDB 10.6 to 11 or MySQL 8 to 9");
    }

    /**
     * Finds out what a connection leads to, whatever its version: for who only asks.
     *
     * @throws OutboxSchemaException if it cannot have an outbox in any version
     */
    static SqlDialect ofAnyVersion(Connection connection) throws SQLException {
        String product = connection.getMetaData().getDatabaseProductName();
        return switch (product) {
            case "PostgreSQL" -> POSTGRESQL;
            case "MariaDB" -> MARIADB;
            case "MySQL" -> MYSQL;
            default -> throw new OutboxSchemaException("The outbox does not support " + product);
        };
    }

    /** Who knows the SQL. */
    Vendor vendor() {
        return this == POSTGRESQL ? new PostgresVendor() : new MariaDbVendor(this);
    }
}
