package io.outboxrelay.documents;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.Code;
import org.commonmark.node.FencedCodeBlock;
import org.commonmark.node.Heading;
import org.commonmark.node.HtmlBlock;
import org.commonmark.node.HtmlInline;
import org.commonmark.node.IndentedCodeBlock;
import org.commonmark.node.Link;
import org.commonmark.node.Node;
import org.commonmark.node.Paragraph;
import org.commonmark.node.SoftLineBreak;
import org.commonmark.node.Text;
import org.commonmark.parser.IncludeSourceSpans;
import org.commonmark.parser.Parser;
import org.commonmark.renderer.text.TextContentRenderer;

/**
 * A page of the documentation, and what a reader would copy from it.
 *
 * @param path of the page
 * @param snippets its code blocks, in order
 */
record Document(Path path, List<Snippet> snippets) {

    /** The root of the project; tests run in their module's folder. */
    static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    private static final Parser PARSER = Parser.builder()
            .extensions(List.of(TablesExtension.create()))
            .includeSourceSpans(IncludeSourceSpans.BLOCKS)
            .build();

    /**
     * A code block.
     *
     * @param language first word after the fence; {@code sh} for an indented block
     * @param section the heading that it stands under
     * @param file the file whose contents it is, if the sentence in front of it ends with the file's name and a colon
     * @param into the element of that file to which it is added, if the sentence is "Add to the `element` of `file`:"
     * @param text the code
     * @param where page and line, for messages
     */
    record Snippet(
            String language, String section, Optional<Path> file, Optional<String> into, String text, String where) {

        @Override
        public String toString() {
            return where + " (" + language + ")";
        }
    }

    static Document read(Path path) {
        List<Snippet> snippets = new ArrayList<>();
        parse(path).accept(new AbstractVisitor() {
            @Override
            public void visit(FencedCodeBlock block) {
                String[] info = block.getInfo().strip().split("\\s+");
                snippets.add(snippet(path, block, info[0], block.getLiteral()));
            }

            @Override
            public void visit(IndentedCodeBlock block) {
                snippets.add(snippet(path, block, "sh", block.getLiteral()));
            }
        });
        return new Document(path, snippets);
    }

    /** README and all pages of docs, but not the decisions, which record what was true once. */
    static List<Document> all() {
        try (Stream<Path> pages = Files.list(ROOT.resolve("docs"))) {
            return Stream.concat(Stream.of(ROOT.resolve("README.md")), pages.sorted())
                    .filter(page -> page.toString().endsWith(".md"))
                    .map(Document::read)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The targets of all links of a page. */
    static List<String> links(Path page) {
        List<String> links = new ArrayList<>();
        parse(page).accept(new AbstractVisitor() {
            @Override
            public void visit(Link link) {
                links.add(link.getDestination());
                visitChildren(link);
            }
        });
        return links;
    }

    /** The anchors of a page's headings, as GitHub makes them, and those that the page itself defines. */
    static Set<String> anchors(Path page) {
        Set<String> anchors = new HashSet<>();
        parse(page).accept(new AbstractVisitor() {
            @Override
            public void visit(Heading heading) {
                String words =
                        TextContentRenderer.builder().build().render(heading).toLowerCase(Locale.ROOT);
                anchors.add(words.replaceAll("[^\\p{L}\\p{N}\\p{M}_ -]", "").replace(' ', '-'));
            }

            @Override
            public void visit(HtmlInline html) {
                anchored(html.getLiteral());
            }

            @Override
            public void visit(HtmlBlock html) {
                anchored(html.getLiteral());
            }

            private void anchored(String html) {
                Matcher id = Pattern.compile("(?:id|name)=\"([^\"]+)\"").matcher(html);
                while (id.find()) {
                    anchors.add(id.group(1));
                }
            }
        });
        return anchors;
    }

    private static Node parse(Path page) {
        try {
            return PARSER.parse(Files.readString(page));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Snippet snippet(Path page, Node block, String language, String text) {
        int line = block.getSourceSpans().get(0).getLineIndex() + 1;
        Optional<Code> file = file(block.getPrevious());
        return new Snippet(
                language,
                section(block),
                file.map(name -> Path.of(name.getLiteral())),
                file.flatMap(Document::into),
                text,
                ROOT.relativize(page) + ":" + line);
    }

    private static String section(Node block) {
        Node before = block;
        while (before != null && !(before instanceof Heading)) {
            before = before.getPrevious();
        }
        return before == null ? "" : TextContentRenderer.builder().build().render(before);
    }

    private static Optional<Code> file(Node before) {
        return before instanceof Paragraph paragraph
                        && paragraph.getLastChild() instanceof Text colon
                        && colon.getLiteral().equals(":")
                        && colon.getPrevious() instanceof Code name
                ? Optional.of(name)
                : Optional.empty();
    }

    private static Optional<String> into(Code file) {
        Node before = file.getPrevious() instanceof SoftLineBreak line ? line.getPrevious() : file.getPrevious();
        return before instanceof Text of
                        && of.getLiteral().strip().equals("of")
                        && of.getPrevious() instanceof Code element
                ? Optional.of(element.getLiteral())
                : Optional.empty();
    }
}
