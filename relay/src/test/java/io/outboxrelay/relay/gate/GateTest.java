package io.outboxrelay.relay.gate;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.gate.Judge.Evidence;
import io.outboxrelay.relay.gate.SchemaGate.GateMetrics;
import io.outboxrelay.relay.gate.SchemaGate.GateSettings;
import io.outboxrelay.relay.gate.Subjects.Subject;
import io.outboxrelay.relay.gate.Subjects.Subject.RegisteredVersion;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.lane.Publisher;
import io.outboxrelay.relay.testing.Events;
import io.outboxrelay.schemas.contract.Compatibility;
import io.outboxrelay.schemas.contract.SchemaIdentity;
import io.outboxrelay.schemas.encoding.DataSchema;
import io.outboxrelay.schemas.encoding.EventEncoder;
import io.outboxrelay.schemas.registry.Credentials;
import io.outboxrelay.schemas.registry.RegistrySettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Verdicts of the gate on events, without a database and a broker. */
class GateTest {

    private static final Schema FIRST = parse("{'name':'id','type':'string'}");
    private static final Schema SECOND =
            parse("{'name':'id','type':'string'},{'name':'currency','type':'string','default':'EUR'}");
    private static final Schema BROKEN = parse("{'name':'id','type':'int'}");

    @TempDir
    private Path folder;

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final Confirming inner = new Confirming();

    /** A publisher that confirms everything. */
    private static final class Confirming implements Publisher {

        private boolean apart;
        private final List<Event> published = new ArrayList<>();
        private final List<Answer> answers = new ArrayList<>();

        @Override
        public boolean ready() {
            return true;
        }

        @Override
        public void apart(boolean alone) {
            apart = alone;
        }

        @Override
        public void publish(Event event) {
            published.add(event);
            answers.add(new Answer(event, Outcome.CONFIRMED));
        }

        @Override
        public void flush() {
            // nothing is held back
        }

        @Override
        public List<Answer> answers(Duration atMost) {
            List<Answer> all = List.copyOf(answers);
            answers.clear();
            return all;
        }

        @Override
        public void forget(Event event) {
            answers.removeIf(answer -> answer.event() == event);
        }
    }

    /** Subjects that can be changed or unavailable, and that count their requests. */
    private static final class Scripted implements Subjects {

        private final AtomicInteger asked = new AtomicInteger();
        private volatile List<Schema> versions = List.of();
        private volatile Compatibility compatibility = Compatibility.FULL_TRANSITIVE;
        private volatile boolean away;
        private volatile RuntimeException failure;
        private volatile Error error;
        private volatile CountDownLatch slow = new CountDownLatch(0);
        private volatile Optional<Schema> elsewhere = Optional.empty();

        @Override
        public Subject subject(String name) {
            asked.incrementAndGet();
            check();
            if (failure != null) {
                throw failure;
            }
            if (error != null) {
                throw error;
            }
            try {
                slow.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            List<RegisteredVersion> registered = new ArrayList<>();
            for (Schema schema : versions) {
                int number = registered.size() + 1;
                registered.add(
                        new RegisteredVersion(number, OptionalInt.of(100 + number), schema, SchemaIdentity.of(schema)));
            }
            return new Subject(name, "the registry", compatibility, null, registered);
        }

        @Override
        public String of(String aggregateType, String eventType) {
            return "shop." + eventType;
        }

        @Override
        public Optional<Schema> elsewhere(Evidence evidence) {
            return elsewhere;
        }

        @Override
        public void check() {
            if (away) {
                throw new IllegalStateException("the registry is away");
            }
        }

        @Override
        public boolean away(RuntimeException given) {
            return given instanceof IllegalStateException;
        }
    }

    // hazard 53
    @Test
    void a_lane_with_suspects_is_alone_behind_the_gate_too() {
        try (Lookups lookups = new Lookups("orders", new Judge(new Scripted()))) {
            Publisher gate = gate(lookups);

            gate.apart(true);
            assertThat(inner.apart).isTrue();
            gate.apart(false);
            assertThat(inner.apart).isFalse();
        }
    }

