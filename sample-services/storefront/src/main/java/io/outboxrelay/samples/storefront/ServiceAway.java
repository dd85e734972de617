package io.outboxrelay.samples.storefront;

/** A service gave no answer that could be used. */
final class ServiceAway extends RuntimeException {

    private final String service;
    private final String reason;
    private final boolean asked;

    /**
     * @param service which one
     * @param reason in words that follow its name
     * @param asked whether the request may have reached it
     */
    ServiceAway(String service, String reason, boolean asked, Throwable cause) {
        super("The %s service is away: %s".formatted(service, reason), cause);
        this.service = service;
        this.reason = reason;
        this.asked = asked;
    }

    String service() {
        return service;
    }

    String reason() {
        return reason;
    }

    boolean asked() {
        return asked;
    }
}
