package io.outboxrelay.testservers;

/** In which order the kinds of servers are tried when none is forced. */
public enum Preference {
    /** A container engine, then servers installed on the machine, then embedded ones: what tests want. */
    CONTAINERS_FIRST,
    /**
     * Installed servers, then a container engine, then embedded ones: what the benchmarks and the demo's broker want.
     */
    INSTALLED_FIRST,
    /** Embedded ones, then installed servers, then a container engine: what the demo's database wants. */
    EMBEDDED_FIRST
}
