package io.outboxrelay.schemas.rule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.outboxrelay.schemas.contract.ContractFolder;
import io.outboxrelay.schemas.contract.Contracts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContractChecksTest {

    private static final String AGREED = "owner: x\nsubjects:\n  orders:\n    compatibility: %s\n";
    private static final String INCOMPATIBLE =
            ContractFolder.PLACED.replace("\"string\"", "\"int\"").formatted("");

    @TempDir
    Path now;

    @TempDir
    Path then;

    @Test
    void a_transitive_contract_is_compared_with_every_version_before() {
        threeVersions(now, "FULL_TRANSITIVE");

        assertThat(ContractChecks.compareVersions(Contracts.read(now)).checks())
                .extracting(Check::name)
                .containsExactly(
                        "orders v2 is compatible with v1 (FULL_TRANSITIVE)",
                        "orders v3 is compatible with v2 (FULL_TRANSITIVE)",
                        "orders v3 is compatible with v1 (FULL_TRANSITIVE)");
    }

    @Test
    void one_that_is_not_transitive_is_compared_with_the_version_before() {
        threeVersions(now, "BACKWARD");

        assertThat(ContractChecks.compareVersions(Contracts.read(now)).checks())
                .extracting(Check::name)
                .containsExactly(
                        "orders v2 is compatible with v1 (BACKWARD)", "orders v3 is compatible with v2 (BACKWARD)");
    }

    @Test
    void what_only_the_first_version_cannot_read_is_found_where_it_is_transitive() {
        String optional = ", {\"name\": \"x\", \"type\": \"int\", \"default\": 0}";
        String field = ", {\"name\": \"x\", \"type\": \"int\"}";
        new ContractFolder(now)
                .with("contracts.yaml", AGREED.formatted("FORWARD_TRANSITIVE"))
                .with("orders/v1.avsc", ContractFolder.PLACED.formatted(field))
                .with("orders/v2.avsc", ContractFolder.PLACED.formatted(optional))
                .with("orders/v3.avsc", ContractFolder.PLACED.formatted(", {\"name\": \"y\", \"type\": \"int\"}"));

        List<Finding> findings =
                ContractChecks.compareVersions(Contracts.read(now)).findings().toList();

        assertThat(findings).singleElement().satisfies(finding -> {
            assertThat(finding.rule()).isEqualTo(Rule.FIELD_REMOVED_WITHOUT_DEFAULT);
            assertThat(finding.whoFails()).isEqualTo("readers of v1, when they get events of v3");
        });
    }

    @Test
    void released_versions_must_be_as_they_were_and_words_may_be_mended() { // hazard 55
        threeVersions(then, "FULL");
        threeVersions(now, "FULL")
                .with(
                        "orders/v1.avsc",
                        ContractFolder.PLACED.formatted("").replace("\"id\"", "\"id\", \"doc\": \"The.\""));
        assertThat(againstReleased()).isEmpty();

        threeVersions(now, "FULL").with("orders/v2.avsc", INCOMPATIBLE);
        assertThat(againstReleased())
                .extracting(Finding::rule, Finding::path, Finding::file)
                .containsExactly(
                        tuple(Rule.RELEASED_VERSION_CHANGED, "OrderPlaced.id", now + "/orders/v2.avsc"),
                        tuple(Rule.RELEASED_VERSION_CHANGED, "OrderPlaced.f2", now + "/orders/v2.avsc"));
    }

    @Test
    void a_released_version_or_subject_that_is_gone_is_missed() throws IOException { // hazard 55
        threeVersions(then, "FULL");
        threeVersions(now, "FULL");
        Files.delete(now.resolve("orders/v3.avsc"));
        assertThat(againstReleased()).extracting(Finding::problem).containsExactly("orders v3 is gone.");

        new ContractFolder(now)
                .with("contracts.yaml", AGREED.replace("orders", "paid").formatted("FULL"))
                .withVersion("paid", 1);
        Files.delete(now.resolve("orders/v1.avsc"));
        Files.delete(now.resolve("orders/v2.avsc"));
        assertThat(againstReleased()).extracting(Finding::problem).containsExactly("The subject orders was removed.");
    }

    @Test
    void released_versions_are_not_compared_with_each_other_and_new_ones_are_with_all() {
        new ContractFolder(then)
                .with("contracts.yaml", AGREED.formatted("FULL_TRANSITIVE"))
                .withVersion("orders", 1)
                .with("orders/v2.avsc", INCOMPATIBLE);
        new ContractFolder(now)
                .with("contracts.yaml", AGREED.formatted("FULL_TRANSITIVE"))
                .withVersion("orders", 1)
                .with("orders/v2.avsc", INCOMPATIBLE);
        assertThat(againstReleased()).isEmpty();
        assertThat(ContractChecks.compareVersions(Contracts.read(now)).hasErrors())
                .isTrue();

        new ContractFolder(now)
                .with(
                        "orders/v3.avsc",
                        ContractFolder.PLACED.replace("\"string\"", "\"bytes\"").formatted(""));
        assertThat(againstReleased())
                .extracting(Finding::rule)
                .containsExactly(Rule.TYPE_CHANGED, Rule.BYTES_READ_AS_TEXT);
    }

    @Test
    void a_weaker_promise_and_another_event_type_are_noticed() {
        new ContractFolder(then)
                .with("contracts.yaml", AGREED.formatted("FULL_TRANSITIVE"))
                .withVersion("orders", 1);
        new ContractFolder(now)
                .with("contracts.yaml", AGREED.formatted("FULL") + "    event-type: Placed\n")
                .withVersion("orders", 1);

        assertThat(againstReleased())
                .extracting(Finding::rule)
                .containsExactly(Rule.EVENT_TYPE_CHANGED, Rule.COMPATIBILITY_WEAKENED);
    }

    @Test
    void a_git_revision_is_what_was_committed() throws Exception { // hazard 55
        Path below = Files.createDirectories(now.resolve("service/contracts"));
        git("init", "--quiet", "--initial-branch=main");
        git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "--allow-empty", "-m", "empty");
        git("tag", "empty");
        threeVersions(below, "FULL");
        git("add", ".");
        git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "-m", "three");
        new ContractFolder(below).with("orders/v2.avsc", INCOMPATIBLE);

        Contracts released = Contracts.readRevision(below, "main");

        assertThat(released.bySubject("orders").orElseThrow().versions()).hasSize(3);
        assertThat(released.bySubject("orders").orElseThrow().newest().origin())
                .isEqualTo("main:" + below + "/orders/v3.avsc");
        assertThat(ContractChecks.compareWithReleased(Contracts.read(below), released)
                        .findings())
                .extracting(Finding::rule)
                .contains(Rule.RELEASED_VERSION_CHANGED);
        assertThat(Contracts.readRevision(below, "empty").all()).isEmpty();
        assertThatThrownBy(() -> Contracts.readRevision(below, "v7"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no revision v7");
        assertThatThrownBy(() -> Contracts.readRevision(below, "--output=x"))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Contracts.readRevision(then, "main"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("not a git repository");
    }

    private List<Finding> againstReleased() {
        return ContractChecks.compareWithReleased(Contracts.read(now), Contracts.read(then))
                .findings()
                .toList();
    }

    private static ContractFolder threeVersions(Path folder, String compatibility) {
        return new ContractFolder(folder)
                .with("contracts.yaml", AGREED.formatted(compatibility))
                .withVersion("orders", 1)
                .withVersion("orders", 2)
                .withVersion("orders", 3);
    }

    private void git(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("git", "-C", now.toString()));
        command.addAll(List.of(arguments));
        Process git = new ProcessBuilder(command).redirectErrorStream(true).start();
        assertThat(git.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(git.exitValue())
                .as(new String(git.getInputStream().readAllBytes()))
                .isZero();
    }
}
