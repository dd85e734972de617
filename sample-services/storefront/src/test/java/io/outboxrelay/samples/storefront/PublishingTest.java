package io.outboxrelay.samples.storefront;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.samples.storefront.Publishing.Lane;
import io.outboxrelay.samples.storefront.Publishing.Outbox;
import io.outboxrelay.samples.storefront.Publishing.Relay;
import io.outboxrelay.samples.storefront.Publishing.Service;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/** What services and relays say about themselves, from scripted ones. */
class PublishingTest {

    private static final String READY = "GET /health/ready";
    private static final String OUTBOX = "GET /outbox";
    private static final JsonMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .build();

    @TempDir
    private Path folder;

    private Path processes;
    private ScriptedServer relay;
    private ScriptedServer service;
    private URI gone;

    @BeforeEach
    void start() throws IOException {
        processes = folder.resolve("processes.json");
        relay = ScriptedServer.start().on(READY, 200, "{\"status\": \"ready\", \"sources\": []}");
        service = ScriptedServer.start().on(OUTBOX, 200, """
                {"waiting": 2, "oldest_seconds": 1.5, "lanes": [{"lane": 0, "relay": "relay-1"}, {"lane": 1, "relay": null}]}
                """);
        try (ScriptedServer ended = ScriptedServer.start()) {
            gone = ended.url();
        }
    }

    @AfterEach
    void stop() {
        relay.close();
        service.close();
    }

    @Test
    void each_process_has_its_id_and_says_how_it_is() throws IOException {
        list(relay.url());

        Publishing.Overview overview = publishing(service.url()).overview();

        assertThat(overview.relays()).containsExactly(new Relay("relay-1", 11, Probe.State.ANSWERS, true, null));
        assertThat(overview.services())
                .hasSize(4)
                .startsWith(new Service(
                        "orders",
                        12L,
                        Probe.State.ANSWERS,
                        new Outbox(2, 1.5, List.of(new Lane(0, "relay-1"), new Lane(1, null)))))
                .endsWith(new Service("storefront", null, Probe.State.ANSWERS, null));
    }

    @Test
    void a_relay_that_is_not_ready_says_why() throws IOException {
        list(relay.url());
        relay.on(READY, 503, """
                {"status": "not ready", "sources": [{"name": "orders", "ready": true, "reason": "serves 8 lanes"},
                 {"name": "products", "ready": false, "reason": "the database does not answer"}]}
                """);

        assertThat(publishing(service.url()).overview().relays())
                .containsExactly(
                        new Relay("relay-1", 11, Probe.State.ANSWERS, false, "products: the database does not answer"));
    }

    @Test
    void a_frozen_process_is_silent_and_one_that_has_ended_is_down() throws IOException {
        list(relay.url());
        relay.hangsOn(READY);

        Publishing.Overview overview = publishing(gone).overview();

        assertThat(overview.relays()).containsExactly(new Relay("relay-1", 11, Probe.State.SILENT, false, null));
        assertThat(overview.services()).startsWith(new Service("orders", 12L, Probe.State.DOWN, null));
    }

    @Test
    void a_service_without_this_api_has_no_outbox_to_show() throws IOException {
        service.on(OUTBOX, 404, "{\"title\": \"Not Found\"}");

        assertThat(publishing(service.url()).overview().services())
                .startsWith(new Service("orders", null, Probe.State.ANSWERS, null));
    }

    @Test
    void without_a_list_or_with_half_of_one_there_are_no_relays_to_ask() throws IOException {
        assertThat(publishing(service.url()).overview().relays()).isEmpty();

        Files.writeString(processes, "[{\"name\": \"rel");
        assertThat(publishing(service.url()).overview().relays()).isEmpty();
    }

    private void list(URI relayUrl) throws IOException {
        Files.writeString(processes, """
                [{"name": "relay-1", "kind": "RELAY", "url": "%s", "pid": 11},
                 {"name": "orders", "kind": "SERVICE", "url": "%s", "pid": 12}]
                """.formatted(relayUrl, service.url()));
    }

    private Publishing publishing(URI services) {
        Duration second = Duration.ofSeconds(1);
        StorefrontSettings settings = new StorefrontSettings(
                services,
                services,
                services,
                second,
                second,
                new StorefrontSettings.Calls(second, second, 1, second, second),
                processes);
        OrderView orders = new OrderView(JdbcClient.create(new DriverManagerDataSource()));
        return new Publishing(new Probe(JSON), new ShopProcesses(settings, JSON), orders, settings);
    }
}
