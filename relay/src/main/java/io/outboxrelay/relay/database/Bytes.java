package io.outboxrelay.relay.database;

/**
 * Texts in a form that the server always sends: as bytes, in UTF-8. Where the database has no encoding, or the row is kept
 * because its texts cannot be read, they are the bytes that the server has; in an encoding with gaps, question marks stand
 * for all but ASCII, since nothing else could be given back as a parameter.
 */
final class Bytes {

    private Bytes() {}

    /** Puts this form in the place of {@code BYTES(column, reason)}, under the column's name. */
    static String in(String statement) {
        return statement.replaceAll("BYTES\\((\\w+), ([^)]+)\\)", """
                CASE WHEN getdatabaseencoding() = 'SQL_ASCII' THEN convert_to($1, 'SQL_ASCII')
                     WHEN $2 = 'unreadable' AND getdatabaseencoding() <> 'UTF8'
                     THEN convert_to(regexp_replace($1, '[^\\\\x01-\\\\x7f]', '?', 'g'), 'UTF8')
                     ELSE convert_to($1, 'UTF8') END AS $1\
                """);
    }
}
