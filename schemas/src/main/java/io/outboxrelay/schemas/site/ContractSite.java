package io.outboxrelay.schemas.site;

import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.contract.ContractVersion;
import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.rule.SchemaChange;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.avro.SchemaFormatter;
import org.jspecify.annotations.Nullable;

/** Writes the catalogue: a page with all events, and one for each. The same contracts make the same pages. */
public final class ContractSite {

    private static final String STYLE = """
            :root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif }
            body { max-width: 70rem; margin: 0 auto; padding: 1rem }
            table { border-collapse: collapse; width: 100% }
            caption { text-align: left; font-weight: bold; padding: .5rem 0 }
            th, td { border: 1px solid GrayText; padding: .3rem .6rem; text-align: left; vertical-align: top }
            code, pre { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap }
            .wide { overflow-x: auto }
            """;

    private ContractSite() {}

    /**
     * Writes all pages. Pages of subjects that are not there any more are left alone.
     *
     * @param contracts what to show
     * @param folder where to; made if it is not there
     * @return the first page
     * @throws UncheckedIOException if the pages cannot be written
     */
    public static Path write(Contracts contracts, Path folder) {
        try {
            Files.createDirectories(folder);
            for (Contract contract : contracts.all()) {
                Files.writeString(folder.resolve(page(contract)), page(contract.eventType(), contract(contract)));
            }
            return Files.writeString(folder.resolve("index.html"), page("Events", index(contracts)));
        } catch (IOException e) {
            throw new UncheckedIOException("The catalogue cannot be written to " + folder, e);
        }
    }

    private static String page(Contract contract) {
        return "subject-" + contract.subject() + ".html";
    }

    private static String page(String title, Html content) {
        return """
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
                <title>%s</title>
                <style>
                %s</style>
                </head>
                <body>
                <main>
                %s</main>
                </body>
                </html>
                """.formatted(Html.text(title).markup(), STYLE, content.markup());
    }

    private static Html index(Contracts contracts) {
        List<List<Html>> rows = contracts.all().stream()
                .map(contract -> List.of(
                        Html.link(page(contract), contract.eventType()),
                        Html.text(doc(contract.newest())),
                        Html.text(contract.owner()),
                        Html.text("v" + contract.newest().number()),
                        Html.text(deprecation(contract))))
                .toList();
        return Html.all(List.of(
                Html.element("h1", Html.text("Events")),
                Html.table(
                        contracts.all().size() + " events",
                        List.of("Event", "What it says", "Owner", "Version", "Deprecated"),
                        rows)));
    }

    private static Html contract(Contract contract) {
        List<Html> parts = new ArrayList<>();
        parts.add(Html.element("p", Html.link("index.html", "All events")));
        parts.add(Html.element("h1", Html.text(contract.eventType())));
        parts.add(Html.element("p", Html.text(doc(contract.newest()))));
        parts.add(agreement(contract));
        parts.add(Html.element("h2", Html.text("Fields")));
        parts.add(fields(contract.newest()));
        parts.add(Html.element("h2", Html.text("Versions")));
        for (int number = contract.versions().size(); number >= 1; number--) {
            parts.add(version(contract, contract.version(number).orElseThrow()));
        }
        return Html.all(parts);
    }

    private static Html agreement(Contract contract) {
        return Html.table(
                "What is agreed",
                List.of("About", "Agreed"),
                List.of(
                        List.of(Html.text("Subject"), Html.code(contract.subject())),
                        List.of(
                                Html.text("Record"),
                                Html.code(contract.newest().schema().getFullName())),
                        List.of(Html.text("Owner"), Html.text(contract.owner())),
                        List.of(
                                Html.text("Compatibility"),
                                Html.code(contract.compatibility().name())),
                        List.of(Html.text("Deprecated"), Html.text(deprecation(contract)))));
    }

    private static Html fields(ContractVersion version) {
        return Html.table(
                "Fields of v" + version.number(),
                List.of("Field", "Type", "When it is absent", "Meaning"),
                FieldRow.of(version.schema()).stream()
                        .map(row -> List.of(
                                Html.code(row.path()),
                                Html.text(row.type()),
                                Html.text(row.absent()),
                                Html.text(row.doc())))
                        .toList());
    }

    private static Html version(Contract contract, ContractVersion version) {
        Html changes = contract.version(version.number() - 1)
                .map(before -> changes(before, version))
                .orElse(Html.element("p", Html.text("The first version.")));
        return Html.all(List.of(
                Html.element("h3", Html.text("v" + version.number())),
                Html.element(
                        "p", Html.text("SHA-256 "), Html.code(version.identity().sha256())),
                changes,
                Html.element(
                        "details",
                        Html.element("summary", Html.text("The schema of v" + version.number())),
                        Html.element("pre", Html.text(SchemaFormatter.format("json/pretty", version.schema()))))));
    }

    private static Html changes(ContractVersion before, ContractVersion version) {
        return Html.table(
                "What changed from v" + before.number() + " to v" + version.number(),
                List.of("Where", "Before", "Now"),
                SchemaChange.between(before.schema(), version.schema()).stream()
                        .map(change -> List.of(Html.code(change.path()), shown(change.before()), shown(change.after())))
                        .toList());
    }

    private static Html shown(@Nullable String text) {
        return text == null ? Html.text("not there") : Html.code(text);
    }

    private static String doc(ContractVersion version) {
        return Objects.requireNonNullElse(version.schema().getDoc(), "");
    }

    private static String deprecation(Contract contract) {
        return contract.deprecated() == null ? "no" : "from " + contract.deprecated();
    }
}
