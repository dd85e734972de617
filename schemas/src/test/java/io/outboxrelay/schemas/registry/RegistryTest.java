package io.outboxrelay.schemas.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import io.outboxrelay.schemas.contract.Compatibility;
import io.outboxrelay.schemas.contract.SchemaIdentity;
import io.outboxrelay.schemas.encoding.EventDecoder;
import io.outboxrelay.schemas.encoding.EventEncoder;
import io.outboxrelay.schemas.registry.RegistryException.Kind;
import io.outboxrelay.testservers.PrivateRegistry;
import io.outboxrelay.testservers.RegistryLine;
import io.outboxrelay.testservers.Servers;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** The client with real registries of two lines, one after the other. */
@ParameterizedClass
@EnumSource(RegistryLine.class)
@Tag("server")
class RegistryTest {

    private static final Schema FIRST =
            parse("{'type':'record','name':'Paid','namespace':'shop','fields':[" + "{'name':'id','type':'string'}]}");
    private static final Schema SECOND = parse("{'type':'record','name':'Paid','namespace':'shop','fields':["
            + "{'name':'id','type':'string'},{'name':'currency','type':'string','default':'EUR'}]}");
    private static final Schema BROKEN =
            parse("{'type':'record','name':'Paid','namespace':'shop','fields':[" + "{'name':'id','type':'int'}]}");
    private static final String PASSWORD = "not-to-be-seen";

    private static PrivateRegistry server;

    @Parameter
    @SuppressWarnings("unused") // JUnit needs a place for it
    private RegistryLine line;

    private final String subject = "shop.paid-" + UUID.randomUUID();

    @BeforeParameterizedClassInvocation
    static void start(RegistryLine line) {
        try {
            server = Servers.startPrivateRegistry(line);
        } catch (IllegalStateException e) {
            if (!String.valueOf(e.getMessage()).contains("needs Java")) {
                throw e;
            }
            System.err.println(
                    "\n*** CANNOT RUN: the client is not tested with line " + line + ". " + e.getMessage() + " ***\n");
            Assumptions.abort(e.getMessage());
        }
    }

    @AfterParameterizedClassInvocation
    static void stop() {
        if (server != null) {
            server.close();
        }
    }

    @Test
    void a_registered_version_is_listed_and_read_as_it_was_written() {
        Registry registry = registry();

        RegisteredSchema first = registry.register(subject, FIRST);
        RegisteredSchema second = registry.register(subject, SECOND);

        assertThat(first.version()).isEqualTo(1);
        assertThat(second.version()).isEqualTo(2);
        assertThat(registry.subjects()).contains(subject);
        assertThat(registry().allVersions(subject))
                .extracting(RegisteredSchema::identity)
                .containsExactly(SchemaIdentity.of(FIRST), SchemaIdentity.of(SECOND));
        assertThat(registry().byId(second.id())).contains(SECOND);
    }

    @Test
    void the_same_schema_in_another_spelling_is_not_registered_again() {
        Registry registry = registry();
        registry.register(subject, SECOND);
        Schema respelled = parse("{'namespace':'shop','doc':'money has come','fields':[{'type':'string','name':'id'},"
                + "{'default':'EUR','name':'currency','type':{'type':'string'}}],'name':'Paid','type':'record'}");

        assertThat(registry.register(subject, respelled).version()).isEqualTo(1);
        assertThat(registry.versions(subject)).containsExactly(1);
    }

    @Test
    void schemas_that_only_a_full_identity_tells_apart_are_different_versions() {
        Registry registry = registry();
        Schema millis = at("timestamp-millis");
        Schema micros = at("timestamp-micros");

        registry.register(subject, millis);
        registry.register(subject, micros);

        assertThat(registry.find(subject, millis))
                .hasValueSatisfying(found -> assertThat(found.version()).isEqualTo(1));
        assertThat(registry.find(subject, micros))
                .hasValueSatisfying(found -> assertThat(found.version()).isEqualTo(2));
    }

    @Test
    void an_incompatible_version_is_a_conflict_that_names_subject_registry_and_reason() {
        Registry registry = registry();
        registry.register(subject, FIRST);
        registry.setCompatibility(subject, Compatibility.FULL_TRANSITIVE);

        assertThat(registry.compatibility(subject)).isEqualTo(Compatibility.FULL_TRANSITIVE);
        assertThat(registry.test(subject, SECOND).compatible()).isTrue();
        assertThat(registry.test(subject, BROKEN).compatible()).isFalse();
        assertThatExceptionOfType(RegistryException.class)
                .isThrownBy(() -> registry.register(subject, BROKEN))
                .satisfies(e -> assertThat(e.kind()).isEqualTo(Kind.INCOMPATIBLE))
                .withMessageContaining(subject)
                .withMessageContaining(server.url().toString())
                .withMessageContaining("at /fields/0/type");
        assertThat(registry.versions(subject)).containsExactly(1);
    }

