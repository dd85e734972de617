package io.outboxrelay.schemas.rule;

import java.io.StringWriter;
import java.util.List;
import java.util.stream.Collectors;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/** A report in the form that build servers read test results in: a check is a test case, an error its failure. */
final class JunitReport {

    private JunitReport() {}

    static String of(Report report) {
        StringWriter text = new StringWriter();
        try {
            XMLStreamWriter xml = XMLOutputFactory.newFactory().createXMLStreamWriter(text);
            xml.writeStartDocument("UTF-8", "1.0");
            xml.writeCharacters("\n");
            xml.writeStartElement("testsuite");
            xml.writeAttribute("name", "schemas");
            xml.writeAttribute("tests", String.valueOf(report.checks().size()));
            xml.writeAttribute(
                    "failures",
                    String.valueOf(report.checks().stream()
                            .filter(check -> check.findings().stream().anyMatch(Finding::isError))
                            .count()));
            xml.writeAttribute("errors", "0");
            for (Check check : report.checks()) {
                testCase(xml, check);
            }
            xml.writeEndElement();
            xml.writeEndDocument();
        } catch (XMLStreamException e) {
            throw new IllegalStateException("A report cannot be written as XML", e);
        }
        return text + "\n";
    }

    private static void testCase(XMLStreamWriter xml, Check check) throws XMLStreamException {
        List<Finding> errors =
                check.findings().stream().filter(Finding::isError).toList();
        List<Finding> warnings =
                check.findings().stream().filter(finding -> !finding.isError()).toList();
        xml.writeStartElement("testcase");
        xml.writeAttribute("classname", "schemas");
        xml.writeAttribute("name", legal(check.name()));
        if (!errors.isEmpty()) {
            xml.writeStartElement("failure");
            xml.writeAttribute("type", errors.get(0).rule().id());
            xml.writeAttribute(
                    "message", legal(errors.get(0).path() + ": " + errors.get(0).problem()));
            xml.writeCharacters(text(errors));
            xml.writeEndElement();
        }
        if (!warnings.isEmpty()) {
            xml.writeStartElement("system-out");
            xml.writeCharacters(text(warnings));
            xml.writeEndElement();
        }
        xml.writeEndElement();
        xml.writeCharacters("\n");
    }

    private static String text(List<Finding> findings) {
        return legal(findings.stream().map(TextReport::of).collect(Collectors.joining()));
    }

    /** XML has no way of writing most control characters. */
    private static String legal(String text) {
        return text.codePoints()
                .map(each -> each == '\n'
                                || each == '\t'
                                || (each >= ' ' && each < 0xD800)
                                || (each > 0xDFFF && each != 0xFFFE && each != 0xFFFF)
                        ? each
                        : '?')
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }
}
