package io.outboxrelay.schema;

/**
 * What an installation found and left.
 *
 * @param schema the database schema
 * @param versionBefore the version found, 0 if there was none
 * @param version the version that is there now
 * @param lanes the number of lanes that are there now
 */
public record Installation(String schema, int versionBefore, int version, int lanes) {

    /**
     * Whether anything was installed.
     *
     * @return false if the tables were up to date
     */
    public boolean changed() {
        return versionBefore != version;
    }
}
