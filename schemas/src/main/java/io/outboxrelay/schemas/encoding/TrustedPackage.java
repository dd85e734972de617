package io.outboxrelay.schemas.encoding;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Conversion;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecord;

/**
 * Finds the generated classes of one package. Avro refuses to load a class that a schema names unless the class is
 * trusted for the whole process; trusting one package for one decoder needs no such setting. Other classes go the usual
 * way, where Avro refuses them.
 */
final class TrustedPackage extends SpecificData {

    private final String prefix;
    private final Map<String, Class<?>> classes = new ConcurrentHashMap<>();

    TrustedPackage(Class<? extends SpecificRecord> type) {
        super(type.getClassLoader());
        this.prefix = type.getPackageName() + ".";
        for (Conversion<?> conversion : SpecificData.getForClass(type).getConversions()) {
            addLogicalTypeConversion(conversion);
        }
    }

    @Override
    public Class<?> getClass(Schema schema) {
        return switch (schema.getType()) {
            case RECORD, ENUM, FIXED -> trusted(schema) ? load(getClassName(schema)) : super.getClass(schema);
            default -> super.getClass(schema);
        };
    }

    private boolean trusted(Schema schema) {
        return (getClassName(schema)).startsWith(prefix) && getClassName(schema).indexOf('.', prefix.length()) < 0;
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
