package io.outboxrelay.samples.demo;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The databases of the shop as the demo makes them, those of one kind on one server: nothing else keeps them apart. */
@Tag("server")
class HomesTest {

    private final Map<Service, Home> homes = new EnumMap<>(Service.class);

    @BeforeEach
    void make() {
        for (Service service : Service.values()) {
            homes.put(service, new Home(service, service.kind().newDatabase()));
        }
    }

    @AfterEach
    void drop() {
        homes.values().forEach(Home::close);
    }

    @ParameterizedTest
    @EnumSource
    void the_login_of_a_service_reaches_no_other_service_s_database(Service service) {
        for (Service other : Service.values()) {
            if (other != service) {
                assertThatThrownBy(() -> connect(service, other).close())
                        .isInstanceOf(SQLException.class)
                        .hasMessageMatching(
                                other.kind() == service.kind()
                                        ? "(?s).*permission denied for database.*"
                                        : "(?s).*(does not exist|authentication failed|Access denied).*");
            }
        }
    }

    private Connection connect(Service as, Service to) throws SQLException {
        Home home = homes.get(as);
        return homes.get(to)
                .database()
                .dataSource(home.serviceUser(), home.password())
                .getConnection();
    }
}
