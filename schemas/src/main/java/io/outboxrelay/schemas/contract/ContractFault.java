package io.outboxrelay.schemas.contract;

/**
 * One thing that keeps contracts from being read.
 *
 * @param origin the file, and the line where there is one
 * @param problem what is wrong and what to do about it, in sentences
 */
public record ContractFault(String origin, String problem) {

    @Override
    public String toString() {
        return origin + ": " + problem;
    }
}
