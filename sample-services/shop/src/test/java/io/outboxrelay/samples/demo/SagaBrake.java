package io.outboxrelay.samples.demo;

import java.util.EnumSet;
import java.util.Set;

/**
 * Holds sagas between two steps: a held service does not answer, and while a brake exists no deadline passes, however
 * slow the machine; a trigger in the database of orders puts every deadline off.
 */
final class SagaBrake implements AutoCloseable {

    private final Stage stage;
    private final Set<Service> held = EnumSet.noneOf(Service.class);

    /** For all deadlines that are set from now on. */
    SagaBrake(Stage stage) {
        this.stage = stage;
        orders("""
                CREATE FUNCTION put_off() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    NEW.deadline := NEW.deadline + interval '1 hour';
                    RETURN NEW;
                END $$
                """);
        orders("CREATE TRIGGER put_off BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION put_off()");
    }

    void hold(Service service) {
        stage.member(service).freeze();
        held.add(service);
    }

    void letGo(Service service) {
        stage.member(service).thaw();
        held.remove(service);
    }

    /** Lets all go. */
    @Override
    public void close() {
        Set.copyOf(held).forEach(this::letGo);
        orders("DROP FUNCTION put_off CASCADE");
    }

    private void orders(String sql) {
        stage.home(Service.ORDERS).admin().sql(sql).update();
    }
}
