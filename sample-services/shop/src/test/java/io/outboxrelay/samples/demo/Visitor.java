package io.outboxrelay.samples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.samples.browser.Browser;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.awaitility.core.ThrowingRunnable;
import org.openqa.selenium.Keys;

/** A person at the shop's page, in a browser, with only a keyboard. */
final class Visitor implements AutoCloseable {

    private static final Duration LONGEST = Duration.ofMinutes(2);

    /** More than there are on the page, or entries in a list. */
    private static final int MOST_STOPS = 100;

    private static final String CHOSEN = "document.activeElement.selectedOptions[0].text";

    private final Browser browser;
    private final Path picture;

    private Visitor(Browser browser, Path picture) {
        this.browser = browser;
        this.picture = picture;
    }

    /**
     * Opens the page.
     *
     * @param width of the screen
     * @param picture file for a screenshot of the page at the end
     */
    static Visitor open(URI page, int width, Path picture) throws IOException {
        return new Visitor(Browser.open(page, width, 800), picture);
    }

    /** From the top of a page that was just opened; stops before the button. */
    void fillIn(String customer, String product, int quantity) {
        sees(() -> assertThat(browser.texts("#customer option")).contains(customer));
        sees(() -> assertThat(browser.texts("#product option")).anyMatch(name -> name.startsWith(product)));
        browser.press(Keys.TAB, Keys.ENTER);
        choose("#customer", customer);
        choose("#product", product);
        goTo("#quantity");
        for (int i = 1; i < quantity; i++) {
            browser.press(Keys.ARROW_UP);
        }
    }

    /** Returns how the page calls the order. */
    String placeOrder() {
        goTo("#place-order");
        browser.press(Keys.ENTER);
        sees(() -> assertThat(browser.focus()).isEqualTo("saga-title"));
        return text("saga-title").replace("Order ", "");
    }

    void chooseRegion(String region) {
        choose("#region", region);
    }

    /** Asks, and asks again while one of them does not answer in time. */
    void hearsFromTheOwners(String... words) {
        goTo("#owners > summary");
        await().atMost(LONGEST)
                .pollInterval(Duration.ofSeconds(1))
                .ignoreExceptions()
                .untilAsserted(() -> {
                    if (browser.texts("#owners[open]").isEmpty()
                            || !browser.texts("#composed .fault").isEmpty()) {
                        browser.press(Keys.ENTER);
                    }
                    assertThat(text("composed")).contains(words);
                });
    }

    String text(String id) {
        return browser.text(id);
    }

    List<String> steps() {
        return browser.texts("#steps li > span:first-child");
    }

    /** Of each event: written, claimed, confirmed and handled, as far as it has come. */
    List<?> ways() {
        return (List<?>) Objects.requireNonNull(browser.evaluate("""
                [...document.querySelectorAll('#steps .way')]
                    .map(way => [...way.querySelectorAll('dd')].map(stage => stage.textContent).join(' '))
                """));
    }

    /** The owners of the lanes of a service's outbox, and how many events wait in it. */
    String lanesOf(String service) {
        return browser.texts("#lanes tbody tr").stream()
                .filter(row -> row.startsWith(service + " "))
                .findFirst()
                .orElse("");
    }

    /** What one may run to break processes. */
    List<String> commands() {
        return browser.texts("#processes .command");
    }

    List<String> ages() {
        return browser.texts("#ages dd");
    }

    String widerThanTheScreen() {
        return browser.widerThanTheScreen();
    }

    List<String> complaints() {
        return browser.complaints();
    }

    /** Waits until it is so; the page refreshes itself. */
    void sees(ThrowingRunnable assertion) {
        await().atMost(LONGEST).ignoreExceptions().untilAsserted(assertion);
    }

    /** Goes down the list: letters that come too slowly would begin to name another entry. */
    private void choose(String list, String start) {
        goTo(list);
        browser.press(Keys.HOME);
        for (int entry = 0; !String.valueOf(browser.evaluate(CHOSEN)).startsWith(start); entry++) {
            assertThat(entry).as("entries before " + start).isLessThan(MOST_STOPS);
            browser.press(Keys.ARROW_DOWN);
        }
    }

    /** By the tabulator, over all that is between. */
    private void goTo(String selector) {
        String there = "document.activeElement.matches('%s')".formatted(selector);
        for (int stop = 0; !Boolean.TRUE.equals(browser.evaluate(there)); stop++) {
            assertThat(stop).as("stops on the way to " + selector).isLessThan(MOST_STOPS);
            browser.press(Keys.TAB);
        }
    }

    @Override
    public void close() throws IOException {
        try (browser) {
            browser.photograph(picture);
        }
    }
}
