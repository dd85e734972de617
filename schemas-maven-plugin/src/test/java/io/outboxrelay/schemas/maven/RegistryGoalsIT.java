package io.outboxrelay.schemas.maven;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.testservers.PrivateRegistry;
import io.outboxrelay.testservers.RegistryLine;
import io.outboxrelay.testservers.Servers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The goals that speak with a registry, with a real one. */
class RegistryGoalsIT {

    @TempDir
    Path temporary;

    @Test
    void a_build_registers_compares_and_downloads_and_stops_at_what_the_registry_would_refuse() throws Exception {
        ServiceBuild build = new ServiceBuild(temporary);
        Path contract = build.service().resolve("contracts/orders.placed");
        try (PrivateRegistry registry = Servers.startPrivateRegistry(RegistryLine.TWO)) {
            Map<String, String> environment =
                    Map.of("OUTBOX_RELAY_SCHEMAS_REGISTRY_URL", registry.url().toString());

            ServiceBuild.Result first = build.run(
                    environment,
                    "schemas:test-compatibility",
                    "schemas:register",
                    "schemas:list",
                    "schemas:download",
                    "-Dcontracts.subjects=orders.placed",
                    "-Dcontracts.into=downloaded",
                    "schemas:compare",
                    "-Dcontracts.old=downloaded/orders.placed/v1.avsc",
                    "-Dcontracts.new=downloaded/orders.placed/v2.avsc",
                    "-Dcontracts.mode=FULL");

            assertThat(first.status()).as(first.output()).isZero();
            assertThat(first.output())
                    .contains(
                            "orders.placed v1 is registered as id",
                            "orders.placed v2 is registered as id",
                            "orders.placed  FULL_TRANSITIVE  versions 1, 2  newest",
                            "v2.avsc is orders.placed version 2",
                            "1 check, 0 errors, 0 warnings");

            Files.writeString(
                    contract.resolve("v3.avsc"),
                    Files.readString(contract.resolve("v2.avsc"))
                            .replace(
                                    "{\"name\": \"order_id\", \"type\": \"string\"",
                                    "{\"name\": \"order_id\", \"type\": \"long\""));
            ServiceBuild.Result tested = build.run(environment, "schemas:test-compatibility");
            ServiceBuild.Result refused = build.run(environment, "schemas:register");

            assertThat(tested.status()).as(tested.output()).isNotZero();
            assertThat(tested.output())
                    .contains(
                            "orders.placed v3 would be refused by the registry",
                            "error type-changed at OrderPlaced.order_id");
            assertThat(refused.status()).as(refused.output()).isNotZero();
            assertThat(refused.output())
                    .contains("orders.placed v3 is refused", "The contracts and the registry do not agree");
        }
    }

    @Test
    void a_registry_that_is_away_stops_the_build_with_a_sentence() throws Exception {
        ServiceBuild build = new ServiceBuild(temporary);

        ServiceBuild.Result away = build.run(Map.of(), "schemas:list", "-Dcontracts.registry=http://127.0.0.1:1/api");

        assertThat(away.status()).isNotZero();
        assertThat(away.output()).contains("the registry http://127.0.0.1:1/api does not answer");
    }
}
