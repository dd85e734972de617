package io.outboxrelay.schemas.registry;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;

/** How the registry is told who asks. */
public sealed interface Credentials {

    /** Nobody in particular. */
    record None() implements Credentials {}

    /**
     * A user with a password.
     *
     * @param user the user's name, without a colon
     * @param password the password
     */
    record Basic(String user, String password) implements Credentials {

        /** Names the user and not the password. */
        @Override
        public String toString() {
            return "user " + user;
        }
    }

    /**
     * A token.
     *
     * @param token as an issuer gave it
     */
    record Bearer(String token) implements Credentials {

        /** Does not show the token. */
        @Override
        public String toString() {
            return "a token";
        }
    }

    /** Returns the value of the header {@code Authorization}. */
    default Optional<String> authorization() {
        if (this instanceof Basic basic) {
            byte[] pair = (basic.user() + ":" + basic.password()).getBytes(StandardCharsets.UTF_8);
            return Optional.of("Basic " + Base64.getEncoder().encodeToString(pair));
        }
        return this instanceof Bearer bearer ? Optional.of("Bearer " + bearer.token()) : Optional.empty();
    }
}
