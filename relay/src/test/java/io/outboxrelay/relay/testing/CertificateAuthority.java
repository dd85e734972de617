package io.outboxrelay.relay.testing;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Signs certificates of servers, each good for one host name. The runtime reads certificates but writes none: X.509 by
 * hand (RFC 5280).
 */
public final class CertificateAuthority {

    /** Of a trust store that {@link #trustStore} writes. */
    public static final String PASSWORD = "changeit";

    private static final int SEQUENCE = 0x30;
    private static final int SET = 0x31;
    private static final int INTEGER = 0x02;
    private static final int BIT_STRING = 0x03;
    private static final int OCTET_STRING = 0x04;
    private static final int UTF8_STRING = 0x0c;
    private static final int GENERALIZED_TIME = 0x18;
    private static final int VERSION = 0xa0;
    private static final int EXTENSIONS = 0xa3;
    private static final int DNS_NAME = 0x82;
    private static final byte[] VERSION_3 = {INTEGER, 1, 2};
    private static final byte[] TRUE = {0x01, 1, (byte) 0xff};
    private static final byte[] ECDSA_WITH_SHA256 = {0x06, 8, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 4, 3, 2};
    private static final byte[] COMMON_NAME = {0x06, 3, 0x55, 4, 3};
    private static final byte[] BASIC_CONSTRAINTS = {0x06, 3, 0x55, 0x1d, 0x13};
    private static final byte[] SUBJECT_ALTERNATIVE_NAME = {0x06, 3, 0x55, 0x1d, 0x11};
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

    private final String name;
    private final KeyPair keys = newKeys();
    private final byte[] certificate;

    /**
     * A server's certificate.
     *
     * @param der the certificate
     * @param key its private key, PKCS#8
     */
    @SuppressWarnings("ArrayRecordComponent")
    public record Issued(byte[] der, byte[] key) {}

    /** An authority that no store trusts yet. */
    public CertificateAuthority(String name) {
        this.name = name;
        Instant now = Instant.now();
        this.certificate = sign(name, keys, null, now.minus(Duration.ofDays(10)), now.plus(Duration.ofDays(10)));
    }

    /** A certificate that is good for a host from now on. */
    public Issued issue(String host) {
        return issue(host, Instant.now().plus(Duration.ofDays(1)));
    }

    /** A certificate that is good for a host until a moment. */
    public Issued issue(String host, Instant end) {
        KeyPair server = newKeys();
        byte[] der = sign("a server", server, host, end.minus(Duration.ofDays(2)), end);
        return new Issued(der, server.getPrivate().getEncoded());
    }

    /** Writes a PKCS#12 file that trusts only this authority. */
    public Path trustStore(Path folder) {
        Path file = folder.resolve(name + ".p12");
        try (OutputStream out = Files.newOutputStream(file)) {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setCertificateEntry(
                    "ca",
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(certificate)));
            store.store(out, PASSWORD.toCharArray());
            return file;
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private byte[] sign(String subject, KeyPair subjectKeys, @Nullable String host, Instant begin, Instant end) {
        byte[] algorithm = der(SEQUENCE, ECDSA_WITH_SHA256);
        byte[] extension = host == null
                ? der(SEQUENCE, BASIC_CONSTRAINTS, TRUE, der(OCTET_STRING, der(SEQUENCE, TRUE)))
                : der(
                        SEQUENCE,
                        SUBJECT_ALTERNATIVE_NAME,
                        der(OCTET_STRING, der(SEQUENCE, der(DNS_NAME, host.getBytes(StandardCharsets.US_ASCII)))));
        byte[] toBeSigned = der(
                SEQUENCE,
                der(VERSION, VERSION_3),
                der(INTEGER, new BigInteger(63, new SecureRandom()).toByteArray()),
                algorithm,
                distinguished(name),
                der(SEQUENCE, time(begin), time(end)),
                distinguished(subject),
                subjectKeys.getPublic().getEncoded(),
                der(EXTENSIONS, der(SEQUENCE, extension)));
        try {
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(keys.getPrivate());
            signature.update(toBeSigned);
            return der(SEQUENCE, toBeSigned, algorithm, der(BIT_STRING, new byte[] {0}, signature.sign()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] distinguished(String name) {
        byte[] value = der(UTF8_STRING, name.getBytes(StandardCharsets.UTF_8));
        return der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, value)));
    }

    private static byte[] time(Instant moment) {
        return der(GENERALIZED_TIME, TIME.format(moment).getBytes(StandardCharsets.US_ASCII));
    }

    /** Tag, length and contents (X.690, section 8). */
    private static byte[] der(int tag, byte[]... contents) {
        ByteArrayOutputStream inner = new ByteArrayOutputStream();
        for (byte[] content : contents) {
            inner.writeBytes(content);
        }
        ByteArrayOutputStream outer = new ByteArrayOutputStream();
        outer.write(tag);
        int length = inner.size();
        if (length < 0x80) {
            outer.write(length);
        } else if (length < 0x100) {
            outer.write(0x81);
            outer.write(length);
        } else {
            outer.write(0x82);
            outer.write(length >> 8);
            outer.write(length);
        }
        outer.writeBytes(inner.toByteArray());
        return outer.toByteArray();
    }

    private static KeyPair newKeys() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
