package io.outboxrelay.schemas.exchange;

import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.contract.ContractVersion;
import io.outboxrelay.schemas.contract.SchemaIdentity;
import io.outboxrelay.schemas.registry.RegisteredSchema;
import io.outboxrelay.schemas.registry.Registry;
import io.outboxrelay.schemas.registry.RegistryException;
import io.outboxrelay.schemas.rule.Check;
import io.outboxrelay.schemas.rule.ComparedVersion;
import io.outboxrelay.schemas.rule.Finding;
import io.outboxrelay.schemas.rule.Report;
import io.outboxrelay.schemas.rule.SchemaComparison;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaFormatter;
import org.jspecify.annotations.Nullable;

/**
 * Takes contracts to a registry and schemas from it. Every method may throw a {@link RegistryException}: when the
 * registry is away, or does not let in who asks.
 */
public final class ContractExchange {

    private static final Pattern FOLDER = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

    private final Registry registry;
    private final Progress progress;

    /**
     * An exchange; nothing is asked yet.
     *
     * @param registry the registry
     * @param progress hears of each version
     */
    public ContractExchange(Registry registry, Progress progress) {
        this.registry = registry;
        this.progress = progress;
    }

    /**
     * Compares the versions that the registry does not have with those that it has, by our rules, and asks the registry
     * about the first of them as well; what it would refuse is told as a problem. Registers nothing.
     *
     * @param contracts which
     * @return what our rules find, and whether the registry would refuse anything
     */
    public Test test(Collection<Contract> contracts) {
        List<Check> checks = new ArrayList<>();
        boolean accepted = true;
        for (Contract contract : contracts) {
            accepted &= test(contract, checks);
        }
        return new Test(new Report(checks), accepted);
    }

    /**
     * What a registry would say.
     *
     * @param report what our rules find
     * @param accepted whether the registry would take everything
     */
    public record Test(Report report, boolean accepted) {}

    private boolean test(Contract contract, List<Check> checks) {
        List<RegisteredSchema> registered = registry.allVersions(contract.subject());
        List<ContractVersion> missing = contract.versions().stream()
                .filter(version ->
                        registered.stream().noneMatch(there -> there.identity().equals(version.identity())))
                .toList();
        for (ContractVersion version : missing) {
            checks.add(new Check(
                    version + " is compatible with what " + registry + " has (" + contract.compatibility() + ")",
                    findings(contract, version, registered)));
        }
        return missing.isEmpty() || registered.isEmpty() || accepts(missing.get(0));
    }

    private static List<Finding> findings(
            Contract contract, ContractVersion version, List<RegisteredSchema> registered) {
        List<Finding> findings = new ArrayList<>();
        int last = registered.size() - 1;
        for (int i = last; i >= (contract.compatibility().transitive() ? 0 : Math.max(0, last)); i--) {
            ComparedVersion before = new ComparedVersion(
                    "v" + registered.get(i).version(),
                    version.origin(),
                    registered.get(i).schema());
            ComparedVersion after = ComparedVersion.of(version);
            findings.addAll(
                    i == last
                            ? SchemaComparison.compare(before, after, contract.compatibility())
                            : SchemaComparison.compareFar(before, after, contract.compatibility()));
        }
        return findings;
    }

    private boolean accepts(ContractVersion version) {
        Registry.Verdict verdict = registry.test(version.subject(), version.schema());
        if (!verdict.compatible()) {
            progress.problem("%s would be refused by the registry %s (%s)%s"
                    .formatted(
                            version,
                            registry,
                            registry.compatibility(version.subject()),
                            verdict.reason().isEmpty() ? "" : ": " + verdict.reason()));
        }
        return verdict.compatible();
    }

    /**
     * Registers every version that the registry does not have, the oldest first, and sets the compatibility of each
     * subject. Of each contract it stops at the first version that cannot be registered, because later ones build on
     * it; it continues with the next contract.
     *
     * @param contracts which
     * @return whether the registry has all versions now
     */
    public boolean register(Collection<Contract> contracts) {
        return contracts.stream().map(this::register).reduce(true, Boolean::logicalAnd);
    }

    private boolean register(Contract contract) {
        return contract.versions().stream().allMatch(version -> registered(contract, version));
    }

