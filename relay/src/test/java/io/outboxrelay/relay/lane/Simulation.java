package io.outboxrelay.relay.lane;

import static java.util.Comparator.comparingLong;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toMap;
import static java.util.stream.Collectors.toSet;

import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import io.outboxrelay.relay.lane.FailurePolicy.OnPark;
import io.outboxrelay.relay.lane.FailurePolicy.Unroutable;
import io.outboxrelay.relay.lane.Lane.LaneSettings;
import io.outboxrelay.relay.lane.LaneStore.Incarnation;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.lane.Replay.ReplaySettings;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.LongStream;

/**
 * One lane, two relays that share it, writers and a broker, in one thread, with every choice made by a seed. The relays
 * run the real {@link Lane}, {@link Lease} and {@link WriterWatch}; the database and the broker are simulated. Whenever
 * a relay calls one of them, other things may happen first: transactions begin, commit late or roll back; the broker
 * answers, answers late, loses its answer, returns or refuses; connections break; the database fails before or after it
 * has carried out a request; the relay crashes, or is frozen while the other one takes over and works.
 */
final class Simulation {

    private static final Duration LEASE = Duration.ofSeconds(10);
    private static final Duration CONFIRM_DEADLINE = Duration.ofSeconds(3);
    private static final int AGGREGATES = 5;
    private static final int EVENTFUL_STEPS = 80;
    private static final int CALM_STEPS = 3_000;
    private static final int MOST_WRITTEN = 120;
    private static final ByRoute<Boolean> PAID_IS_PAUSED =
            new ByRoute<>(false, List.of(new ByRoute.Rule<>(ByRoute.ANY, "paid", true)));

    private final Random random;
    private final LaneSettings settings;
    private final FailurePolicy policy;
    private final boolean continues;
    private final boolean retains;
    private final Database database = new Database();
    private final Broker broker = new Broker();
    private final List<Relay> relays = List.of(new Relay("red"), new Relay("blue"));
    private final List<String> history = new ArrayList<>();
    private final double trouble;
    /**
     * Whether there is a gate for schemas in front of the broker: in some histories, so that the others stay what they
     * were.
     */
    private final boolean gated;

    /**
     * Whether a queue may be down for long, and an event is given time: in some histories, so that the others stay what
     * they were.
     */
    private final boolean patient;

    /** Whether the clock of the database's host is set now and then, so that two relays may trust the same lane. */
    private final boolean clockSteps;

    private long now = 1;
    private boolean calm;
    private boolean otherRuns;
    private boolean mended;

    Simulation(long seed) {
        retains = seed % 2 == 0;
        random = new Random(seed);
        gated = seed % 3 == 0;
        patient = seed % 5 < 2;
        clockSteps = seed % 5 == 0;
        trouble = random.nextDouble() * 0.15;
        settings = new LaneSettings(
                1 + random.nextInt(10),
                1 + random.nextInt(500),
                1 + random.nextInt(4),
                1 + random.nextInt(8),
                1 + random.nextInt(300),
                1_000,
                CONFIRM_DEADLINE);
        continues = random.nextInt(3) == 0;
        policy = new FailurePolicy(
                1 + random.nextInt(3),
                patient ? Duration.ofSeconds(random.nextInt(5)) : Duration.ZERO,
                patient && random.nextInt(4) > 0,
                Duration.ofMillis(200),
                Duration.ofSeconds(2),
                ByRoute.always(continues ? OnPark.CONTINUE : OnPark.BLOCK),
                ByRoute.always(Unroutable.PARK));
    }

    /** What a history came to. */
    record Result(int published, int duplicates, Map<String, Long> faults) {}

    /** The relay's process has ended, at whatever it was doing. */
    private static final class Crash extends Error {
        private static final long serialVersionUID = 1;

        Crash() {
            super("crash", null, false, false);
        }
    }

    private static final class DatabaseAway extends RuntimeException {
        private static final long serialVersionUID = 1;

        DatabaseAway() {
            super("the database does not answer", null, false, false);
        }
    }

