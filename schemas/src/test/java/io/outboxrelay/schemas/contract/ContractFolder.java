package io.outboxrelay.schemas.contract;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes contracts for tests. */
public record ContractFolder(Path folder) {

    public static final String PLACED = """
            {"type": "record", "name": "OrderPlaced", "namespace": "shop", "fields": [
              {"name": "id", "type": "string"}%s
            ]}""";

    public ContractFolder with(String name, String text) {
        try {
            Path file = folder.resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A record with one field more than its predecessor had. */
    public ContractFolder withVersion(String subject, int number) {
        StringBuilder more = new StringBuilder();
        for (int field = 2; field <= number; field++) {
            more.append(",\n  {\"name\": \"f").append(field).append("\", \"type\": \"int\", \"default\": 0}");
        }
        return with(subject + "/v" + number + ".avsc", PLACED.formatted(more));
    }
}
