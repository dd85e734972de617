package io.outboxrelay.schemas.contract;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.avro.Schema;

/** Makes contracts of the files of a tree, and collects everything that is wrong with them. */
final class ContractsReader {

    private final ContractTree tree;
    private final List<ContractFault> faults;
    private final SchemaFiles schemas;

    ContractsReader(ContractTree tree, List<ContractFault> faults) {
        this.tree = tree;
        this.faults = faults;
        this.schemas = new SchemaFiles(tree, faults);
    }

    List<Contract> read() {
        List<Agreement> agreements = new AgreementsFile(tree, faults).read();
        List<Contract> contracts = new ArrayList<>();
        for (Agreement agreement : agreements) {
            contract(agreement).ifPresent(contracts::add);
        }
        schemas.readUnused();
        strays(agreements.stream().map(Agreement::subject).collect(Collectors.toSet()));
        return contracts;
    }

    private Optional<Contract> contract(Agreement agreement) {
        String subject = agreement.subject();
        List<ContractVersion> versions = new ArrayList<>();
        int number = 1;
        for (; tree.text().apply(file(subject, number)).isPresent(); number++) {
            version(subject, number).ifPresent(versions::add);
        }
        if (number == 1) {
            faults.add(new ContractFault(
                    agreement.origin(),
                    "The subject " + subject + " has no file " + file(subject, 1) + "."
                            + NearMiss.of(subject, folders())));
        }
        if (versions.isEmpty()) {
            return Optional.empty();
        }
        String eventType = Objects.requireNonNullElseGet(
                agreement.eventType(),
                () -> versions.get(versions.size() - 1).schema().getName());
        return Optional.of(new Contract(
                subject, eventType, agreement.owner(), agreement.compatibility(), agreement.deprecated(), versions));
    }

    private Optional<ContractVersion> version(String subject, int number) {
        String file = file(subject, number);
        Optional<Schema> schema = schemas.read(file);
        if (schema.isPresent() && schema.get().getType() != Schema.Type.RECORD) {
            faults.add(new ContractFault(
                    tree.place(file),
                    "An event is a record, and this is of type "
                            + schema.get().getType().getName() + "."));
            return Optional.empty();
        }
        return schema.map(parsed -> new ContractVersion(
                subject,
                number,
                parsed,
                SchemaIdentity.of(parsed),
                tree.text().apply(file).orElseThrow(),
                tree.place(file)));
    }

    /**
     * Files that nobody would ever read: a gap in the numbers, a wrong name, a subject that nothing is agreed about.
     */
    private void strays(Set<String> subjects) {
        for (String name : tree.names()) {
            if (!name.equals(ContractTree.AGREEMENTS) && !schemas.hasRead(name)) {
                String folder = name.contains("/") ? name.substring(0, name.indexOf('/')) : "";
                faults.add(new ContractFault(tree.place(name), stray(folder, subjects)));
            }
        }
    }

    private static String stray(String folder, Set<String> subjects) {
        if (folder.equals(SchemaFiles.SHARED)) {
            return "A shared type is shared/<name>/v<N>.avsc, in lower case, with digits, dots and hyphens.";
        }
        if (!folder.isEmpty() && !subjects.contains(folder)) {
            return "The subject " + folder + " is not in " + ContractTree.AGREEMENTS + "."
                    + NearMiss.of(folder, subjects);
        }
        return "This file belongs to no version: versions are <subject>/v1.avsc, v2.avsc and so on, without gaps.";
    }

    private Set<String> folders() {
        return tree.names().stream()
                .filter(name -> name.contains("/"))
                .map(name -> name.substring(0, name.indexOf('/')))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String file(String subject, int number) {
        return subject + "/v" + number + ".avsc";
    }
}
