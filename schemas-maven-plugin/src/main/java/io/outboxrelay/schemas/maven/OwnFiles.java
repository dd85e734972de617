package io.outboxrelay.schemas.maven;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The files that the generator has written into a folder, as a list in that folder names them. Everything else there is
 * somebody's own, and is neither deleted nor written over: a build may point the generator at a folder with other
 * sources.
 */
final class OwnFiles {

    static final String LIST = ".generated-from-contracts";

    private final Path folder;
    private final Set<String> names;

    private OwnFiles(Path folder, Collection<String> names) {
        this.folder = folder;
        this.names = new TreeSet<>(names);
    }

    static OwnFiles in(Path folder) throws IOException {
        Path list = folder.resolve(LIST);
        return new OwnFiles(folder, Files.exists(list) ? Files.readAllLines(list) : List.of());
    }

    /** Puts these files in place of the last ones, and leaves alone what has not changed. */
    void replaceBy(Path fresh, List<String> written) throws IOException {
        for (String name : written) {
            requireFree(fresh, name);
        }
        Set<String> gone = new TreeSet<>(names);
        written.forEach(gone::remove);
        names.addAll(written);
        // Before the first file is there: who is killed in between knows them all the next time.
        save();
        for (String name : written) {
            move(fresh.resolve(name), folder.resolve(name));
        }
        for (String name : gone) {
            if (folder.resolve(name).normalize().startsWith(folder.normalize())) {
                Files.deleteIfExists(folder.resolve(name));
            }
        }
        names.removeAll(gone);
        save();
    }

    private void requireFree(Path fresh, String name) throws IOException {
        Path target = folder.resolve(name);
        if (!names.contains(name) && Files.exists(target) && Files.mismatch(fresh.resolve(name), target) >= 0) {
            throw new NotOurs(target);
        }
    }

    private void save() throws IOException {
        Files.createDirectories(folder);
        Files.write(folder.resolve(LIST), names);
    }

    private static void move(Path file, Path target) throws IOException {
        if (!Files.exists(target) || Files.mismatch(file, target) >= 0) {
            Files.createDirectories(target.getParent());
            Files.move(file, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** A file stands where a class should be written. */
    static final class NotOurs extends RuntimeException {

        private static final long serialVersionUID = 1;

        NotOurs(Path file) {
            super(file
                    + " was not generated here and would be overwritten. Generate into a folder that nothing else uses,"
                    + " or delete the file.");
        }
    }
}
