package io.outboxrelay.relay.postgresql;

/**
 * Texts in a form that the server always sends: as bytes, in UTF-8 except where the database has no encoding, or the row is
 * kept because it has no such texts.
 */
final class Bytes {

    private Bytes() {}

    /** Puts this form in the place of {@code BYTES(column, reason)}, under the column's name. */
    static String in(String statement) {
        return statement.replaceAll("BYTES\\((\\w+), ([^)]+)\\)", """
                convert_to($1, CASE WHEN $2 = 'unreadable' OR getdatabaseencoding() = 'SQL_ASCII' THEN 'SQL_ASCII'
                                    ELSE 'UTF8' END) AS $1\
                """);
    }
}