    /** Runs a history to its end and checks what came of it. */
    Result run() {
        for (int i = 0; i < EVENTFUL_STEPS; i++) {
            pick(relays).step();
            writersGoOn();
            peopleGoOn();
            passTime(Duration.ofMillis(random.nextInt(500)));
        }
        calm = true;
        broker.blocked = false;
        database.pauses = ByRoute.always(false);
        database.finishAll();
        for (int i = 0; i < CALM_STEPS && !database.isEmpty(); i++) {
            pick(relays).step();
            database.failures.retry(row -> row.nextAttemptAt == FailureTable.NEVER, now);
            passTime(Duration.ofMillis(random.nextInt(500)));
        }
        check();
        int published = broker.delivered.size();
        if (retains) {
            replay();
        }
        return new Result(
                database.committed.size(),
                published - database.committed.size(),
                history.stream().collect(groupingBy(Function.identity(), java.util.stream.Collectors.counting())));
    }

    private void check() {
        require(database.rows.isEmpty(), "left in the outbox for ever: " + database.rows.values());
        require(
                database.failures.rows.isEmpty(),
                "left among the failures for ever: " + database.failures.rows.keySet());
        Set<UUID> delivered = broker.delivered.stream().map(Event::id).collect(toSet());
        Set<UUID> missing = new HashSet<>(database.committed);
        require(missing.containsAll(delivered), "something was delivered that was never committed");
        missing.removeAll(delivered);
        require(database.discarded.containsAll(missing), "something was committed and not delivered");
        Map<Aggregate, Long> last = new LinkedHashMap<>();
        Set<UUID> seen = new HashSet<>();
        for (Event event : broker.delivered) {
            if (seen.add(event.id())) {
                if (continues && database.everParked.contains(event.id())) {
                    continue; // the policy is that others may overtake it
                }
                Long before = last.put(event.aggregate(), event.position());
                require(before == null || before < event.position(), event + " was first delivered after " + before);
            }
        }
    }

    /** Replays all published events under the same faults; continues the replay whenever it ends too early. */
    private void replay() {
        checkOrder(database.archive, "was retained");
        broker.delivered.clear();
        broker.channels.clear();
        calm = false;
        long[] reached = {0};
        for (boolean done = false; !done; mended |= chance(0.3)) {
            SimulatedPublisher publisher = new SimulatedPublisher(null);
            Replay replay = new Replay(this::archived, publisher, () -> ++now, replaySettings(), new Replay.Listener() {
                @Override
                public void reached(long events, long last) {
                    reached[0] = last;
                }

                @Override
                public void skipped(Event event, String why) {
                    throw new AssertionError(event + " is skipped: " + why);
                }
            });
            try {
                Replay.Result result = replay.run(reached[0]);
                done = result.stopped() == null;
                reached[0] = result.last();
                noted(done ? "replayed" : "replay stopped by an event");
            } catch (Crash | InterruptedException e) {
                noted("replay killed");
            }
            publisher.loseConnection();
        }
        Set<UUID> again = broker.delivered.stream().map(Event::id).collect(toSet());
        require(
                again.equals(database.archive.stream().map(Event::id).collect(toSet())),
                "not everything that was published was replayed");
        checkOrder(broker.delivered, "was replayed");
    }

    private ReplaySettings replaySettings() {
        return new ReplaySettings(
                100,
                settings.windowEvents(),
                settings.windowBytes(),
                CONFIRM_DEADLINE,
                Duration.ofSeconds(1),
                (event, failure) -> false,
                false);
    }

    private List<Event> archived(long after) {
        return LongStream.rangeClosed(after + 1, Math.min(database.archive.size(), after + settings.batchEvents()))
                .mapToObj(place -> atPlace(place, database.archive.get((int) place - 1)))
                .toList();
    }

    private static Event atPlace(long place, Event event) {
        return new Event(
                event.lane(),
                place,
                event.id(),
                event.aggregate(),
                event.type(),
                event.payloadBytes(),
                event.payload(),
                event.contentType(),
                event.headers(),
                event.occurredAt(),
                null);
    }