    private boolean registered(Contract contract, ContractVersion version) {
        Optional<RegisteredSchema> before = registry.find(contract.subject(), version.schema());
        RegisteredSchema registered;
        try {
            registered = before.isPresent() ? before.get() : registry.register(contract.subject(), version.schema());
        } catch (RegistryException e) {
            if (e.kind() != RegistryException.Kind.INCOMPATIBLE) {
                throw e;
            }
            progress.problem(version + " is refused: " + e.getMessage()
                    + "\n  To see which rule it breaks: schemas test-compatibility");
            return false;
        }
        if (registered.version() != version.number()) {
            progress.problem(
                    ("%s is version %d in the registry: the numbers of a contract and of its subject must agree, or"
                                    + " events are refused. Add what the registry has and the contract lacks: schemas download"
                                    + " %s")
                            .formatted(version, registered.version(), contract.subject()));
            return false;
        }
        if (registry.compatibility(contract.subject()) != contract.compatibility()) {
            registry.setCompatibility(contract.subject(), contract.compatibility());
        }
        progress.done(
                version + (before.isPresent() ? " already exists" : " is registered") + " as id " + registered.id());
        return true;
    }

    /**
     * Writes versions of subjects as {@code SUBJECT/vN.avsc}, each a complete schema. A file that exists with another
     * schema is a problem, and stays as it is.
     *
     * @param subjects their names
     * @param version only this one; null for all
     * @param folder where the subjects' folders are made
     * @return whether all of them are there now
     * @throws IllegalArgumentException if a subject cannot be the name of a folder
     * @throws UncheckedIOException if a file cannot be written
     */
    public boolean download(Collection<String> subjects, @Nullable Integer version, Path folder) {
        return subjects.stream()
                .map(subject -> download(subject, version, folder))
                .reduce(true, Boolean::logicalAnd);
    }

    private boolean download(String subject, @Nullable Integer version, Path folder) {
        if (!FOLDER.matcher(subject).matches()) {
            throw new IllegalArgumentException("The subject '" + subject + "' cannot be the name of a folder");
        }
        List<RegisteredSchema> versions =
                version == null ? registry.allVersions(subject) : List.of(registry.version(subject, version));
        if (versions.isEmpty()) {
            progress.problem("the registry " + registry + " has no subject " + subject);
        }
        return !versions.isEmpty()
                && versions.stream().map(each -> written(each, folder)).reduce(true, Boolean::logicalAnd);
    }

    private boolean written(RegisteredSchema registered, Path folder) {
        Path file = folder.resolve(registered.subject()).resolve("v" + registered.version() + ".avsc");
        try {
            if (Files.exists(file)) {
                return isThere(registered, file);
            }
            Files.createDirectories(Objects.requireNonNull(file.getParent()));
            Files.writeString(file, SchemaFormatter.format("json/pretty", registered.schema()) + "\n");
            progress.done(file + " is " + registered);
            return true;
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be written", e);
        }
    }

    private boolean isThere(RegisteredSchema registered, Path file) throws IOException {
        boolean same = isSchema(file, registered.identity());
        if (same) {
            progress.done(file + " already exists");
        } else {
            progress.problem(file + " already exists with another schema than " + registered);
        }
        return same;
    }

    private static boolean isSchema(Path file, SchemaIdentity identity) throws IOException {
        try {
            return SchemaIdentity.of(new Schema.Parser().parse(Files.readString(file)))
                    .equals(identity);
        } catch (AvroRuntimeException e) {
            return false; // not one that stands by itself
        }
    }

    /** Tells of all subjects: their compatibility, their versions and the identity of the newest. */
    public void list() {
        for (String subject : registry.subjects()) {
            List<RegisteredSchema> versions = registry.allVersions(subject);
            if (!versions.isEmpty()) {
                progress.done("%s  %s  versions %s  newest %s"
                        .formatted(
                                subject,
                                registry.compatibility(subject),
                                versions.stream()
                                        .map(version -> String.valueOf(version.version()))
                                        .collect(Collectors.joining(", ")),
                                versions.get(versions.size() - 1).identity()));
            }
        }
    }
}