    @Test
    void an_event_of_a_registered_schema_passes_in_every_framing_and_costs_one_lookup() {
        Scripted subjects = new Scripted();
        subjects.versions = List.of(FIRST, SECOND);
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            Publisher gate = gate(lookups);
            for (int n = 0; n < 3; n++) {
                passes(gate, avro(EventEncoder.singleObject(), FIRST, "{}"));
                passes(gate, avro(EventEncoder.confluent(schema -> 102), SECOND, "{}"));
                passes(gate, avro(EventEncoder.raw(), SECOND, claim(2, SECOND)));
                passes(gate, avro(EventEncoder.singleObject(), SECOND, claim(2, SECOND)));
            }
        }

        assertThat(inner.published).hasSize(12);
        assertThat(subjects.asked).hasValue(4);
        assertThat(meters.get("outbox_relay_schema_verdicts")
                        .tag("verdict", "passed")
                        .counter()
                        .count())
                .isEqualTo(12);
    }

    @Test
    void what_is_not_avro_and_names_no_schema_is_not_judged() {
        Scripted subjects = new Scripted();
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            gate(lookups).publish(Events.maker().of("a"));
        }

        assertThat(inner.published).hasSize(1);
        assertThat(subjects.asked).hasValue(0);
    }

    @Test
    void an_event_of_another_content_type_that_names_a_schema_is_judged() {
        Scripted subjects = new Scripted();
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            Publisher gate = gate(lookups);
            refused(
                    gate,
                    Events.maker().headers(claim(1, FIRST)).of("a"),
                    Reason.SCHEMA_UNKNOWN,
                    "shop.Paid is not in the registry");
        }
    }

    @Test
    void an_unknown_schema_is_refused_with_subject_and_versions() {
        Scripted subjects = new Scripted();
        subjects.versions = List.of(FIRST);
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            Publisher gate = gate(lookups);

            refused(
                    gate,
                    avro(EventEncoder.singleObject(), SECOND, "{}"),
                    Reason.SCHEMA_UNKNOWN,
                    "subject shop.Paid has in the registry the versions 1",
                    "fingerprint");
            refused(
                    gate,
                    avro(EventEncoder.singleObject(), SECOND, claim(2, SECOND)),
                    Reason.SCHEMA_UNKNOWN,
                    "written with version 2");
            refused(gate, avro(EventEncoder.confluent(schema -> 7), FIRST, "{}"), Reason.SCHEMA_UNKNOWN, "id 7");
            refused(
                    gate,
                    avro(EventEncoder.raw(), FIRST, "{}"),
                    Reason.SCHEMA_UNKNOWN,
                    "no cloudEvents_dataschema header");
        }
        assertThat(inner.published).isEmpty();
    }

    @Test
    void a_header_that_lies_is_found_out() {
        Scripted subjects = new Scripted();
        subjects.versions = List.of(FIRST, SECOND);
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            Publisher gate = gate(lookups);

            refused(
                    gate,
                    avro(EventEncoder.singleObject(), SECOND, claim(1, SECOND)),
                    Reason.SCHEMA_UNKNOWN,
                    "version 1 in the registry is the schema " + SchemaIdentity.of(FIRST));
            refused(
                    gate,
                    avro(EventEncoder.singleObject(), BROKEN, claim(1, FIRST)),
                    Reason.SCHEMA_UNKNOWN,
                    "its payload has the fingerprint");
        }
    }

    @Test
    void a_raw_payload_whose_data_begin_as_a_header_does_passes_by_its_claim_and_costs_one_lookup() {
        Scripted subjects = new Scripted();
        Schema nullable = parse(
                "{'name':'note','type':['null','string'],'default':null},{'name':'id','type':'string','default':''}");
        subjects.versions = List.of(SECOND, nullable);
        subjects.compatibility = Compatibility.NONE;
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            Publisher gate = gate(lookups);
            for (int n = 0; n < 10; n++) {
                GenericData.Record emptyId = new GenericData.Record(SECOND);
                emptyId.put("id", "");
                emptyId.put("currency", "abc" + n);
                passes(gate, avro(EventEncoder.raw().encode(emptyId), claim(1, SECOND)));
                GenericData.Record noNote = new GenericData.Record(nullable);
                noNote.put("id", "order-" + n);
                passes(gate, avro(EventEncoder.raw().encode(noNote), claim(2, nullable)));
            }
        }
        assertThat(inner.published)
                .hasSize(20)
                .allMatch(event -> event.payload().length > 5 && event.payload()[0] == 0);
        assertThat(subjects.asked).hasValue(2);
    }

    @Test
    void a_dataschema_that_is_not_ours_counts_as_none() {
        String foreign = "{\"%s\": \"https://example.org/orders/%d.json\"}";
        Scripted subjects = new Scripted();
        subjects.versions = List.of(FIRST);
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            Publisher gate = gate(lookups);
            for (int n = 0; n < 5; n++) {
                String headers = foreign.formatted(DataSchema.HEADER, n);
                passes(gate, Events.maker().headers(headers).of("a"));
                passes(gate, avro(EventEncoder.singleObject(), FIRST, headers));
            }
        }
        assertThat(inner.published).hasSize(10);
        assertThat(subjects.asked).hasValue(1);
    }

    @Test
    void without_a_claim_every_version_of_the_fingerprint_must_keep_the_promise() {
        Scripted subjects = new Scripted();
        subjects.versions =
                List.of(SECOND, FIRST, parse("{'name':'id','type':'string'},{'name':'currency','type':'string'}"));
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            Publisher gate = gate(lookups);
            refused(
                    gate,
                    avro(EventEncoder.singleObject(), SECOND, "{}"),
                    Reason.SCHEMA_INCOMPATIBLE,
                    "shop.Paid version 3");
            passes(gate, avro(EventEncoder.singleObject(), SECOND, claim(1, SECOND)));
        }
    }

    @Test
    void without_a_claim_versions_of_one_fingerprint_that_mean_different_things_are_not_guessed_between() {
        Scripted subjects = new Scripted();
        Schema millis = parse("{'name':'at','type':{'type':'long','logicalType':'timestamp-millis'}}");
        Schema micros = parse("{'name':'at','type':{'type':'long','logicalType':'timestamp-micros'}}");
        subjects.versions = List.of(millis, micros);
        subjects.compatibility = Compatibility.NONE;
        GenericData.Record event = new GenericData.Record(micros);
        event.put("at", 1L);
        byte[] payload = EventEncoder.singleObject().encode(event);
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            Publisher gate = gate(lookups);
            refused(gate, avro(payload, "{}"), Reason.SCHEMA_UNKNOWN, "differ in their logical types");
            passes(gate, avro(payload, claim(2, micros)));
        }
    }

    @Test
    void a_thousand_events_of_a_refused_schema_cost_one_lookup_between_two_flushes() {
        Scripted subjects = new Scripted();
        subjects.slow = new CountDownLatch(1);
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            Publisher gate = gate(lookups);
            List<Event> events = new ArrayList<>();
            for (int n = 0; n < 1_000; n++) {
                Event event = avro(EventEncoder.singleObject(), FIRST, "{}");
                events.add(event);
                gate.publish(event);
            }
            gate.flush();
            assertThat(gateAnswers(gate)).hasSize(1_000);
            subjects.slow.countDown();

            // The verdict arrives after the wait, and serves all that have waited.
            events.forEach(event -> refused(gate, event, Reason.SCHEMA_UNKNOWN, "is not in the registry"));
            assertThat(subjects.asked).hasValue(1);

            for (int n = 0; n < 1_000; n++) {
                gate.publish(avro(EventEncoder.singleObject(), FIRST, "{}"));
            }
            gate.flush();
            assertThat(subjects.asked).hasValue(2);
        }
    }

    @Test
    void a_lookup_that_ends_with_an_error_is_done_again() {
        Scripted subjects = new Scripted();
        subjects.versions = List.of(FIRST);
        subjects.error = new StackOverflowError("references without an end");
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            Publisher gate = gate(lookups);
            Event event = avro(EventEncoder.singleObject(), FIRST, "{}");
            assertThat(decidedWithin(3, gate, event))
                    .isInstanceOfSatisfying(
                            Outcome.Nacked.class,
                            nacked -> assertThat(nacked.detail()).contains("references without an end"));
            subjects.error = null;
            passes(gate, event);
        }
    }

    @Test
    void a_failure_with_one_schema_is_not_taken_for_the_absence_of_all() {
        Scripted subjects = new Scripted();
        subjects.failure = new IllegalArgumentException("this subject has no valid name");
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            Publisher gate = gate(lookups);
            assertThat(decided(gate, avro(EventEncoder.singleObject(), FIRST, "{}")))
                    .isEqualTo(new Outcome.Nacked(Reason.SCHEMA_UNCHECKED, "this subject has no valid name"));
            assertThat(lookups.away()).isNull();
        }
    }

    @Test
    void a_registry_that_fails_over_one_subject_is_there_and_one_that_is_overloaded_is_not() throws IOException {
        AtomicInteger status = new AtomicInteger(500);
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(status.get(), -1);
            exchange.close();
        });
        server.start();
        RegistrySettings registry = new RegistrySettings(
                URI.create("http://127.0.0.1:" + server.getAddress().getPort()), new Credentials.None());
        try (SchemaGate gate = SchemaGate.of(
                        "orders", new GateSettings(GateSettings.Mode.REGISTRY, null, "{event_type}", registry), meters)
                .orElseThrow()) {
            Publisher publisher = gate.before(inner);
            assertThat(decided(publisher, avro(EventEncoder.singleObject(), FIRST, "{}")))
                    .isInstanceOf(Outcome.Nacked.class);
            assertThat(gate.trouble()).isEmpty();

            status.set(503);
            assertThat(decided(publisher, avro(EventEncoder.singleObject(), FIRST, "{}")))
                    .isInstanceOf(Outcome.Nacked.class);
            assertThat(gate.trouble()).isPresent();
        } finally {
            server.stop(0);
        }
    }

    @Test
    void a_registered_version_that_breaks_the_promise_is_refused_with_the_rule() {
        Scripted subjects = new Scripted();
        subjects.versions = List.of(FIRST, SECOND, BROKEN);
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            Publisher gate = gate(lookups);

            refused(
                    gate,
                    avro(EventEncoder.singleObject(), BROKEN, "{}"),
                    Reason.SCHEMA_INCOMPATIBLE,
                    "shop.Paid version 3",
                    "rule type-changed at Paid.id");

            subjects.compatibility = Compatibility.NONE;
            passes(gate, avro(EventEncoder.singleObject(), BROKEN, "{}"));
        }
        assertThat(inner.published).hasSize(1);
    }

    @Test
    void of_a_schema_that_is_not_registered_but_known_it_is_said_what_is_wrong_with_it() {
        Scripted subjects = new Scripted();
        subjects.versions = List.of(FIRST, SECOND);
        subjects.elsewhere = Optional.of(BROKEN);
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            Publisher gate = gate(lookups);
            refused(
                    gate,
                    avro(EventEncoder.singleObject(), BROKEN, claim(3, BROKEN)),
                    Reason.SCHEMA_INCOMPATIBLE,
                    "written with version 3",
                    "rule type-changed at Paid.id");
        }
    }

    @Test
    void a_verdict_against_an_event_is_never_reused() {
        Scripted subjects = new Scripted();
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            Publisher gate = gate(lookups);
            Event event = avro(EventEncoder.singleObject(), FIRST, "{}");
            refused(gate, event, Reason.SCHEMA_UNKNOWN, "is not in the registry");

            subjects.versions = List.of(FIRST);
            passes(gate, event);
        }
        assertThat(inner.published).hasSize(1);
    }

    @Test
    void while_subjects_are_away_known_schemas_pass_others_wait_and_nothing_is_asked_until_a_probe_sees_them() {
        Scripted subjects = new Scripted();
        subjects.versions = List.of(FIRST, SECOND);
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            Publisher gate = gate(lookups);
            passes(gate, avro(EventEncoder.singleObject(), FIRST, "{}"));
            subjects.away = true;

            for (int n = 0; n < 5; n++) {
                assertThat(decided(gate, avro(EventEncoder.singleObject(), SECOND, "{}")))
                        .isEqualTo(new Outcome.Nacked(Reason.SCHEMA_UNCHECKED, "the registry is away"));
            }
            passes(gate, avro(EventEncoder.singleObject(), FIRST, "{}"));
            assertThat(inner.published).hasSize(2);
            assertThat(subjects.asked).hasValue(2);
            assertThat(lookups.away()).isEqualTo("the registry is away");

            subjects.away = false;
            lookups.away(null);
            passes(gate, avro(EventEncoder.singleObject(), SECOND, "{}"));
        }
        assertThat(inner.published).hasSize(3);
    }

    @Test
    void a_slow_lookup_holds_the_lane_for_a_moment_only_and_its_verdict_is_there_when_the_event_comes_again() {
        Scripted subjects = new Scripted();
        subjects.slow = new CountDownLatch(1);
        try (Lookups lookups = new Lookups("orders", new Judge(subjects))) {
            Publisher gate = gate(lookups);
            List<Event> events = new ArrayList<>();
            long begun = System.nanoTime();
            for (int n = 0; n < 20; n++) {
                Event event = avro(EventEncoder.confluent(schema -> 7), FIRST, "{}", "Paid" + n);
                events.add(event);
                gate.publish(event);
            }
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(4));
            assertThat(gateAnswers(gate))
                    .hasSize(20)
                    .allSatisfy(answer -> assertThat(((Outcome.NotPublished) answer.outcome()).reason())
                            .isEqualTo(Reason.SCHEMA_UNCHECKED));
            subjects.slow.countDown();

            refused(gate, events.get(0), Reason.SCHEMA_UNKNOWN, "id 7");
        }
    }

    @Test
    void an_answer_of_the_gate_can_be_given_up() {
        try (Lookups lookups = new Lookups("orders", new Judge(new Scripted()))) {
            Publisher gate = gate(lookups);
            Event event = avro(EventEncoder.singleObject(), FIRST, "{}");
            gate.publish(event);

            gate.forget(event);

            assertThat(gateAnswers(gate)).isEmpty();
        }
    }

    @Test
    void a_catalogue_that_is_replaced_is_read_anew() throws IOException {
        contract("v1.avsc", FIRST);
        Files.writeString(
                folder.resolve("contracts.yaml"), "owner: shop\nsubjects:\n  shop.paid: {event-type: Paid}\n");
        SchemaGate gate = SchemaGate.of(
                        "orders", new GateSettings(GateSettings.Mode.CATALOGUE, folder, "{event_type}", null), meters)
                .orElseThrow();
        try (gate) {
            Publisher publisher = gate.before(inner);
            gate.probe();
            passes(publisher, avro(EventEncoder.singleObject(), FIRST, "{}"));
            refused(publisher, avro(EventEncoder.singleObject(), SECOND, "{}"), Reason.SCHEMA_UNKNOWN, "shop.paid has");
            refused(
                    publisher,
                    avro(EventEncoder.singleObject(), FIRST, "{}", "Sent"),
                    Reason.SCHEMA_UNKNOWN,
                    "subject Sent is not in the catalogue");

            contract("v2.avsc", SECOND);
            passes(publisher, avro(EventEncoder.singleObject(), SECOND, "{}"));
            contract("v3.avsc", BROKEN);
            refused(
                    publisher,
                    avro(EventEncoder.singleObject(), BROKEN, "{}"),
                    Reason.SCHEMA_INCOMPATIBLE,
                    "shop.paid version 3",
                    "type-changed");

            Files.writeString(folder.resolve("contracts.yaml"), "nonsense");
            assertThat(decided(publisher, avro(EventEncoder.confluent(schema -> 1), SECOND, "{}")))
                    .isInstanceOf(Outcome.Nacked.class);
            assertThat(gate.trouble())
                    .hasValueSatisfying(trouble -> assertThat(trouble).contains("contracts.yaml"));
        }
        assertThat(inner.published).hasSize(2);
    }

    private Publisher gate(Lookups lookups) {
        return new GatedPublisher(inner, lookups, new GateMetrics("orders", meters));
    }

    private static List<Publisher.Answer> gateAnswers(Publisher gate) {
        try {
            return gate.answers(Duration.ofSeconds(10));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Publishes an event again until its schema has been looked up. */
    private static Outcome decided(Publisher gate, Event event) {
        return decidedWithin(1_000, gate, event);
    }

    private static Outcome decidedWithin(int times, Publisher gate, Event event) {
        Outcome last = null;
        for (int n = 0; n < times; n++) {
            gate.publish(event);
            gate.flush();
            Outcome outcome = gateAnswers(gate).stream()
                    .filter(answer -> answer.event() == event)
                    .map(Publisher.Answer::outcome)
                    .findFirst()
                    .orElseThrow();
            if (!(outcome instanceof Outcome.Nacked nacked && nacked.detail().contains("being looked up"))) {
                return outcome;
            }
            last = outcome;
        }
        return last;
    }

    private static void passes(Publisher gate, Event event) {
        assertThat(decided(gate, event)).isEqualTo(Outcome.CONFIRMED);
    }

    private static void refused(Publisher gate, Event event, Reason reason, String... words) {
        assertThat(decided(gate, event)).isInstanceOfSatisfying(Outcome.Refused.class, refused -> {
            assertThat(refused.reason()).as(refused.detail()).isEqualTo(reason);
            assertThat(refused.detail()).contains(words);
        });
    }

    private void contract(String name, Schema schema) throws IOException {
        Path file = folder.resolve("shop.paid").resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, schema.toString());
    }

    private static String claim(int version, Schema schema) {
        return "{\"%s\": \"%s\", \"other\": [1, {\"a\": 2}]}"
                .formatted(DataSchema.HEADER, new DataSchema("shop.Paid", version, SchemaIdentity.of(schema)).uri());
    }

    private static Event avro(EventEncoder encoder, Schema schema, String headers) {
        return avro(encoder, schema, headers, "Paid");
    }

    private static Event avro(EventEncoder encoder, Schema schema, String headers, String type) {
        GenericData.Record record = new GenericData.Record(schema);
        schema.getFields()
                .forEach(field ->
                        record.put(field.pos(), field.schema().getType() == Schema.Type.INT ? (Object) 1 : "x"));
        return avro(encoder.encode(record), headers, type);
    }

    private static Event avro(byte[] payload, String headers) {
        return avro(payload, headers, "Paid");
    }

    private static Event avro(byte[] payload, String headers, String type) {
        return Events.maker()
                .type(type)
                .contentType(EventEncoder.CONTENT_TYPE)
                .headers(headers)
                .payload(payload)
                .of("a");
    }

    private static Schema parse(String fields) {
        return new Schema.Parser()
                .parse("{'type':'record','name':'Paid','namespace':'shop','fields':[%s]}"
                        .formatted(fields)
                        .replace('\'', '"'));
    }
}
