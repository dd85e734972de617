package io.outboxrelay.spring;

/** An event's payload. */
record OrderPlaced(String orderId, int total) {}
