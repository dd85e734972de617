package shop;

/** Uses what is generated from the newest version, as a service does. */
final class Orders {

    String place(String order) {
        OrderPlaced placed = OrderPlaced.newBuilder()
                .setOrderId(order)
                .setTotal(new Money(new java.math.BigDecimal("12.50")))
                .setState(State.NEW)
                .build();
        return placed.getCoupon() + placed.getTotal().getAmount();
    }
}
