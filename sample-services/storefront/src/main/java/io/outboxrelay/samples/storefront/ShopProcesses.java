package io.outboxrelay.samples.storefront;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The processes of the shop, from the file that whoever started them keeps ({@code storefront.processes}). It is read
 * for every request, because a process that is started again has a new id.
 */
@Component
class ShopProcesses {

    private static final Logger LOG = LoggerFactory.getLogger(ShopProcesses.class);

    private final @Nullable Path file;
    private final JsonMapper json;

    ShopProcesses(StorefrontSettings settings, JsonMapper json) {
        this.file = settings.processes();
        this.json = json;
    }

    /** What a process does. */
    enum Kind {
        RELAY,
        SERVICE
    }

    /**
     * A process that was started.
     *
     * @param name as in logs and leases
     * @param url its HTTP port
     * @param pid its id on this machine
     */
    record ShopProcess(String name, Kind kind, URI url, long pid) {}

    /** Empty if nobody keeps a list. */
    List<ShopProcess> all() {
        if (file == null) {
            return List.of();
        }
        try {
            return List.of(json.readValue(Files.readString(file), ShopProcess[].class));
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException | JacksonException e) {
            LOG.warn("The list of processes in {} cannot be read: {}", file, e.getMessage());
            return List.of();
        }
    }

    /** Those of a kind. */
    List<ShopProcess> all(Kind kind) {
        return all().stream().filter(process -> process.kind() == kind).toList();
    }

    Optional<Long> pid(String name) {
        return all().stream()
                .filter(process -> process.name().equals(name))
                .map(ShopProcess::pid)
                .findFirst();
    }
}
