package io.outboxrelay.client;

import static io.outboxrelay.client.ConsumersStory.AGGREGATES;
import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.client.OrderedEffects.Verdict;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.PrivateRabbitMq;
import io.outboxrelay.testservers.Servers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletionService;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Processes of a consumer share a partitioned queue, and everything happens to them. The same story is told on each
 * database at the same time, because most of it is waiting for leases, heartbeats and restarts. The stories have their
 * own instances, events and virtual hosts, and one broker, which is killed when all of them have come to that place.
 */
@Tag("full")
class ConsumersStoryTest {

    private static final long LONGEST_LAG_MINUTES = 5;

    private final List<DatabaseKind> kinds = DatabaseKind.inLongTests();
    private final PrivateRabbitMq brokerServer = Servers.startPrivateRabbitMq();
    private final ExecutorService tellers = Executors.newFixedThreadPool(kinds.size());
    private final CyclicBarrier atBrokersEnd = new CyclicBarrier(kinds.size(), this::restartBroker);

    @TempDir
    Path folder;

    @AfterEach
    void close() throws Exception {
        tellers.shutdownNow();
        tellers.awaitTermination(1, TimeUnit.MINUTES);
        brokerServer.close();
    }

    // hazard 92
    @Test
    void while_everything_is_killed_frozen_and_added_each_effect_happens_once_and_in_order() throws Exception {
        CompletionService<Void> told = new ExecutorCompletionService<>(tellers);
        for (DatabaseKind kind : kinds) {
            told.submit(() -> {
                try (ConsumersStory story = new ConsumersStory(
                        kind, brokerServer, Files.createDirectory(folder.resolve(kind.toString())))) {
                    tell(story);
                }
                return null;
            });
        }
        for (int stories = kinds.size(); stories > 0; stories--) {
            told.take().get();
        }
    }

    private void tell(ConsumersStory story) throws Exception {
        story.start("a");
        story.start("b");
        story.start("c");
        story.awaitShares(3);

        story.chapter("an instance is killed", () -> {
            story.awaitEffectsOf("a");
            story.kill("a");
            story.start("d");
        });
        story.chapter("an instance is frozen for longer than its lease and the broker's patience", () -> {
            story.instance("b").freeze();
            story.awaitInstances(2);
            story.awaitConnections(2);
            story.instance("b").thaw();
            story.awaitInstances(3);
        });
        story.chapter("an instance is added", () -> story.start("e"));
        story.chapter("an instance is frozen for a moment, while its partitions move", () -> {
            story.instance("c").freeze();
            story.start("f");
            story.awaitInstances(4);
            story.instance("c").thaw();
            story.awaitInstances(5);
        });
        story.chapter("the broker is killed", this::awaitBrokersEnd);
        story.chapter("the database is killed", story::restartDatabase);
        story.chapter("two instances are killed one after the other", () -> {
            story.kill("d");
            story.awaitEffects(story.published() - AGGREGATES);
            story.kill("e");
        });
        story.chapter("an instance is frozen, and another one is killed meanwhile", () -> {
            story.instance("f").freeze();
            story.awaitInstances(2);
            story.awaitConnections(2);
            story.kill("b");
            story.start("g");
            story.instance("f").thaw();
        });
        story.chapter("an instance is frozen while the broker is killed", () -> {
            story.instance("g").freeze();
            awaitBrokersEnd();
            story.instance("g").thaw();
        });
        story.chapter("all instances but one end in order", () -> {
            story.instance("c").terminate();
            story.instance("f").terminate();
        });

        assertThat(story.published()).isEqualTo(20_000);
        assertThat(story.effects().judge(20_000)).isEqualTo(Verdict.GOOD);
        assertThat(story.effects().byInstance()).containsOnlyKeys("a", "b", "c", "d", "e", "f", "g");
        assertThat(story.returned()).isEmpty();
        assertThat(story.deadLetters()).isZero();
        assertThat(story.rows("inbox_failure")).isZero();
    }

    /** Returns when all stories have come here, and the broker was killed and started. */
    private void awaitBrokersEnd() throws Exception {
        atBrokersEnd.await(LONGEST_LAG_MINUTES, TimeUnit.MINUTES);
    }

    private void restartBroker() {
        // What RabbitMQ has declared may still be in its memory: a kill would undo it.
        brokerServer.control("eval", "mnesia:sync_log(), [dets:sync(Table) || Table <- dets:all()], ok.");
        brokerServer.kill();
        brokerServer.start();
    }
}
