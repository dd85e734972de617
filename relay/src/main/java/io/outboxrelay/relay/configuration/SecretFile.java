package io.outboxrelay.relay.configuration;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Optional;

/** A file that contains a password or another secret, which must not appear on a command line. */
public final class SecretFile {

    private static final long MOST_BYTES = 64 * 1024;

    private SecretFile() {}

    /**
     * Reads a file. Devices and pipes are refused: they may never end, or never deliver anything.
     *
     * @param file a regular file of at most 64 KiB, or a link to one
     * @return its text, without the line break at its end
     * @throws IOException if it cannot be read, see {@link #why}
     */
    public static String read(Path file) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new FileSystemException(file.toString(), null, "it is not a regular file");
        }
        if (Files.size(file) > MOST_BYTES) {
            throw new FileSystemException(file.toString(), null, "it is larger than 64 KiB");
        }
        return Files.readString(file).replaceFirst("\\r?\\n$", "");
    }

    /**
     * Checks the permissions of a file.
     *
     * @param file that contains a secret
     * @return two sentences if every user of the machine may read it; empty too if the file system has no permissions
     */
    public static Optional<String> warning(Path file) {
        try {
            return Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)
                    ? Optional.of("Every user of this machine can read the file %s. To prevent this: chmod o-r."
                            .formatted(file))
                    : Optional.empty();
        } catch (IOException | UnsupportedOperationException e) {
            return Optional.empty();
        }
    }

    /**
     * Explains why a file could not be read, without any of its content.
     *
     * @param e the exception
     * @return a few words
     */
    public static String why(Exception e) {
        return e instanceof FileSystemException refused && refused.getReason() != null
                ? refused.getReason()
                : e.getClass().getSimpleName();
    }
}
