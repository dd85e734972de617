package io.outboxrelay.schemas.encoding;

import io.outboxrelay.schemas.contract.ContractVersion;
import io.outboxrelay.schemas.contract.Contracts;
import java.util.List;
import java.util.Optional;
import org.apache.avro.Schema;

/**
 * Where a decoder finds the schemas that bodies were written with: a catalogue of contracts, or a registry. Called by
 * any thread; may wait for an answer from the network. An exception means that it could not look.
 */
public interface SchemaSource {

    /**
     * Finds schemas by the fingerprint of a single-object body.
     *
     * @param fingerprint CRC-64-AVRO of the schema's parsing canonical form
     * @return all of them: several may have the same fingerprint, which ignores defaults and logical types
     */
    List<Schema> byFingerprint(long fingerprint);

    /**
     * Finds the schema that a registry gave an id.
     *
     * @param id the id in a body of Confluent's framing
     * @return the schema; empty when there is none of this id
     */
    Optional<Schema> byId(int id);

    /**
     * Returns a source that knows every version of every contract of a catalogue, and no ids.
     *
     * @param catalogue for example all contracts of a class path
     */
    static SchemaSource of(Contracts catalogue) {
        return new KnownSchemas(catalogue.all().stream()
                .flatMap(contract -> contract.versions().stream())
                .map(ContractVersion::schema)
                .toList());
    }

    /**
     * Returns a source that knows certain schemas and no ids.
     *
     * @param schemas what events may have been written with
     */
    static SchemaSource of(Schema... schemas) {
        return new KnownSchemas(List.of(schemas));
    }
}
