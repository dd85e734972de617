package io.outboxrelay.test;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The code on the page about testing is that of the tests, so it compiles and passes. */
class TestingPageTest {

    private static final Pattern BLOCK = Pattern.compile("(?s)```java\\n(.*?)```");

    @Test
    void every_example_is_part_of_a_test() throws IOException {
        StringBuilder tests = new StringBuilder();
        for (String name : List.of("OrdersTest", "CommittedOrdersTest", "WithoutSpringBootTest")) {
            tests.append(squeezed(Files.readString(Path.of("src/test/java/io/outboxrelay/test", name + ".java"))));
        }
        String page = Files.readString(Path.of("../docs/testing.md"));

        assertThat(BLOCK.matcher(page).results())
                .hasSizeGreaterThan(5)
                .allSatisfy(block -> assertThat(tests).contains(squeezed(block.group(1))));
        assertThat(page.replace("\n    ", "\n"))
                .contains("Expected 1251 at \"total\" in the JSON of\n"
                        + "  OrderPlaced of Order 3: {\"orderId\":\"3\",\"customer\":\"7\",\"total\":1250}\n"
                        + "but it has 1250");
    }

    private static String squeezed(String code) {
        return code.replaceAll("\\s+", " ").strip();
    }
}
