package io.outboxrelay.relay.configuration;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Optional;

/** A file that holds a password or another value that is not to be seen on a command line. */
public final class SecretFile {

    private static final long MOST_BYTES = 64 * 1024;

    private SecretFile() {}

    /**
     * Reads a file. A device or a pipe is refused, since it may have no end or never begin.
     *
     * @param file a regular file of at most 64 KiB, or a link to one
     * @return its text, without the line break at its end
     * @throws IOException if it cannot be read, see {@link #why}
     */
    public static String read(Path file) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new FileSystemException(file.toString(), null, "it is no regular file");
        }
        if (Files.size(file) > MOST_BYTES) {
            throw new FileSystemException(file.toString(), null, "it is larger than 64 KiB");
        }
        return Files.readString(file).replaceFirst("\\r?\\n$", "");
    }

    /**
     * Looks at a file's permissions.
     *
     * @param file a file that holds a secret
     * @return two sentences if they let every user of the machine read it; empty as well where a file system has none
     */
    public static Optional<String> warning(Path file) {
        try {
            return Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)
                    ? Optional.of("Every user of this machine can read the file %s. To prevent it: chmod o-r."
                            .formatted(file))
                    : Optional.empty();
        } catch (IOException | UnsupportedOperationException e) {
            return Optional.empty();
        }
    }

    /**
     * Says why a file could not be read, without anything of what is in it.
     *
     * @param e what was thrown
     * @return a few words
     */
    public static String why(Exception e) {
        return e instanceof FileSystemException refused && refused.getReason() != null
                ? refused.getReason()
                : e.getClass().getSimpleName();
    }
}
