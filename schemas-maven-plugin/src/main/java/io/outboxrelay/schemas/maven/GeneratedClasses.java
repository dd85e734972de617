package io.outboxrelay.schemas.maven;

import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.contract.ContractVersion;
import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.contract.NamedTypes;
import io.outboxrelay.schemas.contract.SchemaIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.compiler.specific.SpecificCompiler;
import org.apache.avro.compiler.specific.SpecificCompiler.FieldVisibility;
import org.apache.avro.generic.GenericData.StringType;

/**
 * The classes of the newest version of each contract: strings are {@code String}, fields are private, nothing is set.
 */
final class GeneratedClasses {

    private final List<ContractVersion> versions;

    GeneratedClasses(Contracts contracts) {
        versions = contracts.all().stream().map(Contract::newest).toList();
        requireOneSchemaPerClass();
    }

    /** Two contracts want one class to be two things. */
    static final class Conflict extends RuntimeException {

        private static final long serialVersionUID = 1;

        Conflict(String name, ContractVersion one, ContractVersion other) {
            super(("%s is one thing in %s (%s) and another in %s (%s), and can be only one class. Use the same"
                            + " version of a shared type in both, or give one of them another name.")
                    .formatted(name, one, one.origin(), other, other.origin()));
        }
    }

    /**
     * Writes what has changed, so that the compiler has no more to do than it must, and deletes what an earlier run
     * wrote and nobody needs any more; returns all classes.
     */
    List<Path> write(Path folder) throws IOException {
        Path fresh = Files.createTempDirectory("contracts");
        try {
            for (ContractVersion version : versions) {
                generate(version.schema(), fresh);
            }
            List<String> written = files(fresh).stream()
                    .map(file -> fresh.relativize(file).toString())
                    .toList();
            OwnFiles.in(folder).replaceBy(fresh, written);
            return written.stream().map(folder::resolve).toList();
        } finally {
            delete(fresh);
        }
    }

    private void requireOneSchemaPerClass() {
        Map<String, SchemaIdentity> identities = new HashMap<>();
        Map<String, ContractVersion> users = new HashMap<>();
        for (ContractVersion version : versions) {
            NamedTypes.of(version.schema()).forEach((name, schema) -> {
                SchemaIdentity identity = SchemaIdentity.of(schema);
                SchemaIdentity other = identities.putIfAbsent(name, identity);
                if (other != null && !other.equals(identity)) {
                    throw new Conflict(name, users.get(name), version);
                }
                users.putIfAbsent(name, version);
            });
        }
    }

    private static void generate(Schema schema, Path folder) throws IOException {
        SpecificCompiler compiler = new SpecificCompiler(schema);
        compiler.setStringType(StringType.String);
        compiler.setFieldVisibility(FieldVisibility.PRIVATE);
        compiler.setCreateSetters(false);
        compiler.setEnableDecimalLogicalType(true);
        compiler.setOutputCharacterEncoding("UTF-8");
        compiler.compileToDestination(null, folder.toFile());
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile).toList();
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        }
    }
}
