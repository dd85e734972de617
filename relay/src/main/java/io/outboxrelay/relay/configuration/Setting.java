package io.outboxrelay.relay.configuration;

/**
 * One value as somebody gave it.
 *
 * @param path which key, with the number of the source where there is one: {@code sources[0].url}
 * @param value the text
 * @param origin who gave it: a line of the file, a variable, the command line
 */
record Setting(String path, String value, String origin) {}
