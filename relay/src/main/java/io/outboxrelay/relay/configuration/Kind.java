package io.outboxrelay.relay.configuration;

import io.outboxrelay.relay.database.Dialect;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.schemas.registry.Credentials;
import io.outboxrelay.schemas.registry.RegistrySettings;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which values a key accepts. Nothing is corrected: any other text is a fault.
 *
 * @param type of the value
 * @param name in the table of keys
 * @param reading converts the text to the value
 */
record Kind<T>(Class<T> type, String name, Reading<T> reading) {

    /** Placeholders of the templates for exchange and routing key. */
    static final List<String> PLACEHOLDERS = List.of("{aggregate_type}", "{aggregate_id}", "{event_type}", "{event}");

    private static final Duration LONGEST = Duration.ofDays(1);
    private static final Duration MOST_DAYS = Duration.ofDays(3650);
    private static final Map<String, Long> SIZE_UNITS =
            Map.of("B", 1L, "KiB", 1L << 10, "MiB", 1L << 20, "GiB", 1L << 30);

    @FunctionalInterface
    interface Reading<T> {
        T read(String text) throws Unfit;
    }

    /** A text is not of this kind; the message says what would be, and never repeats the text. */
    static final class Unfit extends Exception {
        private static final long serialVersionUID = 1;

        Unfit(String message) {
            super(message);
        }
    }

    T read(String text) throws Unfit {
        return reading.read(text);
    }

    static Kind<String> text() {
        return new Kind<>(String.class, "text", text -> {
            need(!text.isBlank(), "is empty. Give it a value or leave the key out.");
            return text;
        });
    }

    static Kind<String> secret() {
        return new Kind<>(String.class, "secret", text -> text);
    }

    /** A token for the header of a request. */
    static Kind<String> token() {
        return new Kind<>(String.class, "secret", text -> {
            try {
                return new Credentials.Bearer(text).token();
            } catch (IllegalArgumentException e) {
                throw new Unfit("cannot be sent. " + e.getMessage() + ".");
            }
        });
    }

    static Kind<String> matching(String name, String pattern) {
        Pattern compiled = Pattern.compile(pattern);
        return new Kind<>(String.class, name, text -> {
            need(compiled.matcher(text).matches(), "must match " + pattern + ".");
            return text;
        });
    }

    static Kind<Integer> count(int least, int most) {
        return new Kind<>(Integer.class, "count", text -> {
            String rule = "must be a whole number from %d to %d.".formatted(least, most);
            need(text.matches("\\d{1,9}"), rule);
            int count = Integer.parseInt(text);
            need(count >= least && count <= most, rule);
            return count;
        });
    }

    static Kind<Boolean> flag() {
        return new Kind<>(Boolean.class, "true or false", text -> {
            need(text.equals("true") || text.equals("false"), "must be true or false.");
            return Boolean.valueOf(text);
        });
    }

    static <E extends Enum<E>> Kind<E> choice(Class<E> type) {
        String choices = Arrays.stream(type.getEnumConstants())
                .map(choice -> choice.name().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(", "));
        return new Kind<>(type, choices, text -> {
            need(List.of(choices.split(", ")).contains(text), "must be one of " + choices + ".");
            return Enum.valueOf(type, text.toUpperCase(Locale.ROOT));
        });
    }

    /** A choice for all events, and others for certain types: {@code block, Invoice/*=continue}. */
    @SuppressWarnings("unchecked")
    static <E extends Enum<E>> Kind<ByRoute<E>> byRoute(Class<E> type) {
        Kind<E> choice = choice(type);
        String rule =
                "must be one choice of " + choice.name() + ", and after it, separated by commas, others for certain"
                        + " types, such as Invoice/InvoiceSent=" + choice.name().replaceFirst(".*, ", "")
                        + "; * stands for every type.";
        return new Kind<>((Class<ByRoute<E>>) (Class<?>) ByRoute.class, choice.name() + ", by route", text -> {
            List<String> parts =
                    Arrays.stream(text.split(",", -1)).map(String::strip).toList();
            List<ByRoute.Rule<E>> rules = new ArrayList<>();
            for (String part : parts.subList(1, parts.size())) {
                Matcher matcher = Pattern.compile("([^/=]+)/([^/=]+)=(\\w+)").matcher(part);
                need(matcher.matches(), rule);
                rules.add(new ByRoute.Rule<>(matcher.group(1), matcher.group(2), read(choice, matcher.group(3), rule)));
            }
            return new ByRoute<>(read(choice, parts.get(0), rule), rules);
        });
    }

