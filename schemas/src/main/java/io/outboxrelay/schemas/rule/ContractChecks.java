package io.outboxrelay.schemas.rule;

import io.outboxrelay.schemas.contract.Compatibility;
import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.contract.ContractFault;
import io.outboxrelay.schemas.contract.ContractVersion;
import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.contract.ContractsException;
import io.outboxrelay.schemas.rule.Finding.Excerpt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/** Looks at contracts as a whole: by themselves, version against version, and against what is released. */
public final class ContractChecks {

    private ContractChecks() {}

    /**
     * Says why contracts could not be read.
     *
     * @param failure what reading them ended with
     * @return a finding for each fault
     */
    public static Report unreadable(ContractsException failure) {
        List<Finding> findings =
                failure.faults().stream().map(ContractChecks::unreadable).toList();
        return new Report(List.of(new Check("the contracts can be read", findings)));
    }

    private static Finding unreadable(ContractFault fault) {
        return Finding.single(Rule.CONTRACT_UNREADABLE, fault.origin(), "the whole", fault.problem());
    }

    /**
     * Makes contracts that cannot be read a finding like others.
     *
     * @param check reads contracts and checks them
     * @return its report, or why they cannot be read
     */
    public static Report report(Supplier<Report> check) {
        try {
            return check.get();
        } catch (ContractsException e) {
            return unreadable(e);
        }
    }

    /**
     * Compares the versions of the contracts in a folder with each other or, if it is known what is released, with
     * that.
     *
     * @param folder the contracts as they are now
     * @param released a folder or jar with the released contracts; null if they are not in one
     * @param revision the git revision in which the folder was as released; null if none is known
     * @return a check for each pair of versions, and for each released contract
     */
    public static Report check(Path folder, @Nullable Path released, @Nullable String revision) {
        Contracts now = Contracts.read(folder);
        if (released != null) {
            return compareWithReleased(now, Contracts.read(released));
        }
        return revision == null
                ? compareVersions(now)
                : compareWithReleased(now, Contracts.readRevision(folder, revision));
    }

    /**
     * Looks at the newest version of each contract by itself.
     *
     * @param contracts all
     * @return a check for each contract
     */
    public static Report validate(Contracts contracts) {
        return new Report(contracts.all().stream()
                .map(Contract::newest)
                .map(newest -> new Check(newest + " is well described", Description.findings(newest)))
                .toList());
    }

    /**
     * Compares the versions of each contract with those before, as its compatibility demands: with the one before or,
     * where it is transitive, with all.
     *
     * @param contracts all
     * @return a check for each pair of versions
     */
    public static Report compareVersions(Contracts contracts) {
        List<Check> checks = new ArrayList<>();
        contracts.all().forEach(contract -> compare(contract, 0, checks));
        return new Report(checks);
    }

    /**
     * Compares contracts with what is released: released versions must be as they were, and new ones must fit to them.
     * Released versions are not compared with each other, since nobody can change them any more.
     *
     * @param contracts all that there are now
     * @param released all that there were
     * @return a check for each contract that is released, and for each pair with a new version
     */
    public static Report compareWithReleased(Contracts contracts, Contracts released) {
        List<Check> checks = new ArrayList<>();
        for (Contract old : released.all()) {
            List<Finding> findings = contracts
                    .bySubject(old.subject())
                    .map(now -> changed(old, now))
                    .orElseGet(() -> List.of(Finding.single(
                            Rule.RELEASED_VERSION_REMOVED,
                            old.newest().origin(),
                            old.subject(),
                            "The subject " + old.subject() + " was removed.")));
            checks.add(new Check(old.subject() + " is as it was released", findings));
        }
        for (Contract contract : contracts.all()) {
            Optional<Contract> old = released.bySubject(contract.subject());
            compare(contract, old.map(found -> found.versions().size()).orElse(0), checks);
        }
        return new Report(checks);
    }

    /**
     * Compares two files, each a schema that stands by itself.
     *
     * @param old the old version
     * @param now the new version
     * @param mode what is promised
     * @return one check
     * @throws UncheckedIOException if a file cannot be read
     * @throws IllegalArgumentException if one holds no schema
     */
    public static Report compareFiles(Path old, Path now, Compatibility mode) {
        String name = "%s is compatible with %s (%s)".formatted(now, old, mode);
        return new Report(
                List.of(new Check(name, SchemaComparison.compare(version("old", old), version("new", now), mode))));
    }

    private static ComparedVersion version(String name, Path file) {
        try {
            return new ComparedVersion(name, file.toString(), new Schema.Parser().parse(Files.readString(file)));
        } catch (IOException e) {
            throw new UncheckedIOException("The schema " + file + " cannot be read", e);
        } catch (AvroRuntimeException e) {
            throw new IllegalArgumentException(file + " is not a schema: " + e.getMessage(), e);
        }
    }

    private static void compare(Contract contract, int released, List<Check> checks) {
        Compatibility mode = contract.compatibility();
        for (ContractVersion now : contract.versions()) {
            for (int number = now.number() - 1; number > 0 && now.number() > released; number--) {
                boolean neighbours = number == now.number() - 1;
                if (neighbours || mode.transitive()) {
                    ComparedVersion old =
                            ComparedVersion.of(contract.version(number).orElseThrow());
                    ComparedVersion is = ComparedVersion.of(now);
                    checks.add(new Check(
                            "%s is compatible with v%d (%s)".formatted(now, number, mode),
                            neighbours
                                    ? SchemaComparison.compare(old, is, mode)
                                    : SchemaComparison.compareFar(old, is, mode)));
                }
            }
        }
    }

    private static List<Finding> changed(Contract old, Contract now) {
        List<Finding> findings = new ArrayList<>();
        for (ContractVersion version : old.versions()) {
            now.version(version.number())
                    .ifPresentOrElse(
                            same -> findings.addAll(changed(version, same)),
                            () -> findings.add(Finding.single(
                                    Rule.RELEASED_VERSION_REMOVED,
                                    version.origin(),
                                    version.schema().getName(),
                                    version + " is gone.")));
        }
        if (!old.eventType().equals(now.eventType())) {
            findings.add(Finding.single(
                    Rule.EVENT_TYPE_CHANGED,
                    now.newest().origin(),
                    now.subject(),
                    "The event type was " + old.eventType() + " and is " + now.eventType() + "."));
        }
        if (isWeaker(now.compatibility(), old.compatibility())) {
            findings.add(Finding.single(
                    Rule.COMPATIBILITY_WEAKENED,
                    now.newest().origin(),
                    now.subject(),
                    "The compatibility was " + old.compatibility() + " and is " + now.compatibility() + "."));
        }
        return findings;
    }

    private static boolean isWeaker(Compatibility now, Compatibility old) {
        return (old.newReadsOld() && !now.newReadsOld())
                || (old.oldReadsNew() && !now.oldReadsNew())
                || (old.transitive() && !now.transitive());
    }

    private static List<Finding> changed(ContractVersion released, ContractVersion now) {
        String version = "v" + now.number();
        return SchemaChange.between(released.schema(), now.schema()).stream()
                .map(change -> new Finding(
                        Rule.RELEASED_VERSION_CHANGED,
                        now.origin(),
                        change.path(),
                        excerpt(version + " as released", change.before()),
                        excerpt(version + " now", change.after()),
                        Set.of(),
                        now + " is released, but its schema has changed."))
                .toList();
    }

    private static Excerpt excerpt(String version, @Nullable String text) {
        return new Excerpt(version, Objects.requireNonNullElse(text, "nothing"));
    }
}
