package io.outboxrelay.samples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.contract.Contracts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

/** Keeps the description of the shop's events true. */
class AsyncApiTest {

    private static final Path FOLDER = Path.of("..");

    private final Contracts contracts = Contracts.read(Path.of("../shop-contracts/contracts"));
    private Map<String, Object> document;

    @BeforeEach
    void read() throws IOException {
        document = new Yaml().load(Files.readString(FOLDER.resolve("asyncapi.yaml")));
    }

    @Test
    void every_event_type_is_described_with_the_newest_version_of_its_contract() {
        Map<String, String> described = new TreeMap<>();
        messages().forEach((name, message) -> {
            Map<String, Object> schema = map(map(message.get("payload")).get("schema"));
            described.put(name, String.valueOf(schema.get("$ref")));
        });

        assertThat(described)
                .isEqualTo(contracts.all().stream()
                        .collect(Collectors.toMap(
                                Contract::eventType,
                                contract -> "shop-contracts/contracts/%s/v%d.avsc"
                                        .formatted(
                                                contract.subject(),
                                                contract.newest().number()),
                                (one, other) -> one,
                                TreeMap::new)));
        assertThat(described.values()).allMatch(file -> Files.isRegularFile(FOLDER.resolve(file)));
    }

    @Test
    void every_message_is_sent_only_by_the_service_that_owns_its_contract() {
        Map<String, String> senders = new TreeMap<>();
        operations("send")
                .forEach((name, operation) -> names(operation)
                        .forEach(message -> assertThat(senders.put(message, name.substring(0, name.indexOf('-'))))
                                .as(message)
                                .isNull()));

        assertThat(senders)
                .isEqualTo(contracts.all().stream()
                        .collect(Collectors.toMap(
                                Contract::eventType,
                                contract -> contract.subject()
                                        .substring(0, contract.subject().indexOf('.')),
                                (one, other) -> one,
                                TreeMap::new)));
    }

    @Test
    void every_queue_receives_the_messages_that_its_bindings_select() {
        Map<String, Set<String>> described = new TreeMap<>();
        operations("receive")
                .values()
                .forEach(operation -> described
                        .computeIfAbsent(String.valueOf(operation.get("x-queue")), queue -> new TreeSet<>())
                        .addAll(names(operation)));

        Map<String, Set<String>> bound = new TreeMap<>();
        Stream.of(Service.values())
                .flatMap(service -> service.queues().stream())
                .forEach(queue -> bound.put(
                        queue.name(),
                        messages().entrySet().stream()
                                .filter(message -> passes(
                                        queue, String.valueOf(message.getValue().get("x-routing-key"))))
                                .map(Map.Entry::getKey)
                                .collect(Collectors.toCollection(TreeSet::new))));

        assertThat(described).isEqualTo(bound);
    }

    private static boolean passes(ConsumerQueue queue, String routingKey) {
        return queue.bindings().stream()
                .map(binding -> Stream.of(binding.routingKey().split("\\."))
                        .map(word -> word.equals("*") ? "\\.[^.]+" : "\\." + Pattern.quote(word))
                        .collect(Collectors.joining()))
                .anyMatch(pattern -> ("." + routingKey).matches(pattern));
    }

    private Map<String, Map<String, Object>> messages() {
        return maps(map(document.get("components")).get("messages"));
    }

    private Map<String, Map<String, Object>> operations(String action) {
        return maps(document.get("operations")).entrySet().stream()
                .filter(operation -> action.equals(operation.getValue().get("action")))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private static List<String> names(Map<String, Object> operation) {
        return ((List<?>) Objects.requireNonNull(operation.get("messages")))
                .stream()
                        .map(message -> String.valueOf(map(message).get("$ref")))
                        .map(reference -> reference.substring(reference.lastIndexOf('/') + 1))
                        .toList();
    }

    private static Map<String, Map<String, Object>> maps(Object value) {
        return map(value).entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, entry -> map(entry.getValue())));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> map(Object value) {
        return (Map<String, Object>) value;
    }
}