    private static <T> T read(Kind<T> kind, String text, String rule) throws Unfit {
        try {
            return kind.read(text);
        } catch (Unfit e) {
            throw new Unfit(rule);
        }
    }

    static Kind<Duration> duration() {
        return new Kind<>(Duration.class, "duration", text -> {
            Duration duration = parseDuration(text);
            need(
                    duration.compareTo(Duration.ZERO) > 0 && duration.compareTo(LONGEST) <= 0,
                    "must be more than 0 and at most 24h.");
            return duration;
        });
    }

    /** A duration that is used in whole seconds. */
    static Kind<Duration> seconds() {
        return new Kind<>(Duration.class, "duration", text -> {
            Duration duration = duration().reading().read(text);
            need(duration.compareTo(Duration.ofSeconds(1)) >= 0, "must be at least 1s.");
            return duration;
        });
    }

    /** A retention period. */
    static Kind<Duration> days() {
        return new Kind<>(Duration.class, "duration", text -> {
            Duration duration = parseDuration(text);
            need(
                    duration.compareTo(Duration.ofHours(1)) >= 0 && duration.compareTo(MOST_DAYS) <= 0,
                    "must be from 1h to " + MOST_DAYS.toDays() + "d.");
            return duration;
        });
    }

    private static Duration parseDuration(String text) throws Unfit {
        return Durations.parse(text).orElseThrow(() -> new Unfit("must be " + Durations.EXAMPLES + "."));
    }

    /** At most {@code mostMiB} mebibytes, so that it fits an int where one is needed. */
    static Kind<Long> size(int mostMiB) {
        return new Kind<>(Long.class, "size", text -> {
            Matcher matcher = Pattern.compile("(\\d{1,9})(B|KiB|MiB|GiB)").matcher(text);
            need(matcher.matches(), "must be a size such as 512B, 64KiB, 8MiB or 1GiB.");
            long size = Long.parseLong(matcher.group(1)) * SIZE_UNITS.get(matcher.group(2));
            need(size > 0 && size <= (long) mostMiB << 20, "must be from 1B to " + mostMiB + "MiB.");
            return size;
        });
    }

    static Kind<Path> file() {
        return new Kind<>(Path.class, "file", text -> {
            need(!text.isBlank(), "is empty. Give it the path of a file or leave the key out.");
            try {
                return Path.of(text);
            } catch (InvalidPathException e) {
                throw new Unfit("is not a path.");
            }
        });
    }

    static Kind<String> template() {
        return new Kind<>(String.class, "template", text -> {
            need(!text.isBlank(), "is empty. Give it a name or a template.");
            String rest = text;
            for (String placeholder : PLACEHOLDERS) {
                rest = rest.replace(placeholder, "");
            }
            need(
                    !rest.contains("{") && !rest.contains("}"),
                    "has braces that are no placeholder. Possible are " + String.join(", ", PLACEHOLDERS) + ".");
            return text;
        });
    }

    /** Types are inserted unchanged. Aggregate ids are not allowed: each aggregate would have its own subject. */
    static Kind<String> subjectTemplate() {
        return new Kind<>(String.class, "template", text -> {
            need(
                    !text.contains("{aggregate_id}"),
                    "must not use {aggregate_id}: each aggregate would have its own subject.");
            need(!text.contains("{event}"), "must not use {event}, which is for routing keys. Use {event_type}.");
            return template().reading().read(text);
        });
    }

