package io.outboxrelay.relay.gate;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.outboxrelay.relay.gate.Subjects.Subject;
import io.outboxrelay.relay.gate.Subjects.Subject.RegisteredVersion;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.schemas.contract.Compatibility;
import io.outboxrelay.schemas.encoding.DataSchema;
import io.outboxrelay.schemas.encoding.Framing;
import io.outboxrelay.schemas.encoding.LogicalForm;
import io.outboxrelay.schemas.rule.ComparedVersion;
import io.outboxrelay.schemas.rule.Finding;
import io.outboxrelay.schemas.rule.SchemaComparison;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/** Compares an event's evidence of its schema with the registered versions. Stateless; any thread. */
final class Judge {

    private final Subjects subjects;

    Judge(Subjects subjects) {
        this.subjects = subjects;
    }

    /**
     * Judges.
     *
     * @throws RuntimeException if the subjects could not be asked
     */
    Verdict judge(Evidence evidence) {
        Optional<DataSchema> claim = Optional.ofNullable(evidence.claim());
        String name = claim.map(DataSchema::subject)
                .orElseGet(() -> subjects.of(evidence.aggregateType(), evidence.eventType()));
        Subject subject = subjects.subject(name);
        if (subject.eventType() != null && !subject.eventType().equals(evidence.eventType())) {
            return unknown("subject %s is for events of type %s, and this is a %s"
                    .formatted(name, subject.eventType(), evidence.eventType()));
        }
        return claim.isPresent() ? claimed(evidence, claim.get(), subject) : unclaimed(evidence, subject);
    }

    /** Whether an exception of {@link #judge} concerns all events, and not only those of one schema. */
    boolean away(RuntimeException failure) {
        return subjects.away(failure);
    }

    private Verdict claimed(Evidence evidence, DataSchema claim, Subject subject) {
        Optional<RegisteredVersion> version = subject.version(claim.version());
        if (version.isEmpty()) {
            return unregistered(
                    evidence,
                    subject,
                    "subject %s %s, and the event was written with version %d"
                            .formatted(subject.name(), subject.known(), claim.version()));
        }
        RegisteredVersion registered = version.get();
        if (!registered.identity().equals(claim.identity())) {
            return unregistered(
                    evidence,
                    subject,
                    "subject %s version %d in %s is the schema %s, and the event was written with %s"
                            .formatted(
                                    subject.name(),
                                    registered.number(),
                                    subject.where(),
                                    registered.identity(),
                                    claim.identity()));
        }
        if (!registered.fits(evidence.framing())) {
            return unknown("the event's header names version %2$d of subject %1$s, but its payload has the %3$s"
                    .formatted(subject.name(), registered.number(), evidence.framing()));
        }
        return kept(subject, registered);
    }

    private Verdict unclaimed(Evidence evidence, Subject subject) {
        Framing framing = evidence.framing();
        boolean idless = framing instanceof Framing.Confluent
                && subject.versions().stream().allMatch(version -> version.id().isEmpty());
        if (framing == null || idless && !subject.versions().isEmpty()) {
            return unknown(("subject %s %s, and the event does not say which it was written with: there is no %s header"
                                    + " that names a")
                            .formatted(subject.name(), subject.known(), DataSchema.HEADER)
                    + (framing == null
                            ? " contract, and nothing before the data"
                            : " contract, and a catalogue knows no ids"));
        }
        List<RegisteredVersion> fitting = subject.versions().stream()
                .filter(version -> version.fits(framing))
                .toList();
        if (fitting.isEmpty()) {
            return unregistered(
                    evidence,
                    subject,
                    "subject %s %s, and the event was written with the schema of %s"
                            .formatted(subject.name(), subject.known(), framing));
        }
        if (fitting.stream()
                        .map(version -> LogicalForm.of(version.schema()))
                        .distinct()
                        .count()
                > 1) {
            return unknown(
                    ("subject %s %s, of which %d have the %s and differ in their logical types: only the %s header"
                                    + " can identify the version")
                            .formatted(subject.name(), subject.known(), fitting.size(), framing, DataSchema.HEADER));
        }
        // A fingerprint leaves out defaults and aliases, so it may be any of them.
        return fitting.stream()
                .map(version -> kept(subject, version))
                .filter(verdict -> !(verdict instanceof Verdict.Passed))
                .findFirst()
                .orElse(Verdict.PASSED);
    }

    /** Whether a registered version is as compatible as its subject promises: some registries check fewer rules. */
    private Verdict kept(Subject subject, RegisteredVersion version) {
        List<RegisteredVersion> before = subject.versions().stream()
                .filter(other -> other.number() < version.number())
                .toList();
        return breach(subject, before, "v" + version.number(), version.schema())
                .<Verdict>map(breach -> new Verdict.Refused(
                        Reason.SCHEMA_INCOMPATIBLE,
                        "subject %s version %d in %s: %s"
                                .formatted(subject.name(), version.number(), subject.where(), breach)))
                .orElse(Verdict.PASSED);
    }

