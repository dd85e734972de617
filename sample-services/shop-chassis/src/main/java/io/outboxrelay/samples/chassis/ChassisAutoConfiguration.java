package io.outboxrelay.samples.chassis;

import io.micrometer.core.instrument.MeterRegistry;
import io.outboxrelay.client.AvroEvents;
import io.outboxrelay.client.Outbox;
import io.outboxrelay.schemas.contract.Contracts;
import java.sql.DatabaseMetaData;
import java.time.Duration;
import javax.sql.DataSource;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.sql.init.dependency.DependsOnDatabaseInitialization;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcUtils;
import org.springframework.jdbc.support.MetaDataAccessException;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** The beans of the chassis: a service only needs it on the class path. */
@AutoConfiguration(
        afterName = {"io.outboxrelay.spring.OutboxAutoConfiguration", "io.outboxrelay.spring.AvroAutoConfiguration"})
public class ChassisAutoConfiguration {

    /** Called by Spring. */
    ChassisAutoConfiguration() {}

    @Bean
    Events shopEvents(Outbox outbox, AvroEvents released) {
        ClassLoader classes = ChassisAutoConfiguration.class.getClassLoader();
        return new Events(outbox, released, Contracts.onClassPath(classes), classes);
    }

    @Bean
    Heartbeats heartbeats(
            Events events,
            JdbcClient database,
            PlatformTransactionManager transactions,
            @Value("${shop.heartbeat:1s}") Duration interval) {
        return new Heartbeats(events, database, new TransactionTemplate(transactions), interval);
    }

    /** For services that keep copies; they set {@code shop.copies: true} and have the table. */
    @Bean(initMethod = "meterWhatIsKnown")
    @ConditionalOnBooleanProperty("shop.copies")
    @DependsOnDatabaseInitialization
    Freshness freshness(JdbcClient database, MeterRegistry meters) {
        return new Freshness(database, meters);
    }

    /** For services with an outbox; they set {@code shop.outbox-api: true} and have the views. */
    @Bean
    @ConditionalOnBooleanProperty("shop.outbox-api")
    OutboxApi outboxApi(JdbcClient database, DataSource connections) throws MetaDataAccessException {
        String product = JdbcUtils.extractDatabaseMetaData(connections, DatabaseMetaData::getDatabaseProductName);
        return new OutboxApi(new OwnEvents(database, product));
    }
}
