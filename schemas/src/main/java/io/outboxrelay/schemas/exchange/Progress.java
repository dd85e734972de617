package io.outboxrelay.schemas.exchange;

/** Hears what happens while contracts go to a registry or come from it. */
public interface Progress {

    /**
     * Something was done, or found to be done already.
     *
     * @param what a sentence for people
     */
    void done(String what);

    /**
     * Something was not done.
     *
     * @param what a sentence for people, with what to do
     */
    void problem(String what);
}
