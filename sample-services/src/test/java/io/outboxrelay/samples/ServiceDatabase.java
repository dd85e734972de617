package io.outboxrelay.samples;

import io.outboxrelay.schema.OutboxSchemaCallback;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** A service's database with its tables, and the login user that the service works with. */
public final class ServiceDatabase implements AutoCloseable {

    private static final String PASSWORD = "of-a-test";

    private final String service;
    private final TestDatabase database;

    private ServiceDatabase(String service, TestDatabase database) {
        this.service = service;
        this.database = database;
    }

    public static ServiceDatabase empty(String service) {
        ServiceDatabase made = new ServiceDatabase(service, Servers.postgres().newDatabase());
        made.admin()
                .sql("CREATE ROLE %s LOGIN PASSWORD '%s'".formatted(made.user(), PASSWORD))
                .update();
        return made;
    }

    public static ServiceDatabase migrated(String service) {
        ServiceDatabase made = empty(service);
        Flyway.configure()
                .dataSource(made.adminDataSource())
                .locations("classpath:db/" + service)
                .placeholders(Map.of("service_user", made.user()))
                .callbacks(new OutboxSchemaCallback())
                .load()
                .migrate();
        return made;
    }

    public JdbcClient admin() {
        return JdbcClient.create(adminDataSource());
    }

    public DataSource adminDataSource() {
        return database.dataSource();
    }

    public DataSource serviceDataSource() {
        return new DriverManagerDataSource(database.jdbcUrl(), user(), PASSWORD);
    }

    /** For the service's {@code main}. */
    public List<String> arguments() {
        return List.of(
                "--server.port=0",
                "--spring.datasource.url=" + database.jdbcUrl(),
                "--spring.datasource.username=" + user(),
                "--spring.datasource.password=" + PASSWORD,
                "--spring.flyway.user=" + database.user(),
                "--spring.flyway.password=" + database.password());
    }

    /** Roles belong to the whole server, so this one has the database's name, which is unique. */
    private String user() {
        return service + "_" + database.name().substring(database.name().length() - 32);
    }

    @Override
    public void close() {
        String user = user();
        database.close();
        try (TestDatabase other = Servers.postgres().newDatabase()) {
            JdbcClient.create(other.dataSource()).sql("DROP ROLE " + user).update();
        }
    }
}
