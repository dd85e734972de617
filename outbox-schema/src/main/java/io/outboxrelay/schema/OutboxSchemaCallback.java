package io.outboxrelay.schema;

import org.flywaydb.core.api.callback.Callback;
import org.flywaydb.core.api.callback.Context;
import org.flywaydb.core.api.callback.Event;

/**
 * Installs the outbox as part of a service's own Flyway run, just before the service's migrations, which may then refer
 * to it. One line does it: {@code Flyway.configure().callbacks(new OutboxSchemaCallback())}, or the property
 * {@code flyway.callbacks=io.outboxrelay.schema.OutboxSchemaCallback}.
 *
 * <p>The outbox keeps a history table of its own; the service's history does not know of it. While it is being
 * installed two more connections of the service's data source are in use.
 */
public final class OutboxSchemaCallback implements Callback {

    private final OutboxSchema schema;

    /** Installs {@link OutboxSchema#defaults()}. */
    public OutboxSchemaCallback() {
        this(OutboxSchema.defaults());
    }

    /**
     * Installs the given tables.
     *
     * @param schema where and with how many lanes
     */
    public OutboxSchemaCallback(OutboxSchema schema) {
        this.schema = schema;
    }

    @Override
    public boolean supports(Event event, Context context) {
        return event == Event.BEFORE_MIGRATE;
    }

    @Override
    public boolean canHandleInTransaction(Event event, Context context) {
        return true;
    }

    @Override
    public void handle(Event event, Context context) {
        schema.installOn(context.getConfiguration().getDataSource());
    }

    @Override
    public String getCallbackName() {
        return "outbox schema";
    }
}
