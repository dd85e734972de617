package io.outboxrelay.testservers;

/** The lines of Apicurio Registry that are kept up, which answer differently here and there. */
public enum RegistryLine {
    /** 2.6, which runs on Java 17. */
    TWO("2", 17, "quarkus.datasource.jdbc.url"),
    /** 3.x, which needs Java 21. */
    THREE("3", 21, "apicurio.datasource.url");

    private final String folder;
    private final int java;
    private final String dataProperty;

    RegistryLine(String folder, int java, String dataProperty) {
        this.folder = folder;
        this.java = java;
        this.dataProperty = dataProperty;
    }

    /** Below the folder that the build unpacks registries into. */
    String folder() {
        return folder;
    }

    /** The oldest Java that it runs on. */
    int java() {
        return java;
    }

    /** The property for the place of its data. */
    String dataProperty() {
        return dataProperty;
    }
}
