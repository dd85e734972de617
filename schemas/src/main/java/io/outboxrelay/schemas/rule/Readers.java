package io.outboxrelay.schemas.rule;

/** Who reads an event that was written with the other version. */
public enum Readers {
    /** Consumers that still have the old version, and get events written with the new one. */
    OLD,
    /** Consumers that have the new version, and get events written with the old one. */
    NEW
}
