package io.outboxrelay.schemas.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.schemas.contracts.OrderPlaced;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SchemaIdentityTest {

    @Test
    void millis_and_micros_are_two_schemas_which_crc_64_does_not_see() { // hazard 56
        Schema millis = field("{'type': 'long', 'logicalType': 'timestamp-millis'}");
        Schema micros = field("{'type': 'long', 'logicalType': 'timestamp-micros'}");

        assertThat(SchemaIdentity.of(millis)).isNotEqualTo(SchemaIdentity.of(micros));
        assertThat(SchemaNormalization.parsingFingerprint64(millis))
                .isEqualTo(SchemaNormalization.parsingFingerprint64(micros));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '!', textBlock = """
            "int", "default": 0                     | "int", "default": 1
            "int"                                   | "int", "default": 0
            ["null", "int"]                         | ["null", "int"], "default": null
            ["null", {"type": "array", "items": "int"}] , "default": null | ["null", {"type": "array", "items": "int"}], "default": []
            {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2} | {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 3}
            {"type": "bytes", "logicalType": "decimal", "precision": 8, "scale": 2} | {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
            {"type": "enum", "name": "E", "symbols": ["A", "B"]} | {"type": "enum", "name": "E", "symbols": ["A", "B"], "default": "A"}
            {"type": "enum", "name": "E", "symbols": ["A", "B"]} | {"type": "enum", "name": "E", "symbols": ["B", "A"]}
            "int"                                   | "int", "aliases": ["g"]
            "int"                                   | "int", "order": "descending"
            {"type": "fixed", "name": "F", "size": 3} | {"type": "fixed", "name": "F", "size": 4}
            {"type": "fixed", "name": "F", "size": 3} | {"type": "fixed", "name": "x.F", "size": 3}
            {"type": "fixed", "name": "F", "size": 3} | {"type": "fixed", "name": "F", "size": 3, "aliases": ["G"]}
            "string"                                | {"type": "string", "unit": "kg"}
            {"type": "map", "values": "int"}        | {"type": "array", "items": "int"}
            "bytes", "default": "\u00ff"            | "bytes", "default": "\u00fe"
            """)
    void what_a_reader_or_writer_could_notice_makes_another_schema(String one, String other) { // hazard 56
        assertThat(SchemaIdentity.of(field(one))).isNotEqualTo(SchemaIdentity.of(field(other)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '!', textBlock = """
            "int"                         | "int", "doc": "A number."
            "int"                         | {"type": "int"}
            "int"                         | "int", "order": "ascending"
            "string"                      | {"type": "string", "avro.java.string": "String"}
            "double", "default": 1        | "double", "default": 1.0
            "int", "aliases": ["g", "h"]  | "int", "aliases": ["h", "g"]
            {"type": "fixed", "name": "F", "size": 3} | {"type": "fixed", "namespace": "shop", "name": "F", "size": 3}
            {"type": "fixed", "name": "F", "size": 3, "aliases": ["G"]} | {"type": "fixed", "name": "F", "size": 3, "aliases": ["shop.G"]}
            {"type": "long", "b": {"y": 1, "x": 2}, "a": 1} | {"a": 1, "type": "long", "b": {"x": 2, "y": 1}}
            """)
    void words_and_ways_of_writing_do_not(String one, String other) {
        assertThat(SchemaIdentity.of(field(one))).isEqualTo(SchemaIdentity.of(field(other)));
    }

    @Test
    void a_generated_class_has_the_schema_of_its_file() throws IOException {
        Schema file = new Schema.Parser()
                .parse(Path.of("src/test/avro/OrderPlaced.avsc").toFile());

        assertThat(SchemaIdentity.of(OrderPlaced.getClassSchema())).isEqualTo(SchemaIdentity.of(file));
    }

    @Test
    void a_type_that_holds_itself_has_an_identity() {
        Schema tree = field("['null', 'shop.Event']");

        assertThat(SchemaIdentity.of(tree).sha256()).matches("[0-9a-f]{64}");
        assertThat(SchemaIdentity.of(tree))
                .hasToString(SchemaIdentity.of(tree).sha256().substring(0, 12));
    }

    private static Schema field(String type) {
        return new Schema.Parser().parse("""
                {"type": "record", "name": "Event", "namespace": "shop", "fields": [{"name": "f", "type": %s}]}""".formatted(type.replace('\'', '"')));
    }
}
