package io.outboxrelay.schemas.rule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.schemas.contract.Compatibility;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.avro.AvroTypeException;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.util.RandomData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The table {@code pairs.txt}, and what Avro itself does with each of its pairs. */
class SchemaPairsTest {

    private static final long SEED = 4;

    static Stream<SchemaPair> pairs() {
        return SchemaPair.all().stream();
    }

    @Test
    void there_are_enough_pairs_and_no_two_have_one_name() {
        assertThat(SchemaPair.all()).hasSizeGreaterThan(120);
        assertThat(SchemaPair.all()).extracting(SchemaPair::name).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void the_verdict_is_as_expected_in_every_mode(SchemaPair pair) { // hazard 54
        for (Compatibility mode : Compatibility.values()) {
            List<Finding> findings = SchemaComparison.compare(old(pair), now(pair), mode);
            List<String> backward = mode.newReadsOld() ? pair.backward() : List.of();
            List<String> forward = mode.oldReadsNew() ? pair.forward() : List.of();

            assertThat(rules(findings, Readers.NEW)).as("backward in %s", mode).isEqualTo(SchemaPair.rules(backward));
            assertThat(rules(findings, Readers.OLD)).as("forward in %s", mode).isEqualTo(SchemaPair.rules(forward));
            assertThat(findings.stream().noneMatch(Finding::isError))
                    .as("the verdict in %s", mode)
                    .isEqualTo(SchemaPair.isYes(backward) && SchemaPair.isYes(forward));
        }
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void what_avro_refuses_is_refused(SchemaPair pair) { // hazard 54
        if (!Resolution.reads(pair.now(), pair.old())) {
            assertThat(SchemaPair.isYes(pair.backward())).as("backward").isFalse();
        }
        if (!Resolution.reads(pair.old(), pair.now())) {
            assertThat(SchemaPair.isYes(pair.forward())).as("forward").isFalse();
        }
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void what_is_allowed_can_be_decoded(SchemaPair pair) {
        if (SchemaPair.isYes(pair.backward())) {
            assertThatCode(() -> decode(pair.old(), pair.now())).as("backward").doesNotThrowAnyException();
        }
        if (SchemaPair.isYes(pair.forward())) {
            assertThatCode(() -> decode(pair.now(), pair.old())).as("forward").doesNotThrowAnyException();
        }
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void what_is_allowed_without_a_warning_is_decoded_as_what_was_written(SchemaPair pair) throws IOException {
        if (pair.backward().isEmpty()) {
            assertThat(decode(pair.old(), pair.now())).as("backward").allSatisfy(read -> read.requireSame(pair.now()));
        }
        if (pair.forward().isEmpty()) {
            assertThat(decode(pair.now(), pair.old())).as("forward").allSatisfy(read -> read.requireSame(pair.old()));
        }
    }

    @Test
    void avro_says_that_it_can_read_what_its_decoder_then_refuses() {
        SchemaPair pair = pairs().filter(each -> each.name().startsWith("an enum moves, and then"))
                .findFirst()
                .orElseThrow();

        assertThat(Resolution.reads(pair.now(), pair.old())).isTrue();
        assertThatThrownBy(() -> decode(pair.old(), pair.now()))
                .isInstanceOf(AvroTypeException.class)
                .hasMessage("Found a.X, expecting union[X, X]");
        assertThat(SchemaPair.isYes(pair.backward())).isFalse();
    }

    private static List<ReadTwice> decode(Schema written, Schema reader) throws IOException {
        List<ReadTwice> decoded = new ArrayList<>();
        for (Object value : new RandomData(written, 20, SEED)) {
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(body, null);
            new GenericDatumWriter<>(written).write(value, encoder);
            encoder.flush();
            decoded.add(ReadTwice.of(body.toByteArray(), written, reader));
        }
        return decoded;
    }

    private static List<String> rules(List<Finding> findings, Readers readers) {
        return findings.stream()
                .filter(finding -> finding.failing().contains(readers))
                .map(finding -> finding.rule().id())
                .sorted()
                .toList();
    }

    private static ComparedVersion old(SchemaPair pair) {
        return new ComparedVersion("v1", "v1.avsc", pair.old());
    }

    private static ComparedVersion now(SchemaPair pair) {
        return new ComparedVersion("v2", "v2.avsc", pair.now());
    }
}