    static Kind<URI> registryUrl() {
        return new Kind<>(URI.class, "URL", text -> {
            URI uri;
            try {
                uri = new URI(text);
                new RegistrySettings(uri, new Credentials.None());
            } catch (URISyntaxException e) {
                throw new Unfit("is not a URL: " + e.getReason() + " at character " + (e.getIndex() + 1) + ".");
            } catch (IllegalArgumentException e) {
                throw new Unfit("is not the address of a registry. " + e.getMessage() + ".");
            }
            return uri;
        });
    }

    /** Aggregate ids are not allowed: each aggregate would have its own exchange. */
    static Kind<String> exchangeTemplate() {
        return new Kind<>(String.class, "template", text -> {
            need(
                    !text.contains("{aggregate_id}"),
                    "must not use {aggregate_id}: each aggregate would have its own" + " exchange.");
            return template().reading().read(text);
        });
    }

    /** Names of exchanges, separated by commas. */
    @SuppressWarnings("unchecked")
    static Kind<Set<String>> exchanges() {
        return new Kind<>((Class<Set<String>>) (Class<?>) Set.class, "names", text -> {
            Set<String> names =
                    Arrays.stream(text.split(",", -1)).map(String::strip).collect(Collectors.toUnmodifiableSet());
            need(
                    names.stream().allMatch(name -> name.matches("[A-Za-z0-9._:-]{1,255}")),
                    "must be names of exchanges, separated by commas, such as order, invoice.sent.");
            return names;
        });
    }

    static Kind<URI> brokerUri() {
        return new Kind<>(URI.class, "URI", text -> {
            URI uri;
            try {
                uri = new URI(text);
            } catch (URISyntaxException e) {
                throw new Unfit("is not a URI: " + e.getReason() + " at character " + (e.getIndex() + 1)
                        + ". Percent-encode special characters of user, password and virtual host.");
            }
            need(
                    "amqp".equals(uri.getScheme()) || "amqps".equals(uri.getScheme()),
                    "must begin with amqp:// or amqps://.");
            need(
                    uri.getHost() != null,
                    "names no host. Write amqp://user:password@host:5672/vhost, special characters percent-encoded.");
            String path = uri.getRawPath();
            need(
                    !path.equals("/"),
                    "ends with a slash, which names the virtual host with the empty name. Leave the slash out, or"
                            + " write /%2f,"
                            + " for the default virtual host.");
            need(
                    path.lastIndexOf('/') <= 0,
                    "has more than one slash after the host. Write %2f for a slash in the virtual host's name.");
            return uri;
        });
    }

    static Kind<URI> managementUri() {
        return new Kind<>(URI.class, "URL", text -> {
            URI uri;
            try {
                uri = new URI(text);
            } catch (URISyntaxException e) {
                throw new Unfit("is not a URL: " + e.getReason() + " at character " + (e.getIndex() + 1)
                        + ". Percent-encode special characters of user and password.");
            }
            need(
                    "http".equals(uri.getScheme()) || "https".equals(uri.getScheme()),
                    "must begin with http:// or https://.");
            need(uri.getHost() != null, "names no host. Write https://user:password@host:15671.");
            return uri;
        });
    }

    static Kind<String> databaseUrl() {
        return new Kind<>(String.class, "URL", text -> {
            need(text.startsWith("jdbc:"), "must begin with " + Dialect.KNOWN + ".");
            need(Dialect.of(text).isPresent(), "names an unsupported database. Supported are " + Dialect.KNOWN + ".");
            need(
                    !text.contains("@")
                            && !Pattern.compile("(?i)[?&](user|password)=")
                                    .matcher(text)
                                    .find(),
                    "contains a user or password. Set user and password of the source instead; they stay out of logs.");
            return text;
        });
    }

    private static void need(boolean condition, String problem) throws Unfit {
        if (!condition) {
            throw new Unfit(problem);
        }
    }
}
