package io.outboxrelay.relay.command;

import io.outboxrelay.relay.database.Failures.Route;
import picocli.CommandLine.Option;

/** Which route is meant; without these options all events of a source. */
final class RouteOptions {

    @Option(names = "--aggregate-type", paramLabel = "TYPE", description = "Only events of aggregates of this type.")
    private String aggregateType = Route.ANY;

    @Option(names = "--event-type", paramLabel = "TYPE", description = "Only events of this type.")
    private String eventType = Route.ANY;

    boolean given() {
        return !whole(route());
    }

    Route route() {
        return new Route(aggregateType, eventType);
    }

    static boolean whole(Route route) {
        return route.equals(new Route(Route.ANY, Route.ANY));
    }

    /** What a person calls a route. */
    static String name(Route route) {
        if (whole(route)) {
            return "the whole source";
        }
        String events = route.eventType().equals(Route.ANY) ? "all events" : "events " + route.eventType();
        return Words.plain(
                events + (route.aggregateType().equals(Route.ANY) ? "" : " of aggregates " + route.aggregateType()));
    }
}
