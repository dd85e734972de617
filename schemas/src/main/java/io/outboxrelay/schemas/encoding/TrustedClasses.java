package io.outboxrelay.schemas.encoding;

import io.outboxrelay.schemas.contract.NamedTypes;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Conversion;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecord;

/**
 * Finds the classes that one generated class consists of: itself and the types of its fields, in whatever packages.
 * Avro refuses to load a class that a schema names unless the class is trusted for the whole process; trusting these
 * for one decoder needs no such setting. Other classes go the usual way, where Avro refuses them.
 */
final class TrustedClasses extends SpecificData {

    private final Set<String> names;
    private final Map<String, Class<?>> classes = new ConcurrentHashMap<>();

    TrustedClasses(Class<? extends SpecificRecord> type) {
        super(type.getClassLoader());
        this.names = NamedTypes.of(getSchema(type)).keySet();
        for (Conversion<?> conversion : SpecificData.getForClass(type).getConversions()) {
            addLogicalTypeConversion(conversion);
        }
    }

    @Override
    public Class<?> getClass(Schema schema) {
        return switch (schema.getType()) {
            case RECORD, ENUM, FIXED ->
                names.contains(schema.getFullName()) ? load(getClassName(schema)) : super.getClass(schema);
            default -> super.getClass(schema);
        };
    }

    private Class<?> load(String name) {
        return classes.computeIfAbsent(name, missing -> {
            try {
                return Class.forName(missing, true, getClassLoader());
            } catch (ClassNotFoundException e) {
                throw new AvroEventException("The class " + missing + " that a schema names does not exist", e);
            }
        });
    }
}
