package io.outboxrelay.test;

import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import org.springframework.test.context.DynamicPropertyRegistry;

/** The database of all tests here, dropped when this JVM exits. */
final class ShopDatabase {

    private static final TestDatabase DATABASE = Servers.postgres().newDatabase();

    private ShopDatabase() {}

    static void describe(DynamicPropertyRegistry properties) {
        properties.add("spring.datasource.url", DATABASE::jdbcUrl);
        properties.add("spring.datasource.username", DATABASE::user);
        properties.add("spring.datasource.password", DATABASE::password);
        properties.add("outbox.schema.install", () -> true);
    }
}
