package io.outboxrelay.client;

/** The origin of deliveries in tests that do not ask what the broker is told. */
record SilentQueue() implements Taken.Origin {

    @Override
    public String queue() {
        return "billing.orders";
    }

    @Override
    public boolean begin() {
        return true;
    }

    @Override
    public void end() {}

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void done(Taken taken) {}

    @Override
    public void reject(Taken taken) {}
}