    @Test
    void a_type_that_two_references_refer_to_is_read_once() throws Exception {
        String shared = "{'type':'record','name':'Money','namespace':'shop','fields':[{'name':'cents','type':'long'}]}";
        String holder =
                "{'type':'record','name':'%s','namespace':'shop','fields':[{'name':'sum','type':'shop.Money'}]}";
        String both = "{'type':'record','name':'Both','namespace':'shop','fields':["
                + "{'name':'a','type':'shop.A'},{'name':'b','type':'shop.B'}]}";
        refer(subject + ".money", shared);
        refer(subject + ".a", holder.formatted("A"), "shop.Money=" + subject + ".money");
        refer(subject + ".b", holder.formatted("B"), "shop.Money=" + subject + ".money");
        refer(subject, both, "shop.A=" + subject + ".a", "shop.B=" + subject + ".b");

        Schema read = registry().version(subject, 1).schema();

        assertThat(read.getField("b").schema().getField("sum").schema().getFullName())
                .isEqualTo("shop.Money");
    }

    /** Registers a schema that refers to others, which the client itself never does. */
    private static void refer(String subject, String schema, String... references) throws Exception {
        ObjectNode body = JsonNodeFactory.instance
                .objectNode()
                .put("schemaType", "AVRO")
                .put("schema", schema.replace('\'', '"'));
        for (String reference : references) {
            String[] parts = reference.split("=");
            body.withArray("references")
                    .addObject()
                    .put("name", parts[0])
                    .put("subject", parts[1])
                    .put("version", 1);
        }
        HttpResponse<String> answer = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(server.url() + "/subjects/" + subject + "/versions"))
                                .header("Content-Type", "application/vnd.schemaregistry.v1+json")
                                .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    }

    @Test
    void what_nobody_registered_is_missing() {
        Registry registry = registry();

        assertThat(registry.versions(subject)).isEmpty();
        assertThat(registry.allVersions(subject)).isEmpty();
        assertThat(registry.byId(987_654)).isEmpty();
        assertThat(registry.find(subject, FIRST)).isEmpty();
        assertThat(registry.test(subject, FIRST).compatible()).isTrue();
        assertThatExceptionOfType(RegistryException.class)
                .isThrownBy(() -> registry.version(subject, 7))
                .satisfies(e -> assertThat(e.kind()).isEqualTo(Kind.MISSING))
                .withMessageContaining("version 7");
    }

    @Test
    void a_subject_may_have_any_name() {
        String strange = "order/placed & paid? 100% grün #" + UUID.randomUUID();

        registry().register(strange, FIRST);

        assertThat(registry().allVersions(strange)).hasSize(1);
        assertThat(registry().subjects()).contains(strange);
    }

    @Test
    void a_reader_finds_the_writers_schema_by_fingerprint_and_by_id() {
        Registry registry = registry();
        RegisteredSchema first = registry.register(subject, FIRST);
        GenericData.Record paid = new GenericData.Record(FIRST);
        paid.put("id", "4711");
        EventDecoder<GenericRecord> decoder =
                EventDecoder.of(SECOND, new RegistrySchemas(registry(), Set.of(subject, "another")));

        byte[] singleObject = EventEncoder.singleObject().encode(paid);
        byte[] confluent = EventEncoder.confluent(
                        schema -> registry.find(subject, schema).orElseThrow().id())
                .encode(paid);

        assertThat(first.id()).isPositive();
        assertThat(decoder.decode(singleObject).get("currency")).hasToString("EUR");
        assertThat(decoder.decode(confluent).get("id")).hasToString("4711");
    }

    @Test
    void what_was_read_is_known_while_the_registry_is_away_and_what_was_not_is_asked_for_when_it_is_back() {
        Registry registry = new Registry(
                new RegistrySettings(server.url(), new Credentials.None()).patient(Duration.ofSeconds(5), 1));
        RegisteredSchema first = registry.register(subject, FIRST);
        assertThat(registry.byId(first.id())).isPresent();

        server.kill();
        try {
            assertThat(registry.version(subject, 1)).isEqualTo(first);
            assertThat(registry.byId(first.id())).contains(FIRST);
            assertThatExceptionOfType(RegistryException.class)
                    .isThrownBy(() -> registry.versions(subject))
                    .satisfies(e -> assertThat(e.kind()).isEqualTo(Kind.AWAY))
                    .withMessageContaining(subject)
                    .withMessageContaining(server.url().toString());
        } finally {
            server.start();
        }
        assertThat(registry.versions(subject)).containsExactly(1);
        assertThat(registry.register(subject, SECOND).version()).isEqualTo(2);
    }

    @Test
    void a_registry_that_falls_silent_is_away_after_the_timeout() {
        Registry registry = new Registry(
                new RegistrySettings(server.url(), new Credentials.None()).patient(Duration.ofMillis(300), 2));
        server.freeze();
        try {
            assertThatExceptionOfType(RegistryException.class)
                    .isThrownBy(registry::subjects)
                    .satisfies(e -> assertThat(e.kind()).isEqualTo(Kind.AWAY));
        } finally {
            server.thaw();
        }
    }

    @Test
    void an_overloaded_registry_is_asked_again_and_a_refusal_is_not() throws IOException {
        AtomicInteger requests = new AtomicInteger();
        try (Doorkeeper door = Doorkeeper.before(server.url())) {
            Registry registry =
                    new Registry(new RegistrySettings(door.url("http", "localhost"), new Credentials.None()));
            door.rule(Doorkeeper.only(exchange -> requests.incrementAndGet() > 2, 503));

            registry.subjects();
            assertThat(door.seen()).hasSize(3);

            door.seen().clear();
            door.rule(Doorkeeper.only(exchange -> false, 400));
            assertThatExceptionOfType(RegistryException.class)
                    .isThrownBy(registry::subjects)
                    .satisfies(e -> assertThat(e.kind()).isEqualTo(Kind.REFUSED));
            assertThat(door.seen()).hasSize(1);
        }
    }

    @Test
    void an_answer_that_stands_still_or_never_ends_is_given_up() throws IOException {
        CountDownLatch end = new CountDownLatch(1);
        try (Doorkeeper door = Doorkeeper.before(server.url())) {
            Registry registry = new Registry(new RegistrySettings(door.url("http", "localhost"), new Credentials.None())
                    .patient(Duration.ofMillis(500), 1));
            door.rule(exchange -> {
                exchange.sendResponseHeaders(200, 0);
                exchange.getResponseBody().write('[');
                exchange.getResponseBody().flush();
                await(end);
                return false;
            });
            assertThatExceptionOfType(RegistryException.class)
                    .isThrownBy(registry::subjects)
                    .satisfies(e -> assertThat(e.kind()).isEqualTo(Kind.AWAY));
            end.countDown();

            Registry patient = new Registry(new RegistrySettings(door.url("http", "localhost"), new Credentials.None())
                    .patient(Duration.ofSeconds(30), 1));
            door.rule(exchange -> {
                exchange.sendResponseHeaders(200, 0);
                byte[] blanks = new byte[1 << 20];
                for (int i = 0; i < 64; i++) {
                    exchange.getResponseBody().write(blanks);
                }
                return false;
            });
            assertThatThrownBy(patient::subjects).hasMessageContaining("more than 8388608 bytes");
        }
    }

    @Test
    void credentials_are_sent_and_never_shown() throws IOException {
        String pair = Base64.getEncoder().encodeToString(("relay:" + PASSWORD).getBytes());
        for (Credentials credentials :
                List.of(new Credentials.Basic("relay", PASSWORD), new Credentials.Bearer(PASSWORD))) {
            String header = credentials instanceof Credentials.Basic ? "Basic " + pair : "Bearer " + PASSWORD;
            try (Doorkeeper door = Doorkeeper.before(server.url())) {
                RegistrySettings settings = new RegistrySettings(door.url("http", "localhost"), credentials);
                door.rule(Doorkeeper.only(exchange -> header.equals(authorization(exchange)), 401));

                new Registry(settings).subjects();

                door.rule(Doorkeeper.only(exchange -> false, 401));
                assertThatExceptionOfType(RegistryException.class)
                        .isThrownBy(new Registry(settings)::subjects)
                        .satisfies(e -> assertThat(e.kind()).isEqualTo(Kind.FORBIDDEN))
                        .satisfies(e -> assertThat(e.toString() + settings + credentials)
                                .doesNotContain(PASSWORD, pair));
            }
        }
    }

    @Test
    void a_redirect_is_not_followed_with_the_credentials() throws IOException {
        try (Doorkeeper door = Doorkeeper.before(server.url());
                Doorkeeper thief = Doorkeeper.before(server.url())) {
            door.rule(exchange -> {
                exchange.getResponseHeaders()
                        .add("Location", thief.url("http", "localhost").toString());
                exchange.sendResponseHeaders(307, -1);
                return false;
            });
            Registry registry =
                    new Registry(new RegistrySettings(door.url("http", "localhost"), new Credentials.Bearer(PASSWORD)));

            assertThatThrownBy(registry::subjects).hasMessageContaining("status 307");
            assertThat(thief.seen()).isEmpty();
        }
    }

    @Test
    void tls_trusts_the_given_certificates_for_the_given_host_and_no_others(@TempDir Path folder) throws Exception {
        Path store = folder.resolve("door.p12");
        keytool(
                "-genkeypair",
                "-alias",
                "door",
                "-keyalg",
                "RSA",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD,
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost");
        Path pem = folder.resolve("door.pem");
        keytool(
                "-exportcert",
                "-rfc",
                "-alias",
                "door",
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD,
                "-file",
                pem.toString());
        Path trust = folder.resolve("trust.p12");
        keytool(
                "-importcert",
                "-noprompt",
                "-alias",
                "door",
                "-file",
                pem.toString(),
                "-storetype",
                "PKCS12",
                "-keystore",
                trust.toString(),
                "-storepass",
                PASSWORD);

        try (Doorkeeper door = Doorkeeper.before(server.url(), tls(store))) {
            RegistrySettings plain = new RegistrySettings(door.url("https", "localhost"), new Credentials.None())
                    .patient(Duration.ofSeconds(5), 1);
            RegistrySettings otherHost = new RegistrySettings(door.url("https", "127.0.0.1"), new Credentials.None())
                    .patient(Duration.ofSeconds(5), 1);

            new Registry(plain.trusting(pem, null)).subjects();
            new Registry(plain.trusting(trust, PASSWORD)).subjects();
            assertThatThrownBy(new Registry(plain)::subjects).hasMessageContaining("certification path");
            assertThatThrownBy(new Registry(otherHost.trusting(pem, null))::subjects)
                    .hasMessageContaining("127.0.0.1");
        }
        assertThatThrownBy(() -> new Registry(new RegistrySettings(server.url(), new Credentials.None())
                        .trusting(folder.resolve("missing.pem"), null)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("missing.pem");
    }

    @Test
    void an_address_with_a_password_is_refused_without_showing_it() {
        assertThatThrownBy(() -> new RegistrySettings(
                        URI.create("http://relay:" + PASSWORD + "@localhost"), new Credentials.None()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining(PASSWORD);
    }

    @Test
    void a_token_that_no_header_may_have_is_refused_without_showing_it() {
        for (String wrong : List.of(PASSWORD + "\u0001", PASSWORD + "\nx", PASSWORD + " x", PASSWORD + "ü", " \n")) {
            assertThatThrownBy(() -> new Credentials.Bearer(wrong))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("token")
                    .hasMessageNotContaining(PASSWORD);
        }
        assertThat(new Credentials.Bearer(PASSWORD + "\r\n")).isEqualTo(new Credentials.Bearer(PASSWORD));
    }

    @Test
    void memory_is_bounded() {
        Remembered<Integer, String> remembered = new Remembered<>(3);
        for (int i = 0; i < 10; i++) {
            remembered.put(i, "x");
            remembered.get(0);
        }

        assertThat(remembered.size()).isEqualTo(3);
        assertThat(remembered.get(0)).isNotNull();
    }

    private Registry registry() {
        return new Registry(new RegistrySettings(server.url(), new Credentials.None()));
    }

    private static String authorization(HttpExchange exchange) {
        return exchange.getRequestHeaders().getFirst("Authorization");
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static SSLContext tls(Path file) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD.toCharArray());
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }

    private static void keytool(String... arguments) throws Exception {
        List<String> command = new java.util.ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(output).isZero();
    }

    private static Schema at(String logicalType) {
        return parse("{'type':'record','name':'At','fields':[{'name':'at','type':{'type':'long','logicalType':'"
                + logicalType + "'}}]}");
    }

    private static Schema parse(String text) {
        return new Schema.Parser().parse(text.replace('\'', '"'));
    }
}
