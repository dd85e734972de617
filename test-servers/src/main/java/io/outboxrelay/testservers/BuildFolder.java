package io.outboxrelay.testservers;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;

/** Where this module's build puts the programs that are no libraries: beside its classes or its jar. */
final class BuildFolder {

    private BuildFolder() {}

    /**
     * The folder.
     *
     * @throws IOException when this module is not a file
     */
    static Path path() throws IOException {
        try {
            return Path.of(BuildFolder.class
                            .getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .getParent();
        } catch (URISyntaxException e) {
            throw new IOException("cannot locate this module: " + e.getMessage(), e);
        }
    }
}
