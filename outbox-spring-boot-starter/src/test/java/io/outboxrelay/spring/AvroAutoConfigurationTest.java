package io.outboxrelay.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.client.AvroEvents;
import io.outboxrelay.schemas.contract.Contracts;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericRecordBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

class AvroAutoConfigurationTest {

    private static final String SHIPPED = """
            {"type": "record", "name": "OrderShipped", "namespace": "shop", "fields": [
                {"name": "id", "type": "string"}]}""";

    @TempDir
    private Path classes;

    private final ApplicationContextRunner application =
            new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(AvroAutoConfiguration.class));

    @Test
    void events_of_the_contracts_on_the_class_path_can_be_made() throws IOException {
        Path subject = Files.createDirectories(classes.resolve("contracts/orders.order-shipped"));
        Files.writeString(subject.resolve("v1.avsc"), SHIPPED);
        Files.writeString(
                classes.resolve("contracts/contracts.yaml"), "owner: shop\nsubjects:\n  orders.order-shipped: {}\n");
        try (URLClassLoader withContracts = new URLClassLoader(
                new URL[] {classes.toUri().toURL()}, getClass().getClassLoader())) {
            application
                    .withClassLoader(withContracts)
                    .run(context -> assertThat(context.getBean(AvroEvents.class)
                                    .event(new GenericRecordBuilder(new Schema.Parser().parse(SHIPPED))
                                            .set("id", "4711")
                                            .build())
                                    .aggregateType("Order")
                                    .aggregateId("4711")
                                    .eventType())
                            .isEqualTo("OrderShipped"));
        }
    }

    @Test
    void nothing_is_made_where_there_are_no_contracts_or_no_avro() {
        application.run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(AvroEvents.class));
        application
                .withClassLoader(new FilteredClassLoader(Schema.class, Contracts.class))
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(AvroAutoConfiguration.class));
    }
}
