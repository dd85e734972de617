package io.outboxrelay.relay.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.ShutdownSignalException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeoutException;

/**
 * Explains why a connection or channel has ended. Often only the innermost cause says what a person needs to repair it.
 */
final class ConnectionTrouble {

    private static final int MOST_CAUSES = 20;

    private ConnectionTrouble() {}

    static String inWords(Throwable trouble) {
        List<Throwable> causes = new ArrayList<>();
        for (Throwable cause = trouble;
                cause != null && causes.size() < MOST_CAUSES && !causes.contains(cause);
                cause = cause.getCause()) {
            causes.add(cause);
        }
        return of(causes, ShutdownSignalException.class)
                .flatMap(ConnectionTrouble::closedByTheBroker)
                .or(() -> certificate(causes))
                .or(() -> silence(causes))
                .orElseGet(() -> messages(causes));
    }

    /** The broker quotes a frame that it cannot read, and so perhaps a payload: that text is left out. */
    private static Optional<String> closedByTheBroker(ShutdownSignalException signal) {
        if (signal.getReason() instanceof AMQP.Connection.Close close) {
            return Optional.of("the broker closed the connection: " + close.getReplyCode() + " "
                    + (close.getReplyCode() == AMQP.FRAME_ERROR ? "FRAME_ERROR" : close.getReplyText()));
        }
        if (signal.getReason() instanceof AMQP.Channel.Close close) {
            return Optional.of("the broker closed the channel: " + close.getReplyCode() + " " + close.getReplyText());
        }
        return Optional.empty();
    }

    private static Optional<String> certificate(List<Throwable> causes) {
        return of(causes, CertificateExpiredException.class)
                .map(expired -> "the broker's certificate has expired, " + expired.getMessage())
                .or(() -> of(causes, CertificateNotYetValidException.class)
                        .map(early -> "the broker's certificate is not valid yet, " + early.getMessage()))
                .or(() -> of(causes, CertPathBuilderException.class)
                        .map(stranger -> "this relay does not trust the issuer of the broker's certificate, "
                                + stranger.getMessage() + "; broker.tls.trust-store names the trusted ones"))
                .or(() -> of(causes, CertificateException.class)
                        .map(refused -> "the broker's certificate is not accepted for the host in broker.uri: "
                                + refused.getMessage()));
    }

    /** The client gives no message when its handshake is not answered. */
    private static Optional<String> silence(List<Throwable> causes) {
        return of(causes, TimeoutException.class)
                .filter(timeout -> timeout.getMessage() == null)
                .map(timeout -> "it accepted the connection and then did not answer; the node, or the one behind a load"
                        + " balancer, may be frozen or overloaded");
    }

    /** The outermost message and, if it says more, the innermost. */
    private static String messages(List<Throwable> causes) {
        List<String> messages = causes.stream()
                .map(Throwable::getMessage)
                .filter(message -> message != null && !message.isBlank())
                .toList();
        if (messages.isEmpty()) {
            return causes.get(causes.size() - 1).getClass().getSimpleName();
        }
        String first = messages.get(0);
        String last = messages.get(messages.size() - 1);
        return first.contains(last) ? first : first + ": " + last;
    }

    private static <T extends Throwable> Optional<T> of(List<Throwable> causes, Class<T> type) {
        return causes.stream().filter(type::isInstance).map(type::cast).findFirst();
    }
}
