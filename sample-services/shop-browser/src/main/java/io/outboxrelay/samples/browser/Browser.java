package io.outboxrelay.samples.browser;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import org.jspecify.annotations.Nullable;
import org.openqa.selenium.By;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;
import org.springframework.util.FileSystemUtils;

/** The machine's Chromium, headless, with a profile of its own. Nothing is downloaded. One thread at a time uses it. */
public final class Browser implements AutoCloseable {

    private static final File CHROMIUM = new File("/usr/bin/chromium");
    private static final File DRIVER = new File("/usr/bin/chromedriver");

    private final int width;
    private final Path profile;
    private final ChromeDriver driver;

    private Browser(int width, int height) throws IOException {
        this.width = width;
        profile = Files.createTempDirectory("storefront-browser");
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, Level.ALL);
        ChromeOptions options = new ChromeOptions()
                .setBinary(CHROMIUM)
                .addArguments(
                        "--headless=new",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-quic",
                        "--no-first-run",
                        "--disable-background-networking",
                        "--disable-component-update",
                        "--disable-sync",
                        "--user-data-dir=" + profile)
                .setExperimentalOption(
                        "mobileEmulation",
                        Map.of("deviceMetrics", Map.of("width", width, "height", height, "mobile", width < 500)));
        options.setCapability(ChromeOptions.LOGGING_PREFS, logs);
        driver = new ChromeDriver(
                new ChromeDriverService.Builder()
                        .usingDriverExecutable(DRIVER)
                        .usingAnyFreePort()
                        .build(),
                options);
    }

    /**
     * Opens a page. Without Chromium the calling test is skipped, which standard error reports.
     *
     * @param page its address
     * @param width of the screen, in CSS pixels; below 500 it is a phone's
     * @param height of the screen, in CSS pixels
     * @return a new browser that shows the page
     * @throws IOException when there is no room for its profile
     */
    public static Browser open(URI page, int width, int height) throws IOException {
        String missing = "NOT TESTED: the page. It takes Chromium: apt-get install chromium chromium-driver";
        if (!CHROMIUM.canExecute() || !DRIVER.canExecute()) {
            System.err.println(missing);
        }
        assumeTrue(CHROMIUM.canExecute() && DRIVER.canExecute(), missing);
        Browser browser = new Browser(width, height);
        browser.driver.get(page.toString());
        return browser;
    }

    /**
     * Presses keys in the focused element.
     *
     * @param keys characters, or those of Selenium's {@code Keys}
     */
    public void press(CharSequence... keys) {
        new Actions(driver).sendKeys(keys).perform();
    }

    /**
     * The focused element.
     *
     * @return its id; null if it has none
     */
    public @Nullable String focus() {
        return driver.switchTo().activeElement().getDomAttribute("id");
    }

    /**
     * The text of an element.
     *
     * @param id the element's
     * @return the visible text
     */
    public String text(String id) {
        return driver.findElement(By.id(id)).getText();
    }

    /**
     * The texts of some elements.
     *
     * @param selector in CSS
     * @return the visible texts, from top to bottom
     */
    public List<String> texts(String selector) {
        return driver.findElements(By.cssSelector(selector)).stream()
                .map(WebElement::getText)
                .toList();
    }

    /**
     * Computes something in the page.
     *
     * @param expression in JavaScript
     * @return its value: a string, a number, a boolean, null, or lists and maps of these
     */
    public @Nullable Object evaluate(String expression) {
        return driver.executeScript("return " + expression);
    }

    /**
     * Elements that are wider than the screen, so that one would have to scroll or a phone would shrink the page.
     *
     * @return their ids, or else their names; empty if all elements fit
     */
    public String widerThanTheScreen() {
        return String.valueOf(evaluate("""
                [...document.querySelectorAll('html, body *')]
                    .filter(e => e.getBoundingClientRect().right > %1$d || e.tagName === 'HTML' && e.scrollWidth > %1$d)
                    .map(e => e.id || e.tagName).join()
                """.formatted(width)));
    }

    /**
     * Sets a preference of the user.
     *
     * @param feature of CSS, such as {@code prefers-color-scheme}
     * @param value such as {@code dark}
     */
    public void prefer(String feature, String value) {
        driver.executeCdpCommand(
                "Emulation.setEmulatedMedia", Map.of("features", List.of(Map.of("name", feature, "value", value))));
    }

    /**
     * Errors that the browser has logged, such as violations of the page's policy. HTTP error statuses are not
     * included.
     *
     * @return the messages since the last call
     */
    public List<String> complaints() {
        return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                .map(LogEntry::getMessage)
                .filter(message -> !message.contains("the server responded with a status of"))
                .toList();
    }

    /**
     * Saves a screenshot of the whole page for people.
     *
     * @param file a PNG to write
     * @throws IOException when it cannot be written
     */
    public void photograph(Path file) throws IOException {
        Object picture = driver.executeCdpCommand(
                        "Page.captureScreenshot", Map.of("format", "png", "captureBeyondViewport", true))
                .get("data");
        Files.write(file, Base64.getDecoder().decode(String.valueOf(picture)));
    }

    /** Ends it and removes its profile. */
    @Override
    public void close() throws IOException {
        driver.quit();
        FileSystemUtils.deleteRecursively(profile);
    }
}
