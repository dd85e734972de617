package io.outboxrelay.test;

/** An event's payload. */
record OrderPlaced(String orderId, String customer, int total) {}
