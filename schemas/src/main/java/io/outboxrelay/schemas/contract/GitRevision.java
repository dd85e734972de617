package io.outboxrelay.schemas.contract;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** The files of a folder as they were in a revision, asked of the {@code git} that is installed. */
final class GitRevision {

    /** No leading hyphen, which would be an option, and no colon, which would be a file. */
    private static final Pattern REVISION = Pattern.compile("[A-Za-z0-9_@][A-Za-z0-9_./@{}^~+-]{0,199}");

    private static final int LONGEST_SECONDS = 60;

    private final Path folder;
    private final String revision;

    GitRevision(Path folder, String revision) {
        if (!REVISION.matcher(revision).matches()) {
            throw new IllegalArgumentException(
                    "\"" + revision + "\" is not a git revision: a branch, a tag or a commit");
        }
        this.folder = folder;
        this.revision = revision;
    }

    /** The tree, empty if the folder was not there in that revision. */
    Optional<ContractTree> tree() {
        String commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
                .orElseThrow(() ->
                        new IllegalStateException("The git repository of " + folder + " has no revision " + revision));
        String below = git("rev-parse", "--show-prefix").orElse("");
        Optional<String> tree = git("rev-parse", "--verify", "--quiet", "--end-of-options", commit + ":" + below);
        return tree.map(this::archive);
    }

    private ContractTree archive(String tree) {
        try {
            Path zip = Files.createTempFile("contracts", ".zip");
            try {
                git(top(), "archive", "--format=zip", "--output=" + zip, tree)
                        .orElseThrow(
                                () -> new IllegalStateException("git cannot write out " + folder + " of " + revision));
                ContractTree files = ContractTree.inJar(zip);
                return new ContractTree(revision + ":" + folder, files.names(), files.text());
            } finally {
                Files.deleteIfExists(zip);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("The contracts of revision " + revision + " cannot be read", e);
        }
    }

    /** Where {@code git archive} must be run, for it refuses a folder that the revision does not have. */
    private Path top() {
        return git("rev-parse", "--show-toplevel").map(Path::of).orElse(folder);
    }

    private Optional<String> git(String... arguments) {
        return git(folder, arguments);
    }

    /** What git prints, empty if it fails without a word. */
    private static Optional<String> git(Path folder, String... arguments) {
        List<String> command =
                new ArrayList<>(List.of("git", "-C", folder.toAbsolutePath().toString()));
        command.addAll(List.of(arguments));
        try {
            Path errors = Files.createTempFile("git", ".txt");
            try {
                return run(command, errors);
            } finally {
                Files.deleteIfExists(errors);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("git cannot be run; is it installed?", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while git was running", e);
        }
    }

    private static Optional<String> run(List<String> command, Path errors) throws IOException, InterruptedException {
        Process git = new ProcessBuilder(command).redirectError(errors.toFile()).start();
        git.getOutputStream().close();
        if (!git.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)) {
            git.destroyForcibly();
            throw new IllegalStateException("git did not end within " + LONGEST_SECONDS + " s");
        }
        if (git.exitValue() == 0) {
            // A name or a path, which the pipe has kept.
            return Optional.of(new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip());
        }
        String complaint = Files.readString(errors).strip();
        if (!complaint.isEmpty()) {
            throw new IllegalStateException("git says: " + complaint);
        }
        return Optional.empty();
    }
}
