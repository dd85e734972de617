package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** What one source has to say to a question, for people and for programs. */
interface Answer {

    /** Several lines, each ended, without the source's name. */
    String text();

    /** Adds what there is to say; the names in the JSON are stable. */
    void addTo(ObjectNode json);
}
