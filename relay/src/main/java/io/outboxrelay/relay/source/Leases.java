package io.outboxrelay.relay.source;

import io.outboxrelay.relay.database.DatabaseMessage;
import io.outboxrelay.relay.database.OutboxStore;
import io.outboxrelay.relay.database.OutboxStore.OwnedLane;
import io.outboxrelay.relay.lane.Lease;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shares the lanes with the other relays of this outbox. With every heartbeat: renew this relay's leases, let go of lanes
 * that another one has taken, say that it is alive, hand over what is above the fair share, take what is free.
 *
 * <p>A lane is released by its own thread, after its last cycle: so no event of it is in flight when the next owner
 * begins. All else runs on the thread of the heartbeat.
 */
final class Leases {

    private static final Logger LOG = LoggerFactory.getLogger(Leases.class);

    private final String source;
    private final String instance;
    private final OutboxStore outbox;
    private final Duration duration;
    private final Function<Lease, LaneRunner> starter;
    private final Map<Integer, LaneRunner> owned = new ConcurrentHashMap<>();
    private volatile boolean draining;

    /**
     * @param source name of the source
     * @param instance name of this relay
     * @param outbox the source's outbox
     * @param duration of a lease
     * @param starter starts to run a lane that was taken
     */
    Leases(String source, String instance, OutboxStore outbox, Duration duration, Function<Lease, LaneRunner> starter) {
        this.source = source;
        this.instance = instance;
        this.outbox = outbox;
        this.duration = duration;
        this.starter = starter;
    }

    /** The lanes that this relay owns, by number. */
    Map<Integer, LaneRunner> owned() {
        return owned;
    }

    /** Returns which lanes do not move, and why; empty when all do. */
    Optional<String> trouble() {
        List<LaneRunner> still = owned.values().stream()
                .filter(lane -> lane.trouble() != null)
                .sorted(Comparator.comparing(lane -> lane.lease().lane()))
                .toList();
        return still.isEmpty()
                ? Optional.empty()
                : Optional.of("lanes "
                        + still.stream().map(lane -> lane.lease().lane()).toList() + " do not move: "
                        + still.get(0).trouble());
    }

    /** One heartbeat. */
    void beat() {
        renew();
        if (draining) {
            return;
        }
        int relays = outbox.heartbeat(instance, duration);
        int lanes = outbox.numberOfLanes();
        int share = (lanes + relays - 1) / relays;
        List<LaneRunner> kept =
                owned.values().stream().filter(lane -> !lane.isStopping()).toList();
        kept.stream().skip(share).forEach(lane -> {
            LOG.info(
                    "Source {}: handing over lane {}: {} lanes are shared by {} relays",
                    source,
                    lane.lease().lane(),
                    lanes,
                    relays);
            lane.stop();
        });
        int missing = share - owned.size();
        if (missing > 0) {
            acquire(missing);
        }
    }

    /** Gives every lane back after its current cycle; the next heartbeat takes lanes again, with nothing remembered. */
    void beginAnew() {
        owned.values().forEach(LaneRunner::stop);
    }

    /** Gives back a lane whose runner has ended. Called by the lane's thread. */
    void ended(LaneRunner lane) {
        Lease lease = lane.lease();
        owned.remove(lease.lane(), lane);
        if (lease.trusted(System.nanoTime())) {
            try {
                outbox.release(instance, new OwnedLane(lease.lane(), lease.epoch()));
            } catch (RuntimeException e) {
                LOG.warn(
                        "Source {}: lane {} could not be given back; another relay takes it when its lease ends: {}",
                        source,
                        lease.lane(),
                        DatabaseMessage.of(e));
            }
        }
    }

    private void renew() {
        if (owned.isEmpty()) {
            return;
        }
        long requestedAt = System.nanoTime();
        Map<Integer, Long> renewed = epochs(outbox.renew(instance, owned.keySet(), duration));
        Map<Integer, Long> ours =
                renewed.keySet().containsAll(owned.keySet()) ? renewed : epochs(outbox.owned(instance, owned.keySet()));
        for (LaneRunner lane : List.copyOf(owned.values())) {
            Lease lease = lane.lease();
            if (holds(renewed, lease)) {
                lease.renewed(requestedAt, duration);
            } else if (!holds(ours, lease) && owned.get(lease.lane()) == lane) {
                LOG.warn("Source {}: lane {} is owned by another relay now", source, lease.lane());
                lease.lost(System.nanoTime());
                lane.stop();
            }
        }
    }

    private static Map<Integer, Long> epochs(List<OwnedLane> lanes) {
        return lanes.stream().collect(Collectors.toMap(OwnedLane::lane, OwnedLane::epoch));
    }

    private static boolean holds(Map<Integer, Long> epochs, Lease lease) {
        Long epoch = epochs.get(lease.lane());
        return epoch != null && epoch == lease.epoch();
    }

    private void acquire(int most) {
        long requestedAt = System.nanoTime();
        for (OwnedLane lane : outbox.acquire(instance, most, duration)) {
            run(lane, requestedAt);
        }
    }

    private synchronized void run(OwnedLane lane, long requestedAt) {
        if (draining) {
            outbox.release(instance, lane);
            return;
        }
        LOG.info("Source {}: took lane {} (epoch {})", source, lane.lane(), lane.epoch());
        LaneRunner runner = starter.apply(new Lease(source, lane.lane(), lane.epoch(), requestedAt, duration));
        LaneRunner before = owned.put(lane.lane(), runner);
        if (before != null) {
            // Lost and won again before its thread has ended: the old runner has no trust and publishes nothing.
            before.stop();
        }
        runner.start();
    }

    /** Takes no lane any more and ends those that run after their current cycle. They are renewed until then. */
    synchronized void drain() {
        draining = true;
        owned.values().forEach(LaneRunner::stop);
    }
}
