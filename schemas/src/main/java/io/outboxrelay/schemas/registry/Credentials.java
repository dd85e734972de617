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
     * @param token as an issuer gave it; white space around it is left out
     */
    record Bearer(String token) implements Credentials {

        /**
         * Checks the token here, where nothing repeats it: whoever makes a request of it would.
         *
         * @throws IllegalArgumentException if it is empty, or has a character that no header may have
         */
        public Bearer {
            token = token.strip();
            if (token.isEmpty()) {
                throw new IllegalArgumentException("The registry's token is empty");
            }
            for (int at = 0; at < token.length(); at++) {
                if (token.charAt(at) < '!' || token.charAt(at) > '~') {
                    throw new IllegalArgumentException(
                            "The registry's token has a character at place %d of %d that is not visible ASCII"
                                    .formatted(at + 1, token.length()));
                }
            }
        }

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
