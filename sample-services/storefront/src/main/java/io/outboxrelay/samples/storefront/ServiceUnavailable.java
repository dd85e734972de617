package io.outboxrelay.samples.storefront;

/** A service gave no usable answer. */
final class ServiceUnavailable extends RuntimeException {

    private final String service;
    private final String reason;
    private final boolean asked;

    /**
     * @param service which one
     * @param reason for people, to follow the service's name
     * @param asked whether the request may have reached it
     */
    ServiceUnavailable(String service, String reason, boolean asked, Throwable cause) {
        super("The %s service is unavailable: %s".formatted(service, reason), cause);
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
