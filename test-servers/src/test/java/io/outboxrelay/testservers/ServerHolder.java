package io.outboxrelay.testservers;

import java.util.concurrent.CountDownLatch;

/** A program that starts a private PostgreSQL, and with an argument a broker too, and runs until it is killed. */
final class ServerHolder {
    private ServerHolder() {}

    public static void main(String[] arguments) throws InterruptedException {
        TestDatabase database =
                Servers.startPrivatePostgres(Preference.INSTALLED_FIRST).newDatabase();
        System.out.println("listening on " + database.port());
        if (arguments.length > 0) {
            TestVirtualHost host =
                    Servers.startPrivateRabbitMq(Preference.INSTALLED_FIRST).newVirtualHost();
            System.out.println("listening on " + host.port());
        }
        System.out.println("ready");
        new CountDownLatch(1).await();
    }
}
