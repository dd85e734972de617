package io.outboxrelay.schemas.contract;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The files of one tree of contracts, by their names below its top, with slashes.
 *
 * @param origin where the tree is, for people
 * @param names of all files; empty where they cannot be listed, as on a class path
 * @param text of a file, empty if it is not there
 */
record ContractTree(String origin, Set<String> names, Function<String, Optional<String>> text) {

    static final String AGREEMENTS = "contracts.yaml";

    /** Where trees are in jars and on class paths. */
    static final String FOLDER = "contracts";

    static ContractTree inFolder(Path folder) {
        return listed(folder.toString(), folder);
    }

    /** The tree in a jar: under {@code contracts/}, or else at its top. */
    static ContractTree inJar(Path jar) {
        try (FileSystem opened = FileSystems.newFileSystem(jar)) {
            Path below = opened.getPath("/" + FOLDER);
            Path top = Files.exists(below.resolve(AGREEMENTS)) ? below : opened.getPath("/");
            return listed(jar + "!" + (top.equals(below) ? below : ""), top);
        } catch (IOException e) {
            throw new UncheckedIOException("The jar " + jar + " cannot be read", e);
        }
    }

    /** The tree on a class path whose top has this file of agreements. */
    static ContractTree around(URL agreements) {
        String top = agreements.toString().substring(0, agreements.toString().length() - AGREEMENTS.length());
        return new ContractTree(top.substring(0, top.length() - 1), Set.of(), name -> fetch(top + name));
    }

    /** Where a file is, for people. */
    String place(String name) {
        return origin + "/" + name;
    }

    private static ContractTree listed(String origin, Path top) {
        SortedMap<String, String> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(top)) {
            for (Path file : all.filter(ContractTree::belongs).toList()) {
                files.put(top.relativize(file).toString().replace('\\', '/'), Files.readString(file));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("The contracts in " + origin + " cannot be read", e);
        }
        return new ContractTree(origin, files.keySet(), name -> Optional.ofNullable(files.get(name)));
    }

    private static boolean belongs(Path file) {
        return file.toString().endsWith(".avsc") || file.endsWith(AGREEMENTS);
    }

    private static Optional<String> fetch(String address) {
        try {
            URLConnection connection = URI.create(address).toURL().openConnection();
            connection.setUseCaches(false);
            try (InputStream stream = connection.getInputStream()) {
                return Optional.of(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
            }
        } catch (FileNotFoundException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("The contract " + address + " cannot be read", e);
        }
    }
}
