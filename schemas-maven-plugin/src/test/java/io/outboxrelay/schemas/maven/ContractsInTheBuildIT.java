package io.outboxrelay.schemas.maven;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.contract.Contracts;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The first of three places where an incompatible version is stopped. */
class ContractsInTheBuildIT {

    @TempDir
    Path temporary;

    @Test
    void a_compatible_version_is_built_into_the_jar_and_an_incompatible_one_stops_the_build()
            throws Exception { // hazard 54
        ServiceBuild build = new ServiceBuild(temporary);
        Path service = build.service();

        ServiceBuild.Result second = build.verify();

        assertThat(second.status()).as(second.output()).isZero();
        assertThat(service.resolve("target/classes/shop/Orders.class")).exists();
        assertThat(service.resolve("target/contracts-site/index.html")).exists();
        assertThat(service.resolve("target/contract-reports/TEST-check.xml"))
                .content()
                .contains("orders.placed v2 is compatible with v1 (FULL_TRANSITIVE)");
        Contract released = Contracts.read(service.resolve("target/orders-1.jar"))
                .bySubject("orders.placed")
                .orElseThrow();
        assertThat(released.versions()).hasSize(2);

        Path contract = service.resolve("contracts/orders.placed");
        Files.writeString(
                contract.resolve("v3.avsc"),
                Files.readString(contract.resolve("v2.avsc"))
                        .replace(
                                "{\"name\": \"order_id\", \"type\": \"string\"",
                                "{\"name\": \"order_id\", \"type\": \"long\""));

        ServiceBuild.Result third = build.verify();

        assertThat(third.status()).as(third.output()).isNotZero();
        assertThat(third.output())
                .contains(
                        "BUILD FAILURE",
                        "orders.placed/v3.avsc: error type-changed at OrderPlaced.order_id",
                        "The type has changed from string to long.",
                        "v2: \"string\"",
                        "v3: \"long\"",
                        "who fails: readers of v2, when they get events of v3; readers of v3, when they get events of"
                                + " v2",
                        "what to do: Keep the type. To use another one, add a second field",
                        "docs/schema-rules.md#type-changed");
    }
}
