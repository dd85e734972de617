package io.outboxrelay.testservers;

/** Address of a server, and its administrator. */
record ServerAddress(String host, int port, String user, String password) {}
