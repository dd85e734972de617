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
            :root {
              color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif;
              --line: color-mix(in srgb, CanvasText 18%, Canvas);
              --soft: color-mix(in srgb, CanvasText 6%, Canvas);
              --quiet: color-mix(in srgb, CanvasText 70%, Canvas)
            }
            body { max-width: 66rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
            h1 { margin: .5rem 0 0; line-height: 1.2 }
            h2 { margin: 2.5rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line) }
            h3 { margin: 1.5rem 0 .25rem }
            p { margin: .5rem 0 }
            .notice { margin: 1rem 0; padding: .5rem 1rem; border-left: .3rem solid #b8860b; background: var(--soft) }
            dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.5rem; margin: 1.25rem 0 }
            dt { color: var(--quiet) }
            dd { margin: 0; overflow-wrap: anywhere }
            .wide { overflow-x: auto }
            table { border-collapse: collapse; width: 100% }
            caption { text-align: left; color: var(--quiet); padding: .5rem 0 }
            th, td { border-bottom: 1px solid var(--line); padding: .4rem 1rem .4rem 0; text-align: left; vertical-align: top }
            thead th { color: var(--quiet); white-space: nowrap }
            tbody th { font-weight: normal }
            tbody tr:hover { background: var(--soft) }
            code, pre { font: .9em ui-monospace, monospace }
            td code, dd code, p code { overflow-wrap: anywhere; white-space: pre-wrap }
            pre { padding: 1rem; overflow-x: auto; background: var(--soft) }
            summary { cursor: pointer; padding: .5rem 0 }
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
                        Html.code(contract.subject()),
                        Html.text("v" + contract.newest().number()),
                        Html.text(contract.owner()),
                        Html.text(deprecation(contract))))
                .toList();
        return Html.all(List.of(
                Html.element("h1", Html.text("Events")),
                Html.table(
                        rows.size() + (rows.size() == 1 ? " event" : " events"),
                        List.of("Event", "What it says", "Subject", "Newest", "Owner", "Deprecated"),
                        rows)));
    }

    private static Html contract(Contract contract) {
        List<Html> parts = new ArrayList<>();
        parts.add(Html.element("p", Html.link("index.html", "All events")));
        parts.add(Html.element("h1", Html.text(contract.eventType())));
        parts.add(Html.element("p", Html.text(doc(contract.newest()))));
        if (contract.deprecated() != null) {
            parts.add(Html.notice("Deprecated " + deprecation(contract) + ": do not start using it. Ask "
                    + contract.owner() + " what takes its place."));
        }
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
        return Html.pairs(List.of(
                List.of(Html.text("Subject"), Html.code(contract.subject())),
                List.of(
                        Html.text("Record"),
                        Html.code(contract.newest().schema().getFullName())),
                List.of(Html.text("Owner"), Html.text(contract.owner())),
                List.of(
                        Html.text("Compatibility"),
                        Html.code(contract.compatibility().name()))));
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
        return contract.deprecated() == null ? "" : "from " + contract.deprecated();
    }
}
