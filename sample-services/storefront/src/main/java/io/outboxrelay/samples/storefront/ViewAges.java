package io.outboxrelay.samples.storefront;

import io.outboxrelay.samples.chassis.Freshness;
import java.time.Instant;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * The age of each view, which is that of the oldest of its sources. Read it before the view, so that no answer claims
 * to be newer than its data. A single aggregate may be further behind: a parked one, or one whose lane has no relay for
 * a moment.
 */
@Component
class ViewAges {

    /** A view and its source services. */
    enum Of {
        CUSTOMERS("customers"),
        ORDERS("orders", "products", "customers"),
        PRODUCTS("products"),
        REGIONS("customers", "orders");

        private final Set<String> sources;

        Of(String... sources) {
            this.sources = Set.of(sources);
        }
    }

    private final Freshness freshness;

    ViewAges(Freshness freshness) {
        this.freshness = freshness;
    }

    /**
     * The age of a view.
     *
     * @param asOf time of the newest event of its oldest source; null before the first event of each source
     * @param ageSeconds since then, by the clock of this service's database
     */
    record ViewAge(
            String view, @Nullable Instant asOf, @Nullable Double ageSeconds) {}

    ViewAge of(Of view) {
        return of(view, freshness.ages());
    }

    List<ViewAge> all() {
        List<Freshness.Age> ages = freshness.ages();
        return Arrays.stream(Of.values()).map(view -> of(view, ages)).toList();
    }

    private static ViewAge of(Of view, List<Freshness.Age> ages) {
        String name = view.name().toLowerCase(Locale.ROOT);
        List<Freshness.Age> heard =
                ages.stream().filter(age -> view.sources.contains(age.source())).toList();
        if (heard.size() < view.sources.size()) {
            return new ViewAge(name, null, null);
        }
        Freshness.Age oldest = heard.stream()
                .max(Comparator.comparingDouble(Freshness.Age::ageSeconds))
                .orElseThrow();
        return new ViewAge(name, oldest.asOf(), oldest.ageSeconds());
    }
}
