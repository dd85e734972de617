package io.outboxrelay.testservers;

/** Where a server listens and who may do everything on it. */
record ServerAddress(String host, int port, String user, String password) {}
