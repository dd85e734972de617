/**
 * The one place that decides which real servers tests, the demo and the benchmarks use.
 *
 * <p><b>Choice.</b> There are three kinds: containers, servers installed on the machine, embedded ones.
 * {@link io.outboxrelay.testservers.Servers} takes the first that works, in the order that the caller prefers, and logs
 * which one it is and why not those before it. {@code -Doutbox.servers=containers|installed|embedded}, or the
 * environment variable {@code OUTBOX_SERVERS}, leaves only one. Where none works, the error lists what was tried and
 * why it failed. {@code -Doutbox.image.postgres}, {@code -Doutbox.image.mariadb} and {@code -Doutbox.image.rabbitmq}
 * name other images.
 *
 * <p><b>Shared or private.</b> The shared servers are started once in a JVM; a test takes a database or a virtual host
 * of its own in them and closes it. They do not wait for the disk where we start them. The machine's own servers at
 * their usual ports serve as shared ones, and nothing in them is touched but what was made here. A private server is
 * for tests that kill, stop or freeze it: it keeps its port and its data until it is closed, and has the durability
 * that the server has by default. The embedded PostgreSQL and MariaDB are no different from installed ones but for
 * where their programs come from. The embedded broker is not RabbitMQ, lives in this JVM, and is for a demonstration
 * only.
 *
 * <p><b>Schema registries</b> are private ones and of one kind, a Java program from Maven Central that this module's
 * build unpacks into {@code target/registries}.
 *
 * <p><b>Nothing is left behind.</b> A hook closes everything when the JVM exits, also on SIGTERM. When the JVM itself
 * is killed, the kernel kills the processes that it started (Linux, by {@code setpriv --pdeathsig}) and Testcontainers'
 * Ryuk removes the containers, unless it is disabled; folders in the temporary directory then stay, and so do databases
 * and virtual hosts in the machine's own servers, named {@code outbox_test_…} and {@code outbox-test-…}.
 */
@NullMarked
package io.outboxrelay.testservers;

import org.jspecify.annotations.NullMarked;
