package io.outboxrelay.schemas.contract;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/** All contracts of one or several trees. Does not change, safe for use by many threads. */
public final class Contracts {

    private final Map<String, Contract> bySubject = new LinkedHashMap<>();
    private final Map<String, Contract> byEventType = new LinkedHashMap<>();
    private final Map<SchemaIdentity, ContractVersion> byIdentity = new LinkedHashMap<>();

    private Contracts(List<ContractTree> trees) {
        List<ContractFault> faults = new ArrayList<>();
        for (ContractTree tree : trees) {
            new ContractsReader(tree, faults).read().forEach(contract -> add(contract, tree, faults));
        }
        if (!faults.isEmpty()) {
            throw new ContractsException(faults);
        }
    }

    /**
     * Reads a tree of contracts.
     *
     * @param place a folder with a {@code contracts.yaml}, or a jar or zip that has it under {@code contracts/} or at
     *     its top
     * @return the contracts
     * @throws ContractsException with every fault that there is
     * @throws UncheckedIOException if the files cannot be read
     */
    public static Contracts read(Path place) {
        return new Contracts(
                List.of(Files.isRegularFile(place) ? ContractTree.inJar(place) : ContractTree.inFolder(place)));
    }

    /**
     * Reads every tree that a class path has under {@code contracts/}: a service's own, and those of the services whose
     * events it consumes.
     *
     * @param classes finds the files
     * @return the contracts, none if there is no tree
     * @throws ContractsException with every fault that there is
     * @throws UncheckedIOException if the files cannot be read
     */
    public static Contracts onClassPath(ClassLoader classes) {
        String name = ContractTree.FOLDER + "/" + ContractTree.AGREEMENTS;
        try {
            List<URL> agreements = Collections.list(classes.getResources(name));
            return new Contracts(agreements.stream().map(ContractTree::around).toList());
        } catch (IOException e) {
            throw new UncheckedIOException("The class path cannot be searched for " + name, e);
        }
    }

    /**
     * Reads a tree of contracts as it was in a git revision. Needs {@code git} on the path, and no network.
     *
     * @param folder in a working copy, with a {@code contracts.yaml}
     * @param revision a branch, a tag or a commit
     * @return the contracts, none if the folder was not there yet
     * @throws ContractsException with every fault that there is
     * @throws IllegalArgumentException if this cannot be a revision
     * @throws IllegalStateException if git does not know it, or the folder is in no working copy
     */
    public static Contracts readRevision(Path folder, String revision) {
        return new Contracts(new GitRevision(folder, revision).tree().stream().toList());
    }

    /** {@return all contracts, in the order of their files} */
    public Collection<Contract> all() {
        return Collections.unmodifiableCollection(bySubject.values());
    }

    /**
     * Finds a contract.
     *
     * @param subject its subject
     * @return the contract, empty if there is none
     */
    public Optional<Contract> bySubject(String subject) {
        return Optional.ofNullable(bySubject.get(subject));
    }

    /**
     * The contract of one subject, or all.
     *
     * @param subject null for all
     * @return the contracts, at least one if a subject is named
     * @throws IllegalArgumentException if no contract has this subject
     */
    public List<Contract> chosen(@Nullable String subject) {
        return subject == null
                ? List.copyOf(bySubject.values())
                : List.of(bySubject(subject)
                        .orElseThrow(() -> new IllegalArgumentException("The contracts have no subject " + subject)));
    }

    /**
     * Finds a contract.
     *
     * @param eventType the event's type, as in the outbox
     * @return the contract, empty if there is none
     */
    public Optional<Contract> byEventType(String eventType) {
        return Optional.ofNullable(byEventType.get(eventType));
    }

    /**
     * Finds the version that has exactly this schema.
     *
     * @param identity of the schema
     * @return the version, empty if it is in no contract
     */
    public Optional<ContractVersion> byIdentity(SchemaIdentity identity) {
        return Optional.ofNullable(byIdentity.get(identity));
    }

    /**
     * Finds the version that has exactly this schema, as {@link SchemaIdentity} understands it.
     *
     * @param schema for example that of a generated class
     * @return the version, empty if it is in no contract
     */
    public Optional<ContractVersion> bySchema(Schema schema) {
        return byIdentity(SchemaIdentity.of(schema));
    }

    private void add(Contract contract, ContractTree tree, List<ContractFault> faults) {
        String place = tree.place(contract.subject());
        if (bySubject.putIfAbsent(contract.subject(), contract) != null) {
            faults.add(new ContractFault(place, "The subject is in another tree as well. Keep one."));
            return;
        }
        Contract other = byEventType.putIfAbsent(contract.eventType(), contract);
        if (other != null) {
            faults.add(new ContractFault(
                    place,
                    "The event type " + contract.eventType() + " is that of " + other.subject()
                            + " as well. An event would not say what it is: give one of them another event-type."));
        }
        for (ContractVersion version : contract.versions()) {
            ContractVersion same = byIdentity.putIfAbsent(version.identity(), version);
            if (same != null) {
                faults.add(new ContractFault(
                        version.origin(),
                        "This is the same schema as " + same
                                + "; documentation and formatting do not count. Two versions must differ: leave it"
                                + " out; if only texts have changed, change them in the other file."));
            }
        }
    }
}
