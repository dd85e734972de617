package io.outboxrelay.schemas.contract;

import org.apache.avro.Schema;

/**
 * One version of a contract, as it was released or will be.
 *
 * @param subject the contract's subject
 * @param number 1 for the first, without gaps
 * @param schema stands by itself: what it uses of shared types is in it
 * @param identity of the schema
 * @param text as it stands in its file; where it uses shared types, it cannot be parsed alone
 * @param origin the file, for people
 */
public record ContractVersion(
        String subject, int number, Schema schema, SchemaIdentity identity, String text, String origin) {

    /** The subject and the number, for people. */
    @Override
    public String toString() {
        return subject + " v" + number;
    }
}
