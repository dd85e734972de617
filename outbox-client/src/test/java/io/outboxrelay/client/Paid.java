package io.outboxrelay.client;

import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecordBase;

/** As the Maven plugin would generate it from the second version of the contract of {@link AvroEventsTest}. */
public final class Paid extends SpecificRecordBase {

    /** Avro looks for it. */
    public static final Schema SCHEMA$ = new Schema.Parser().parse("""
            {"type": "record", "name": "Paid", "namespace": "io.outboxrelay.client", "aliases": ["shop.Paid"],
             "fields": [
                {"name": "id", "type": "string"}, {"name": "currency", "type": "string", "default": "EUR"}]}""");

    private Object id = "";
    private Object currency = "";

    /** Called by Avro. */
    public Paid() {}

    @Override
    public Schema getSchema() {
        return SCHEMA$;
    }

    @Override
    public Object get(int field) {
        return field == 0 ? id : currency;
    }

    @Override
    public void put(int field, Object value) {
        if (field == 0) {
            id = value;
        } else {
            currency = value;
        }
    }
}
