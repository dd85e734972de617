package io.outboxrelay.relay.gate;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.outboxrelay.relay.gate.Judge.Verdict;
import io.outboxrelay.relay.gate.Subjects.CatalogueSubjects;
import io.outboxrelay.relay.gate.Subjects.RegistrySubjects;
import io.outboxrelay.relay.gate.Subjects.Subject;
import io.outboxrelay.relay.gate.Subjects.SubjectTemplate;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.lane.Publisher;
import io.outboxrelay.schemas.registry.Registry;
import io.outboxrelay.schemas.registry.RegistryException;
import io.outboxrelay.schemas.registry.RegistrySettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The gate of one source. Thread-safe. */
public final class SchemaGate implements AutoCloseable {

    private final String source;
    private final SubjectTemplate template;
    private final Subjects subjects;
    private final Lookups lookups;
    private final GateMetrics metrics;

    private SchemaGate(String source, SubjectTemplate template, Subjects subjects, MeterRegistry meters) {
        this.source = source;
        this.template = template;
        this.subjects = subjects;
        this.lookups = new Lookups(source, new Judge(subjects));
        this.metrics = new GateMetrics(source, meters);
        Gauge.builder("outbox_relay_schemas_reachable", lookups, known -> known.away() == null ? 1 : 0)
                .description("1 while schemas of events can be looked up, else 0; then events whose schemas are not"
                        + " known yet wait.")
                .tag("source", source)
                .register(meters);
    }

    /**
     * Makes the gate of a source; nothing is asked yet.
     *
     * @param source name of the source
     * @param settings which schemas events may have
     * @param meters where its meters are registered
     * @return the gate; empty when every event passes
     */
    public static Optional<SchemaGate> of(String source, GateSettings settings, MeterRegistry meters) {
        if (settings.mode() == GateSettings.Mode.OFF) {
            return Optional.empty();
        }
        SubjectTemplate template = new SubjectTemplate(settings.subject());
        return Optional.of(new SchemaGate(source, template, subjects(settings, template), meters));
    }

    private static Subjects subjects(GateSettings settings, SubjectTemplate template) {
        Path catalogue = settings.catalogue();
        if (settings.mode() == GateSettings.Mode.CATALOGUE) {
            return new CatalogueSubjects(Objects.requireNonNull(catalogue), template);
        }
        // One attempt: the probe and the waiting events ask again.
        RegistrySettings registry = Objects.requireNonNull(settings.registry());
        return new RegistrySubjects(new Registry(registry.patient(registry.timeout(), 1)), catalogue, template);
    }

    /** {@return the publisher of a lane, behind this gate} */
    public Publisher before(Publisher publisher) {
        return new GatedPublisher(publisher, lookups, metrics);
    }

    /**
     * Checks whether schemas can be looked up, and remembers it. Called periodically by a thread of the source.
     *
     * @throws IllegalStateException if they cannot, with the reason
     */
    public void probe() {
        try {
            subjects.check();
            lookups.away(null);
        } catch (RuntimeException e) {
            lookups.away(String.valueOf(e.getMessage()));
            // Without the cause, which would be printed instead of the message.
            throw new IllegalStateException(e.getMessage());
        }
    }

    /** {@return why schemas cannot be looked up; empty if they can} */
    public Optional<String> trouble() {
        return Optional.ofNullable(lookups.away())
                .map(reason -> "schemas cannot be looked up; events with verified schemas continue, all others"
                        + " wait: " + reason);
    }

    /**
     * Finds subjects that rules of the configuration mention and that have no version.
     *
     * @param routes rules of the configuration
     * @return a sentence about each
     * @throws RegistryException when a registry cannot be asked
     */
    public List<String> missing(List<ByRoute<?>> routes) {
        return routes.stream()
                .flatMap(route -> route.rules().stream())
                .flatMap(rule -> missing(rule).stream())
                .distinct()
                .toList();
    }

    private List<String> missing(ByRoute.Rule<?> rule) {
        boolean open = rule.eventType().equals(ByRoute.ANY)
                || rule.aggregateType().equals(ByRoute.ANY) && template.needs("{aggregate_type}");
        if (open) {
            return List.of();
        }
        Subject subject = subjects.subject(subjects.of(rule.aggregateType(), rule.eventType()));
        return subject.versions().isEmpty()
                ? List.of("Source %s: subject %s, needed by the rule %s/%s, %s"
                        .formatted(source, subject.name(), rule.aggregateType(), rule.eventType(), subject.known()))
                : List.of();
    }

    @Override
    public void close() {
        lookups.close();
    }

    /** Counts verdicts, for all lanes of one source. Thread-safe. */
    static final class GateMetrics {

        private final Counter passed;
        private final Counter unknown;
        private final Counter incompatible;
        private final Counter waiting;

        GateMetrics(String source, MeterRegistry meters) {
            this.passed = counter(source, "passed", meters);
            this.unknown = counter(source, "unknown", meters);
            this.incompatible = counter(source, "incompatible", meters);
            this.waiting = counter(source, "waiting", meters);
        }

        private static Counter counter(String source, String verdict, MeterRegistry meters) {
            return Counter.builder("outbox_relay_schema_verdicts")
                    .description("Verdicts on the schemas of events, one each time that an event reaches the check."
                            + " unknown and incompatible park the event, waiting retries it.")
                    .tag("source", source)
                    .tag("verdict", verdict)
                    .register(meters);
        }

        void count(Verdict verdict) {
            if (verdict instanceof Verdict.Passed) {
                passed.increment();
            } else if (verdict instanceof Verdict.Waiting) {
                waiting.increment();
            } else if (verdict instanceof Verdict.Refused refused) {
                (refused.reason() == Reason.SCHEMA_INCOMPATIBLE ? incompatible : unknown).increment();
            }
        }
    }

    /**
     * Which schemas events may have.
     *
     * @param mode where registered versions are found
     * @param catalogue folder or jar with contracts; null for none
     * @param subject template of the subject of an event that names none, with types as they stand
     * @param registry the registry; null for none
     */
    public record GateSettings(
            Mode mode,
            @Nullable Path catalogue,
            String subject,
            @Nullable RegistrySettings registry) {

        /** Every event passes. */
        public static final GateSettings OFF = new GateSettings(Mode.OFF, null, "{event_type}", null);

        /** Where registered versions are found. */
        public enum Mode {
            /** Nowhere: nothing is judged. */
            OFF,
            /** In a folder or jar of contracts. */
            CATALOGUE,
            /** In a schema registry. */
            REGISTRY
        }
    }
}
