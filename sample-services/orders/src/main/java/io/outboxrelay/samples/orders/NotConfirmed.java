package io.outboxrelay.samples.orders;

/** Only a confirmed order can be paid or cancelled, and this one is not. */
final class NotConfirmed extends RuntimeException {

    NotConfirmed(Order order, String wanted) {
        super("The order %s cannot be %s in the state %s, only when it is confirmed. %s"
                .formatted(order.orderId(), wanted, order.state().text(), wayOut(order.state())));
    }

    private static String wayOut(OrderState state) {
        return switch (state) {
            case AWAITING_STOCK, AWAITING_CREDIT -> "Its saga is still running: try again in a moment";
            default -> "It will not be confirmed again";
        };
    }
}
