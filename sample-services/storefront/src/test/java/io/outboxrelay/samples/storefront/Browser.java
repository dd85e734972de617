package io.outboxrelay.samples.storefront;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
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

/** The machine's own Chromium, without a window, in a profile of its own. Nothing is downloaded. */
final class Browser implements AutoCloseable {

    private static final File CHROMIUM = new File("/usr/bin/chromium");
    private static final File DRIVER = new File("/usr/bin/chromedriver");

    private final Path profile;
    private final ChromeDriver driver;

    private Browser(int width, int height) throws IOException {
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
     * Opens a page.
     *
     * @param width of the screen, in CSS pixels; below 500 it is a phone's
     */
    static Browser open(URI page, int width, int height) throws IOException {
        String missing = "NOT TESTED: the page. It takes Chromium: apt-get install chromium chromium-driver";
        if (!CHROMIUM.canExecute() || !DRIVER.canExecute()) {
            System.err.println(missing);
        }
        assumeTrue(CHROMIUM.canExecute() && DRIVER.canExecute(), missing);
        Browser browser = new Browser(width, height);
        browser.driver.get(page.toString());
        return browser;
    }

    /** Presses keys, whatever has the focus. */
    void press(CharSequence... keys) {
        new Actions(driver).sendKeys(keys).perform();
    }

    /** The id of what has the focus. */
    String focus() {
        return driver.switchTo().activeElement().getDomAttribute("id");
    }

    String text(String id) {
        return driver.findElement(By.id(id)).getText();
    }

    List<String> texts(String selector) {
        return driver.findElements(By.cssSelector(selector)).stream()
                .map(WebElement::getText)
                .toList();
    }

    Object evaluate(String script) {
        return driver.executeScript("return " + script);
    }

    void prefer(String feature, String value) {
        driver.executeCdpCommand(
                "Emulation.setEmulatedMedia", Map.of("features", List.of(Map.of("name", feature, "value", value))));
    }

    /** What the browser complained about, a violation of the page's policy for one. That an answer is a no is none. */
    List<String> complaints() {
        return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                .map(LogEntry::getMessage)
                .filter(message -> !message.contains("the server responded with a status of"))
                .toList();
    }

    @Override
    public void close() throws IOException {
        driver.quit();
        FileSystemUtils.deleteRecursively(profile);
    }
}