    /** Reports what would be wrong with an unregistered schema, if it can be found. */
    private Verdict unregistered(Evidence evidence, Subject subject, String missing) {
        Optional<Schema> schema = subjects.elsewhere(evidence);
        Optional<String> breach =
                schema.flatMap(found -> breach(subject, subject.versions(), "the event's schema", found));
        if (breach.isPresent()) {
            return new Verdict.Refused(
                    Reason.SCHEMA_INCOMPATIBLE, missing + "; that one cannot be registered: " + breach.get());
        }
        return unknown(missing + "; register it, then: failures retry");
    }

    private static Optional<String> breach(
            Subject subject, List<RegisteredVersion> before, String name, Schema schema) {
        Compatibility promised = subject.compatibility();
        if (promised == Compatibility.NONE || before.isEmpty()) {
            return Optional.empty();
        }
        int last = before.size() - 1;
        ComparedVersion after = new ComparedVersion(name, subject.name(), schema);
        Stream<Finding> nearest =
                SchemaComparison.compare(compared(subject, before.get(last)), after, promised).stream();
        Stream<Finding> far = promised.transitive()
                ? before.subList(0, last).stream()
                        .flatMap(version ->
                                SchemaComparison.compareFar(compared(subject, version), after, promised).stream())
                : Stream.empty();
        return Stream.concat(nearest, far)
                .filter(Finding::isError)
                .findFirst()
                .map(finding -> "rule %s at %s, %s: %s"
                        .formatted(finding.rule().id(), finding.path(), promised, finding.problem()));
    }

    private static ComparedVersion compared(Subject subject, RegisteredVersion version) {
        return new ComparedVersion("v" + version.number(), subject.name(), version.schema());
    }

    private static Verdict unknown(String detail) {
        return new Verdict.Refused(Reason.SCHEMA_UNKNOWN, detail);
    }

    /** The gate's decision about an event. */
    sealed interface Verdict {

        /** It may be published. */
        record Passed() implements Verdict {}

        /** It must not be published: its schema is unknown or incompatible. */
        record Refused(Reason reason, String detail) implements Verdict {}

        /**
         * No decision yet.
         *
         * @param detail why not
         * @param underWay whether a running lookup will decide about this event
         */
        record Waiting(String detail, boolean underWay) implements Verdict {}

        Verdict PASSED = new Passed();

        /** {@return the outcome for the lane; only for verdicts that stop the event} */
        static Outcome outcome(Verdict verdict) {
            if (verdict instanceof Refused refused) {
                return new Outcome.Refused(refused.reason(), refused.detail());
            }
            if (verdict instanceof Waiting waiting) {
                return new Outcome.Nacked(Reason.SCHEMA_UNCHECKED, waiting.detail());
            }
            throw new IllegalArgumentException("an event that passes has no outcome yet");
        }
    }

    /**
     * What an event says about its schema. Events with equal evidence get the same verdict.
     *
     * @param aggregateType the type of its aggregate
     * @param eventType its type
     * @param claim the header {@code cloudEvents_dataschema}; null without one, and for another kind of URI
     * @param framing the beginning of its payload; null for a raw one, and with a claim for one that begins with a zero
     *     byte
     */
    record Evidence(
            String aggregateType,
            String eventType,
            @Nullable DataSchema claim,
            @Nullable Framing framing) {

        private static final JsonFactory JSON = new JsonFactory();

        /** No header of a body is longer. */
        private static final int BEGINNING = 16;

        /** Reads the evidence of an event; empty if it is neither Avro nor names a schema, and so is not judged. */
        static Optional<Evidence> of(Event event) {
            byte[] payload = event.payload();
            DataSchema claim = claim(event.headers());
            boolean avro = event.contentType().toLowerCase(Locale.ROOT).contains("avro");
            if (payload == null || !avro && claim == null) {
                return Optional.empty();
            }
            Framing framing = avro
                    ? Framing.of(Arrays.copyOf(payload, Math.min(payload.length, BEGINNING)))
                            .orElse(null)
                    : null;
            // A first field that is absent, 0, false or empty is a zero byte too, and the next four bytes are data. The
            // claim has the whole identity; verdicts must not be remembered by bytes that may be data.
            boolean mayBeData = claim != null && framing instanceof Framing.Confluent;
            return Optional.of(new Evidence(event.aggregate().type(), event.type(), claim, mayBeData ? null : framing));
        }

        /** Reads this one header only; whether the others can be sent is not decided here. */
        private static @Nullable DataSchema claim(String headers) {
            if (!headers.contains(DataSchema.HEADER)) {
                return null; // the whole JSON need not be read
            }
            try (JsonParser parser = JSON.createParser(headers)) {
                if (parser.nextToken() != JsonToken.START_OBJECT) {
                    return null;
                }
                for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
                    JsonToken value = parser.nextToken();
                    if (name.equals(DataSchema.HEADER)) {
                        return value == JsonToken.VALUE_STRING
                                ? DataSchema.parse(parser.getText()).orElse(null)
                                : null;
                    }
                    parser.skipChildren();
                }
                return null;
            } catch (IOException e) {
                return null; // then it cannot become a message either
            }
        }
    }
}