    /** Ids follow the order of writing, places do not. */
    private void checkOrder(List<Event> events, String what) {
        Map<Aggregate, Long> last = new HashMap<>();
        Set<UUID> seen = new HashSet<>();
        for (Event event : events) {
            if (seen.add(event.id()) && !(continues && database.everParked.contains(event.id()))) {
                long written = event.id().getLeastSignificantBits();
                Long before = last.put(event.aggregate(), written);
                require(before == null || before < written, event + " " + what + " after " + before);
            }
        }
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new AssertionError(otherwise);
        }
    }

    /** What else happens while a relay waits for an answer of the database or of the broker. */
    private void worldGoesOn(Relay relay) {
        if (relay != null) {
            writersGoOn();
        }
        broker.goOn();
        passTime(Duration.ofMillis(random.nextInt(200)));
        if (relay == null) {
            replayMeetsFaults();
            return;
        }
        if (calm) {
            relay.housekeeping();
            return;
        }
        if (chance(0.3)) {
            relay.housekeeping();
        }
        if (chance(trouble / 10)) {
            noted("crash");
            throw new Crash();
        }
        if (chance(trouble / 4)) {
            noted("connection lost");
            relay.publisher.loseConnection();
        }
        if (chance(trouble / 4) && !relay.publisher.apart) {
            noted("connection closed because of another lane");
            relay.publisher.isClosed(Reason.CLOSES_CONNECTION);
        }
        if (chance(trouble / 4)) {
            broker.blocked = !broker.blocked;
        }
        if (clockSteps && chance(trouble / 10)) {
            noted("clock of the database set");
            database.clockOffset = Duration.ofSeconds(random.nextInt(120) - 60).toNanos();
        }
        if (chance(database.onDisk != null ? trouble / 2 : trouble / 20)) {
            database.crash();
        }
        if (chance(trouble / 6) && !otherRuns) {
            freeze(relay);
        }
    }

    private void replayMeetsFaults() {
        if (chance(trouble / 10)) {
            throw new Crash();
        }
        if (chance(trouble / 4)) {
            broker.channels.stream()
                    .filter(channel -> channel.publisher != null)
                    .toList()
                    .forEach(channel -> channel.publisher.loseConnection());
        }
        if (chance(trouble / 4) || broker.blocked) {
            broker.blocked = !broker.blocked;
        }
    }

    /** Freezes the relay, for longer or shorter than its lease, while the other one continues. */
    private void freeze(Relay frozen) {
        noted("freeze");
        otherRuns = true;
        Relay other = relays.get(1 - relays.indexOf(frozen));
        for (int i = random.nextInt(20); i > 0; i--) {
            passTime(Duration.ofMillis(random.nextInt(3_000)));
            other.step();
        }
        otherRuns = false;
    }

    /** People retry and discard parked events, pause and resume. */
    private void peopleGoOn() {
        if (chance(0.05)) {
            noted("pause or resume by a person");
            database.pauses = pick(List.of(ByRoute.always(false), ByRoute.always(true), PAID_IS_PAUSED));
        }
        List<FailureTable.Row> parked = database.failures.rows.values().stream()
                .filter(row -> row.state == FailureTable.State.PARKED)
                .toList();
        if (!parked.isEmpty() && chance(0.1)) {
            noted("retry by a person");
            boolean all = random.nextBoolean();
            FailureTable.Row one = pick(parked);
            database.failures.retry(row -> all || row == one, now);
            database.flushed();
        } else if (!parked.isEmpty() && chance(0.02)) {
            noted("discard by a person");
            FailureTable.Row one = pick(parked);
            database.discarded.add(one.event.id());
            database.failures.discard(one, now);
            database.flushed();
        }
    }

    private void writersGoOn() {
        for (int i = random.nextInt(3); i > 0 && !calm; i--) {
            database.writerGoesOn();
        }
    }

    private void passTime(Duration duration) {
        now += duration.toNanos();
    }

    private boolean chance(double probability) {
        return !calm && random.nextDouble() < probability;
    }

    private <T> T pick(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private void noted(String fault) {
        history.add(fault);
    }

    /** One relay's process: a crash loses its memory. */
    private final class Relay {

        private final String name;
        private WriterWatch watch = new WriterWatch();
        private SimulatedPublisher publisher;
        private Lease lease;
        private Lane lane;
        private int publishedWithoutTrust;
        private ByRoute<Boolean> seenPauses;

        Relay(String name) {
            this.name = name;
            this.publisher = new SimulatedPublisher(this);
        }

        void step() {
            try {
                housekeeping();
                if (lane == null) {
                    acquire();
                } else {
                    runLane(lane);
                }
            } catch (Crash e) {
                forgetEverything();
            }
        }

        private void runLane(Lane running) {
            try {
                if (chance(0.03)) {
                    noted("handover");
                    running.drain();
                    try {
                        running.cycle();
                    } finally {
                        release();
                    }
                } else {
                    running.cycle();
                }
            } catch (DatabaseAway e) {
                noted("database away");
            } catch (InterruptedException e) {
                noted("interrupted");
                release();
            }
        }

        void housekeeping() {
            watch.look(database.incarnation(), database.sequence, database.openWriters(), now);
            seenPauses = database.pauses;
            if (lease != null) {
                renew(lease);
            }
        }

        private void renew(Lease held) {
            long requestedAt = now;
            if (chance(trouble / 4)) {
                return; // the database did not answer in time
            }
            if (database.isOwnedBy(held.owned())) {
                database.lease();
                database.flushed();
                held.renewed(requestedAt, LEASE);
                publishedWithoutTrust = 0;
            } else {
                noted("lease lost");
                held.lost(now);
                if (lane != null) {
                    lane.drain();
                }
                lease = null;
                lane = null;
            }
        }

        private void acquire() {
            if (database.isFree()) {
                database.epoch++;
                // A process of this name may have had the epoch before, in a life of the server that has forgotten it.
                database.owner = new OwnedLane(0, name + "#" + random.nextLong(), database.epoch);
                database.lease();
                database.flushed();
                lease = new Lease("orders", database.owner, now, LEASE);
                publishedWithoutTrust = 0;
                lane = new Lane(
                        lease,
                        new Store(this),
                        publisher,
                        () -> ++now,
                        settings,
                        policy,
                        new Drops(() -> now),
                        () -> seenPauses,
                        random);
            }
        }

        private void release() {
            if (lease != null && database.isOwnedBy(lease.owned())) {
                database.owner = null;
                database.flushed();
            }
            forgetEverything();
        }

        private void forgetEverything() {
            publisher.loseConnection();
            publisher = new SimulatedPublisher(this);
            watch = new WriterWatch();
            seenPauses = null;
            lease = null;
            lane = null;
        }
    }

    /** The outbox: visible rows, open transactions, and the owner of the lane. */
    private final class Database {

        private final TreeMap<Long, Event> rows = new TreeMap<>();
        private final FailureTable failures = new FailureTable();
        private final List<Event> archive = new ArrayList<>();
        private ByRoute<Boolean> pauses = ByRoute.always(false);
        private final Set<UUID> everParked = new HashSet<>();
        private final Set<UUID> discarded = new HashSet<>();
        private final List<Transaction> open = new ArrayList<>();
        private final List<UUID> committed = new ArrayList<>();
        private long sequence;
        private long transactions;
        private int written;
        private OwnedLane owner;
        private long epoch;
        private long leaseFrom;
        private long leaseUntil;
        private long clockOffset;
        private int crashes;
        /** The state on the disk, if later commits did not wait for it; null if the disk has everything. */
        private Saved onDisk;

        private record Saved(
                TreeMap<Long, Event> rows,
                FailureTable failures,
                List<Event> archive,
                long sequence,
                OwnedLane owner,
                long epoch,
                long leaseFrom,
                long leaseUntil) {}

        private record Transaction(String name, Aggregate aggregate, List<Event> events) {}

        void lease() {
            leaseFrom = now + clockOffset;
            leaseUntil = leaseFrom + LEASE.toNanos();
        }

        boolean isFree() {
            long clock = now + clockOffset;
            return owner == null || leaseUntil < clock || leaseFrom > clock + LEASE.toNanos();
        }

        boolean isOwnedBy(OwnedLane owned) {
            return owned.equals(owner);
        }

        Incarnation incarnation() {
            return new Incarnation("life " + crashes);
        }

        boolean isEmpty() {
            return rows.isEmpty() && failures.rows.isEmpty();
        }

        void writerGoesOn() {
            int choice = random.nextInt(4);
            if (choice == 0 || open.isEmpty()) {
                begin(new Aggregate("order", "" + random.nextInt(AGGREGATES)));
            } else {
                Transaction transaction = pick(open);
                if (choice == 1) {
                    insert(transaction);
                } else if (random.nextInt(3) == 0) {
                    end(transaction, random.nextInt(4) > 0);
                }
            }
        }

        /** Writers of one aggregate wait for each other. */
        private void begin(Aggregate aggregate) {
            if (written < MOST_WRITTEN && open.stream().noneMatch(t -> t.aggregate.equals(aggregate))) {
                Transaction transaction = new Transaction("t" + ++transactions, aggregate, new ArrayList<>());
                open.add(transaction);
                if (random.nextBoolean()) {
                    insert(transaction);
                }
            }
        }

        private void insert(Transaction transaction) {
            written++;
            int size = random.nextInt(100);
            transaction.events.add(new Event(
                    0,
                    ++sequence,
                    new UUID(0, sequence),
                    transaction.aggregate,
                    random.nextInt(4) == 0 ? "paid" : "placed",
                    size,
                    new byte[0],
                    "text/plain",
                    "{}",
                    Instant.EPOCH,
                    null));
        }

        private void end(Transaction transaction, boolean commit) {
            open.remove(transaction);
            if (!commit && !transaction.events.isEmpty()) {
                noted("rollback");
            }
            if (commit) {
                if (transaction.events.stream().anyMatch(broker::hasLaterThan)) {
                    noted("late commit");
                }
                transaction.events.forEach(event -> {
                    rows.put(event.position(), event);
                    committed.add(event.id());
                });
                flushed();
            }
        }

        /** A commit that has reached the disk, and with it every earlier one. */
        void flushed() {
            onDisk = null;
        }

        /** Something is about to be committed that does not wait for the disk. */
        void beforeUnflushed() {
            if (onDisk == null) {
                onDisk = new Saved(
                        new TreeMap<>(rows),
                        failures.copy(),
                        List.copyOf(archive),
                        sequence,
                        owner,
                        epoch,
                        leaseFrom,
                        leaseUntil);
            }
        }

        /** The server is killed and starts again: the last commits may be gone that did not wait for the disk. */
        void crash() {
            if (onDisk != null && random.nextInt(4) > 0) {
                noted("database crash that loses commits");
                restore(onDisk);
            } else {
                noted("database crash");
            }
            open.clear();
            crashes++;
            flushed();
        }

        private void restore(Saved saved) {
            rows.clear();
            rows.putAll(saved.rows);
            failures.restore(saved.failures);
            archive.clear();
            archive.addAll(saved.archive);
            sequence = saved.sequence;
            owner = saved.owner;
            epoch = saved.epoch;
            leaseFrom = saved.leaseFrom;
            leaseUntil = saved.leaseUntil;
        }

        void finishAll() {
            List.copyOf(open).forEach(transaction -> end(transaction, true));
        }

        Map<String, WriterWatch.Writer> openWriters() {
            return open.stream()
                    .collect(toMap(Transaction::name, t -> new WriterWatch.Writer(t.name, "someone", Duration.ZERO)));
        }
    }

    private final class Store implements LaneStore {

        private final Relay relay;

        Store(Relay relay) {
            this.relay = relay;
        }

        @Override
        public Optional<Claimed> claim(Claim claim) {
            worldGoesOn(relay);
            perhapsAway();
            if (!database.isOwnedBy(claim.owned())) {
                noted("claim without the lane");
                return Optional.empty();
            }
            Incarnation incarnation = database.incarnation();
            List<Event> events = new ArrayList<>();
            long bytes = 0;
            for (Event event : database.rows.tailMap(claim.above(), false).values()) {
                if (claim.without().contains(event.aggregate())) {
                    continue;
                }
                if (events.size() == claim.events() || bytes >= claim.bytes()) {
                    return answered(new Claimed(incarnation, events, false));
                }
                events.add(event);
                bytes += event.payloadBytes();
            }
            return answered(new Claimed(incarnation, events, events.size() < claim.events() && bytes < claim.bytes()));
        }

        /** The answer is delayed: it may be outdated when it arrives. */
        private Optional<Claimed> answered(Claimed claimed) {
            worldGoesOn(relay);
            return Optional.of(claimed);
        }

        @Override
        public int settle(OwnedLane owned, Incarnation incarnation, List<Event> events) {
            worldGoesOn(relay);
            perhapsAway();
            require(
                    events.stream().allMatch(broker.delivered::contains),
                    "an event is deleted that the broker does not have");
            if (retains && !(database.isOwnedBy(owned) && database.incarnation().continues(incarnation))) {
                noted("settling left to the next owner");
                return 0;
            }
            List<Event> settled = database.rows.values().stream()
                    .filter(new HashSet<>(events)::contains)
                    .toList();
            database.beforeUnflushed();
            database.rows.values().removeAll(settled);
            database.archive.addAll(settled);
            perhapsAway();
            worldGoesOn(relay);
            return settled.size();
        }

        @Override
        public List<Event> due(Due due) {
            worldGoesOn(relay);
            perhapsAway();
            List<Event> events = database.failures.due(due, now);
            worldGoesOn(relay);
            return events;
        }

        @Override
        public Optional<Blocked> blocked(OwnedLane owned) {
            worldGoesOn(relay);
            perhapsAway();
            return database.isOwnedBy(owned)
                    ? Optional.of(new Blocked(database.incarnation(), database.failures.blocked()))
                    : Optional.empty();
        }

        @Override
        public int resume(OwnedLane owned) {
            worldGoesOn(relay);
            perhapsAway();
            if (!database.isOwnedBy(owned)) {
                return 0;
            }
            int resumed = database.failures.resume(event -> !database.pauses.of(event), now);
            database.flushed();
            return resumed;
        }

        @Override
        public Optional<Set<Aggregate>> keep(OwnedLane owned, Incarnation incarnation, Changes changes) {
            worldGoesOn(relay);
            perhapsAway();
            if (!database.isOwnedBy(owned) || !database.incarnation().continues(incarnation)) {
                noted("keep without the lane");
                return Optional.empty();
            }
            changes.published()
                    .forEach(event -> require(broker.has(event), "a failure is deleted that the broker does not have"));
            changes.failed().forEach(this::check);
            changes.published().stream()
                    .filter(event ->
                            database.failures.rows.containsKey(event.kept().id()))
                    .sorted(comparingLong(event -> event.kept().id()))
                    .forEach(database.archive::add);
            Set<Aggregate> free =
                    database.failures.keep(changes, now, event -> database.rows.remove(event.position(), event));
            database.flushed();
            if (!changes.followers().isEmpty()) {
                noted("moved behind a failure");
            }
            perhapsAway();
            worldGoesOn(relay);
            return Optional.of(free);
        }

        private void check(Failed failed) {
            Event event = failed.event();
            require(
                    failed.attempts()
                                    <= broker.returns.getOrDefault(event.id(), 0)
                                            + (isPoison(event) || gated && isUnregistered(event) ? 1 : 0)
                            || failed.reason() == Reason.CLOSES_CHANNEL
                            || failed.reason() == Reason.CLOSES_CONNECTION,
                    event + " has spent an attempt that the broker knows nothing of");
            require(
                    failed.reason() != Reason.CLOSES_CHANNEL || isKiller(event),
                    event + " is wrongly said to close its channel");
            require(
                    failed.reason() != Reason.CLOSES_CONNECTION || closesConnection(event),
                    event + " is wrongly said to close the connection");
            require(
                    failed.state() != FailurePolicy.State.PARKED
                            || !failed.returned()
                            || now - broker.returnedSince.get(event.id())
                                    >= policy.parkAfter().toNanos(),
                    event + " is parked before its time");
            if (event.kept() != null && event.kept().parked()) {
                noted("parked and tried on");
            }
            if (failed.state() == FailurePolicy.State.PAUSED) {
                noted("held by a pause");
            }
            if (failed.state() == FailurePolicy.State.PARKED) {
                noted("parked");
                database.everParked.add(event.id());
            }
        }

        @Override
        public Closed closed() {
            return relay.watch.closed();
        }

        private void perhapsAway() {
            if (chance(trouble / 3)) {
                throw new DatabaseAway();
            }
        }
    }

    /** Takes messages in the order of their channel; those of a channel that is gone may still arrive later. */
    private final class Broker {

        private final List<Event> delivered = new ArrayList<>();
        private final Map<UUID, Integer> returns = new HashMap<>();
        private final Map<UUID, Long> returnedSince = new HashMap<>();
        private long queueIsDownUntil;
        private final List<Channel> channels = new ArrayList<>();
        private boolean blocked;

        void goOn() {
            for (int i = random.nextInt(4); i > 0 && !channels.isEmpty() && !blocked; i--) {
                Channel channel = pick(channels);
                if (channel.publisher == null && random.nextInt(4) == 0) {
                    channels.remove(channel); // what was on its way is lost with the connection
                } else if (!channel.sent.isEmpty()) {
                    take(channel);
                }
            }
        }

        boolean hasLaterThan(Event event) {
            return delivered.stream().anyMatch(other -> other.position() > event.position());
        }

        boolean has(Event event) {
            return delivered.stream().anyMatch(other -> other.id().equals(event.id()));
        }

        private void take(Channel channel) {
            Event event = channel.sent.remove();
            Outcome outcome = Outcome.CONFIRMED;
            if (!calm && !mended && (isKiller(event) || closesConnection(event))) {
                boolean whole = closesConnection(event);
                noted(whole ? "connection closed by the broker" : "channel closed by the broker");
                if (channel.publisher != null) {
                    channel.publisher.isClosed(whole ? Reason.CLOSES_CONNECTION : Reason.CLOSES_CHANNEL);
                }
                channels.remove(channel);
                return;
            }
            if (patient && chance(trouble / 4)) {
                noted("queue down");
                queueIsDownUntil = now + Duration.ofSeconds(random.nextInt(20)).toNanos();
            }
            if (!calm && now < queueIsDownUntil || chance(trouble)) {
                noted("returned");
                returns.merge(event.id(), 1, Integer::sum);
                returnedSince.putIfAbsent(event.id(), now);
                outcome = new Outcome.Returned(Reason.UNROUTABLE, "no queue");
            } else if (chance(trouble)) {
                noted("nacked");
                outcome = new Outcome.Nacked("queue full");
            } else {
                delivered.add(event);
            }
            if (chance(trouble / 2)) {
                noted("confirm lost");
            } else if (channel.publisher != null) {
                channel.publisher.arrives(event, outcome);
            }
        }
    }

    private static final class Channel {

        private final Deque<Event> sent = new ArrayDeque<>();
        private SimulatedPublisher publisher;
        private boolean forgotten;

        Channel(SimulatedPublisher publisher) {
            this.publisher = publisher;
        }
    }

    private final class SimulatedPublisher implements Publisher {

        private final Relay relay;
        private final List<Event> outstanding = new ArrayList<>();
        private final List<Answer> arrived = new ArrayList<>();
        private Channel channel;
        private boolean apart;

        SimulatedPublisher(Relay relay) {
            this.relay = relay;
        }

        @Override
        public boolean ready() {
            if (channel == null && !chance(0.5)) {
                channel = new Channel(this);
                broker.channels.add(channel);
            }
            return channel != null && !broker.blocked;
        }

        @Override
        public void publish(Event event) {
            if (relay == null) {
                noted("sent again");
            } else if (relay.lease != null && relay.lease.trusted(now)) {
                require(
                        clockSteps || database.isOwnedBy(relay.lease.owned()),
                        relay.name + " trusts a lease that it does not have");
            } else {
                require(
                        ++relay.publishedWithoutTrust <= settings.windowEvents(),
                        relay.name + " publishes more than a window without trusting its lease");
            }
            require(
                    outstanding.stream().noneMatch(other -> other.aggregate().equals(event.aggregate())),
                    "two events of one aggregate are in flight");
            require(outstanding.size() < settings.windowEvents(), "the window is too full");
            outstanding.add(event);
            if (!calm && !mended && isPoison(event)) {
                noted("refused");
                arrives(event, new Outcome.Refused(Reason.NOT_ENCODABLE, "poison"));
            } else if (gated && !calm && !mended && isUnregistered(event)) {
                noted("schema unknown");
                arrives(event, new Outcome.Refused(Reason.SCHEMA_UNKNOWN, "no such version"));
            } else if (gated && !calm && chance(trouble / 2)) {
                noted("schema unchecked");
                arrives(event, new Outcome.Nacked(Reason.SCHEMA_UNCHECKED, "the registry is away"));
            } else if (channel == null) {
                arrives(event, new Outcome.Unconfirmed("no channel"));
            } else {
                channel.sent.add(event);
            }
            worldGoesOn(relay);
        }

        @Override
        public void flush() {
            // everything is sent at once
        }

        @Override
        public List<Answer> answers(Duration atMost) throws InterruptedException {
            worldGoesOn(relay);
            if (chance(trouble / 20)) {
                throw new InterruptedException();
            }
            if (arrived.isEmpty()
                    && (calm && broker.channels.stream().allMatch(c -> c.sent.isEmpty()) || chance(0.2))) {
                passTime(atMost);
            }
            List<Answer> some = new ArrayList<>(arrived.subList(0, random.nextInt(arrived.size() + 1)));
            arrived.subList(0, some.size()).clear();
            return some;
        }

        @Override
        public void forget(Event event) {
            noted("deadline");
            if (channel != null) {
                channel.forgotten = true;
            }
            outstanding.remove(event);
            arrived.removeIf(answer -> answer.event() == event);
        }

        void arrives(Event event, Outcome outcome) {
            if (outstanding.remove(event)) {
                arrived.add(new Answer(event, outcome));
            }
        }

        @Override
        public void apart(boolean alone) {
            require(outstanding.isEmpty(), "another connection is taken while events are in flight");
            if (alone != apart) {
                loseConnection();
                apart = alone;
            }
        }

        /** By the broker: because of something that this publisher has sent, or another on the same connection. */
        void isClosed(Reason suspected) {
            loseChannel(new Outcome.Unconfirmed("closed", channel == null || channel.forgotten ? null : suspected));
        }

        void loseConnection() {
            loseChannel(new Outcome.Unconfirmed("connection lost"));
        }

        void loseChannel(Outcome outcome) {
            if (channel != null) {
                channel.publisher = null;
                channel = null;
            }
            List.copyOf(outstanding).forEach(event -> arrives(event, outcome));
        }
    }

    /** An event that the relay cannot encode as a message until it is repaired. */
    private static boolean isPoison(Event event) {
        return event.id().getLeastSignificantBits() % 37 == 11;
    }

    /** An event whose schema is unknown to the gate until it is registered. */
    private static boolean isUnregistered(Event event) {
        return event.position() % 43 == 23;
    }

    /** An event that makes the broker close the channel until it is repaired. */
    private static boolean isKiller(Event event) {
        return event.id().getLeastSignificantBits() % 41 == 17;
    }

    /** An event that makes the broker close the connection, which other lanes share, until it is repaired. */
    private static boolean closesConnection(Event event) {
        return event.id().getLeastSignificantBits() % 43 == 7;
    }

    /** Faults that happened so far, for the message about a failure. */
    Collection<String> history() {
        return history;
    }
}
