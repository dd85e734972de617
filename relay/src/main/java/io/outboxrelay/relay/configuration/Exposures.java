package io.outboxrelay.relay.configuration;

import io.outboxrelay.relay.configuration.Settings.Setting;
import io.outboxrelay.relay.configuration.Settings.Values;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Warns of passwords and events that cross a network on which others could read or change them. It stops nothing: the
 * network may be encrypted by other means. Addresses of the relay's own machine are exempt.
 */
final class Exposures {

    private static final Pattern JDBC = Pattern.compile("jdbc:([a-z]+):(?:[a-z]+:)?(?://([^/?]*))?[^?]*(?:\\?(.*))?");
    private static final Pattern PORT = Pattern.compile(":\\d*$");
    private static final Pattern LOOPBACK = Pattern.compile("localhost|127\\.\\d+\\.\\d+\\.\\d+|\\[?::1]?");
    /** With these driver parameters a connection does not use the network. */
    private static final List<String> NO_NETWORK = List.of("socketfactory", "localsocket", "pipe");

    private final Settings settings;
    private final Values values;

    Exposures(Settings settings, Values values) {
        this.settings = settings;
        this.values = values;
    }

    void run() {
        for (DatabaseList list : DatabaseList.values()) {
            for (int number = 0; number < settings.size(list); number++) {
                database(list.urlKey(), number);
            }
        }
        values.find(Keys.BROKER_URI)
                .filter(uri -> uri.getScheme().equals("amqp") && !isLoopback(uri.getHost()))
                .ifPresent(uri -> warn(
                        Keys.BROKER_URI,
                        0,
                        "does not encrypt: the password and every event can be read on the way to %s. Use amqps://."
                                .formatted(uri.getHost())));
        http(Keys.BROKER_MANAGEMENT, true);
        http(Keys.REGISTRY_URL, settings.isGiven(Keys.REGISTRY_USER) || settings.isGiven(Keys.REGISTRY_TOKEN));
    }

    private void http(Key<URI> key, boolean withCredentials) {
        values.find(key)
                .filter(uri -> withCredentials && "http".equals(uri.getScheme()) && !isLoopback(uri.getHost()))
                .ifPresent(uri -> warn(
                        key,
                        0,
                        "does not encrypt: the credentials can be read on the way to %s. Use https://."
                                .formatted(uri.getHost())));
    }

    private void database(Key<String> key, int number) {
        Matcher url = JDBC.matcher(values.find(key, number).orElse(""));
        if (!url.matches() || isOfThisMachine(url.group(2), url.group(3))) {
            return;
        }
        if (url.group(1).equals("postgresql")) {
            postgresql(key, number, parameter(url.group(3), "sslmode").orElse("prefer"));
        } else {
            mariaDb(key, number, parameter(url.group(3), "sslmode").orElse("disable"));
        }
    }

    private void postgresql(Key<String> key, int number, String mode) {
        switch (mode) {
            case "verify-full" -> {}
            case "require", "verify-ca" -> unverified(key, number, "sslmode", mode);
            default -> unencrypted(key, number, "sslmode", mode);
        }
    }

    private void mariaDb(Key<String> key, int number, String mode) {
        switch (mode) {
            case "verify-full", "verify_identity" -> {}
            case "trust", "required", "verify-ca", "verify_ca" -> unverified(key, number, "sslMode", mode);
            default -> unencrypted(key, number, "sslMode", mode);
        }
    }

    private void unencrypted(Key<String> key, int number, String parameter, String mode) {
        warn(
                key,
                number,
                ("may not encrypt (%s=%s): the password and every event can be read on the way to the database. Add"
                                + " %1$s=verify-full.")
                        .formatted(parameter, mode));
    }

    private void unverified(Key<String> key, int number, String parameter, String mode) {
        warn(
                key,
                number,
                ("does not verify the server (%s=%s): an attacker in between can read and change the events. Add"
                                + " %1$s=verify-full.")
                        .formatted(parameter, mode));
    }

    private static Optional<String> parameter(String parameters, String name) {
        return parameters == null
                ? Optional.empty()
                : Arrays.stream(parameters.toLowerCase(Locale.ROOT).split("&"))
                        .filter(parameter -> parameter.startsWith(name + "="))
                        .map(parameter -> parameter.substring(name.length() + 1))
                        .reduce((first, last) -> last);
    }

    private static boolean isOfThisMachine(String hosts, String parameters) {
        return NO_NETWORK.stream().anyMatch(name -> parameter(parameters, name).isPresent())
                || hosts == null
                || Arrays.stream(hosts.split(","))
                        .map(host -> PORT.matcher(host).replaceFirst(""))
                        .allMatch(host -> host.isEmpty() || isLoopback(host));
    }

    private static boolean isLoopback(String host) {
        return LOOPBACK.matcher(host.toLowerCase(Locale.ROOT)).matches();
    }

    private void warn(Key<?> key, int number, String problem) {
        Setting setting = settings.find(key.path(number));
        if (setting != null) {
            settings.warn(setting.path(), setting.origin(), problem);
        }
    }
}
