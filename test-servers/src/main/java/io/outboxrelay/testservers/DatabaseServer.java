package io.outboxrelay.testservers;

/** A database server in which tests create databases. */
public interface DatabaseServer {

    /**
     * Kind and version of the server, for people to read.
     *
     * @return for example {@code postgresql-container}, {@code mariadb-10.11.6}
     */
    String name();

    /**
     * Creates an empty database with a unique name.
     *
     * @return the database; closing it drops it
     * @throws IllegalStateException when the server does not answer or refuses
     */
    TestDatabase newDatabase();
}
