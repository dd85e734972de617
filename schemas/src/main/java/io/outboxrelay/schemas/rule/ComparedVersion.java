package io.outboxrelay.schemas.rule;

import io.outboxrelay.schemas.contract.ContractVersion;
import org.apache.avro.Schema;

/**
 * One side of a comparison.
 *
 * @param name how people call it, such as {@code v2}
 * @param file where it stands
 * @param schema itself
 */
public record ComparedVersion(String name, String file, Schema schema) {

    /**
     * A version of a contract.
     *
     * @param version any
     * @return its side of a comparison
     */
    public static ComparedVersion of(ContractVersion version) {
        return new ComparedVersion("v" + version.number(), version.origin(), version.schema());
    }
}
