package io.outboxrelay.schemas.site;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.schemas.contract.ContractFolder;
import io.outboxrelay.schemas.contract.Contracts;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class ContractSiteTest {

    private static final String HOSTILE = "<script>alert(\\\"'&\\\")</script>";

    @TempDir
    Path contracts;

    @TempDir
    Path site;

    @Test
    void the_first_page_lists_every_event_with_owner_and_version() throws IOException {
        assertThat(Files.readString(written().resolve("index.html")))
                .contains(
                        "<a href=\"subject-orders.placed.html\">Placed</a>",
                        "<td>team &lt;a&gt;</td>",
                        "<td>v2</td>",
                        "<td><code>orders.placed</code></td>",
                        "<td>from 2027-03-31</td>");
    }

    @Test
    void the_page_of_an_event_has_fields_versions_and_what_changed() throws IOException {
        assertThat(page())
                .contains(
                        "<code>lines[].sku</code>",
                        "<td>list of Line</td>",
                        "<td>decimal (9 digits, 2 after the point) as bytes</td>",
                        "<td>must be there</td>",
                        "What changed from v1 to v2",
                        "<code>OrderPlaced.lines</code>",
                        "<td>not there</td>",
                        "FULL_TRANSITIVE");
    }

    @Test
    void the_page_of_a_deprecated_event_says_so_first_and_whom_to_ask() throws IOException {
        String page = page();

        assertThat(page).contains("Deprecated from 2027-03-31", "Ask team &lt;a&gt;");
        assertThat(page.indexOf("class=\"notice\"")).isLessThan(page.indexOf("Subject"));
    }

    @Test
    void a_default_is_shown_as_what_it_is_however_deep() throws IOException {
        assertThat(page())
                .contains("<td>{amount: 1, memo: null, tags: [&quot;a&quot;, &quot;b&quot;], seal: 2 bytes}</td>");
    }

    @Test
    void text_of_a_contract_is_never_markup() throws IOException {
        assertThat(page())
                .contains("&lt;script&gt;alert(&quot;&#39;&amp;&quot;)&lt;/script&gt;")
                .doesNotContain("<script");
    }

    @Test
    void a_page_is_well_formed_accessible_and_needs_nothing_from_outside() throws Exception {
        String xml = page().replace("<!DOCTYPE html>", "").replaceAll("<meta([^>]*)>", "<meta$1/>");
        Document document =
                DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(xml)));

        assertThat(document.getDocumentElement().getAttribute("lang")).isEqualTo("en");
        assertThat(document.getElementsByTagName("h1").getLength()).isOne();
        assertThat(document.getElementsByTagName("caption").getLength())
                .isEqualTo(document.getElementsByTagName("table").getLength());
        assertThat(xml).contains("scope=\"col\"", "scope=\"row\"", "default-src 'none'");
        assertThat(xml).doesNotContain("src=\"", "http://", "https://", "<link");
    }

    private Path written() {
        new ContractFolder(contracts)
                .with("contracts.yaml", """
                        subjects:
                          orders.placed: {event-type: Placed, owner: team <a>, deprecated: 2027-03-31}
                        """)
                .withVersion("orders.placed", 1)
                .with("orders.placed/v2.avsc", ContractFolder.PLACED.formatted("""
                        , {"name": "lines", "doc": "%s", "default": [], "type": {"type": "array", "items":
                          {"type": "record", "name": "Line", "fields": [{"name": "sku", "type": "string"}]}}},
                        {"name": "total", "default": "", "type":
                          {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
                        {"name": "fee", "default": {"amount": 1, "memo": null, "tags": ["a", "b"], "seal": "\\u00ff\\u0000"}, "type":
                          {"type": "record", "name": "Fee", "fields": [
                            {"name": "amount", "type": "int"},
                            {"name": "memo", "type": ["null", "string"]},
                            {"name": "tags", "type": {"type": "array", "items": "string"}},
                            {"name": "seal", "type": "bytes"}]}}""".formatted(HOSTILE)));
        ContractSite.write(Contracts.read(contracts), site);
        return site;
    }

    private String page() throws IOException {
        return Files.readString(written().resolve("subject-orders.placed.html"));
    }
}
