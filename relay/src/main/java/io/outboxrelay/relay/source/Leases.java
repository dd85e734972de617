package io.outboxrelay.relay.source;

import io.outboxrelay.relay.database.DatabaseMessage;
import io.outboxrelay.relay.database.OutboxStore;
import io.outboxrelay.relay.database.OutboxStore.Members;
import io.outboxrelay.relay.lane.Count;
import io.outboxrelay.relay.lane.Help;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.lane.Lease;
import io.outboxrelay.relay.lane.LogKeys;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shares the lanes with the other relays of this outbox. Every heartbeat renews this relay's leases, stops lanes that
 * another relay has taken, notes that this relay is alive, hands over lanes above the fair share, and takes free lanes.
 *
 * <p>A lane's own thread releases it after its last cycle, so no event of it is in flight when the next owner begins.
 * All else runs on the thread of the heartbeat.
 */
final class Leases {

    private static final Logger LOG = LoggerFactory.getLogger(Leases.class);

    private final String source;
    private final String owner;
    private final OutboxStore outbox;
    private final Duration duration;
    private final Function<Lease, LaneRunner> starter;
    private final Map<Integer, LaneRunner> owned = new ConcurrentHashMap<>();
    private volatile boolean draining;

    /**
     * @param source name of the source
     * @param owner name of this process, which no other has
     * @param outbox the source's outbox
     * @param duration of a lease
     * @param starter starts to run a lane that was taken
     */
    Leases(String source, String owner, OutboxStore outbox, Duration duration, Function<Lease, LaneRunner> starter) {
        this.source = source;
        this.owner = owner;
        this.outbox = outbox;
        this.duration = duration;
        this.starter = starter;
    }

    /** The lanes that this relay owns, by number. */
    Map<Integer, LaneRunner> owned() {
        return owned;
    }

    /** Returns the floor of each owned lane after its last cycle. */
    Map<Integer, Long> floors() {
        return owned.entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, lane -> lane.getValue().floor()));
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
        Members members = outbox.heartbeat(owner, duration);
        int share = (members.lanes() + members.relays() - 1) / members.relays();
        List<LaneRunner> kept =
                owned.values().stream().filter(lane -> !lane.isStopping()).toList();
        kept.stream().skip(share).forEach(lane -> {
            LOG.atInfo()
                    .addKeyValue(LogKeys.LANE, lane.lease().lane())
                    .log(
                            "Source {}: handing over lane {}, because {} now share {}",
                            source,
                            lane.lease().lane(),
                            Count.of(members.relays(), "relay"),
                            Count.of(members.lanes(), "lane"));
            lane.stop();
        });
        int missing = share - owned.size();
        if (missing > 0) {
            acquire(missing);
        }
    }

    /** Releases every lane after its current cycle; the next heartbeat takes lanes again, with nothing remembered. */
    void beginAnew() {
        beginAnew(owned.keySet());
    }

    /** Releases some lanes after their current cycle; the next heartbeat takes lanes again, with nothing remembered. */
    void beginAnew(Set<Integer> lanes) {
        owned.values().stream()
                .filter(lane -> lanes.contains(lane.lease().lane()))
                .forEach(LaneRunner::stop);
    }

    /** Lets every lane run a cycle: something has changed that concerns them all. */
    void callLanes() {
        owned.values().forEach(LaneRunner::call);
    }

    /** Releases a lane whose runner has ended. Called by the lane's thread. */
    void ended(LaneRunner lane) {
        Lease lease = lane.lease();
        owned.remove(lease.lane(), lane);
        if (lease.trusted(System.nanoTime())) {
            try {
                outbox.release(lease.owned());
            } catch (RuntimeException e) {
                LOG.atWarn()
                        .addMarker(Help.LANE_NOT_RELEASED)
                        .addKeyValue(LogKeys.LANE, lease.lane())
                        .log(
                                "Source {}: lane {} could not be released; another relay takes it when its lease"
                                        + " ends: {}",
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
        Set<OwnedLane> renewed = Set.copyOf(outbox.renew(owner, owned.keySet(), duration));
        Set<OwnedLane> ours =
                renewed.size() == owned.size() ? renewed : Set.copyOf(outbox.owned(owner, owned.keySet()));
        for (LaneRunner lane : List.copyOf(owned.values())) {
            Lease lease = lane.lease();
            if (renewed.contains(lease.owned())) {
                lease.renewed(requestedAt, duration);
            } else if (!ours.contains(lease.owned()) && owned.get(lease.lane()) == lane) {
                LOG.atWarn()
                        .addMarker(Help.LANE_TAKEN)
                        .addKeyValue(LogKeys.LANE, lease.lane())
                        .log("Source {}: lane {} is owned by another relay now", source, lease.lane());
                lease.lost(System.nanoTime());
                lane.stop();
            }
        }
    }

    private void acquire(int most) {
        long requestedAt = System.nanoTime();
        for (OwnedLane lane : outbox.acquire(owner, most, duration)) {
            run(lane, requestedAt);
        }
    }

    private synchronized void run(OwnedLane lane, long requestedAt) {
        if (draining) {
            outbox.release(lane);
            return;
        }
        LOG.atInfo()
                .addKeyValue(LogKeys.LANE, lane.lane())
                .log("Source {}: took lane {} (epoch {})", source, lane.lane(), lane.epoch());
        LaneRunner runner = starter.apply(new Lease(source, lane, requestedAt, duration));
        LaneRunner before = owned.put(lane.lane(), runner);
        if (before != null) {
            // Lost and won again before its thread has ended: the old runner has no trust and publishes nothing.
            before.stop();
        }
        runner.start();
    }

    /** Takes no more lanes, and ends the running ones after their current cycle. They are renewed until then. */
    synchronized void drain() {
        draining = true;
        owned.values().forEach(LaneRunner::stop);
    }
}
