package io.outboxrelay.spring;

import io.outboxrelay.schema.Installation;
import io.outboxrelay.schema.OutboxSchema;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.InitializingBean;

/** Installs the outbox while the application starts, before the beans that use the database are made. */
final class OutboxSchemaInitializer implements InitializingBean {

    private static final Logger LOG = LoggerFactory.getLogger(OutboxSchemaInitializer.class);

    private final DataSource dataSource;
    private final OutboxSchema schema;

    OutboxSchemaInitializer(DataSource dataSource, OutboxSchema schema) {
        this.dataSource = dataSource;
        this.schema = schema;
    }

    @Override
    public void afterPropertiesSet() {
        Installation installation = schema.installOn(dataSource);
        if (installation.changed()) {
            LOG.info(
                    "{} outbox schema version {} ({} lanes) in \"{}\"",
                    installation.versionBefore() == 0 ? "Installed" : "Upgraded to",
                    installation.version(),
                    installation.lanes(),
                    installation.schema());
        }
    }
}
