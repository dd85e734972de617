package io.outboxrelay.relay.stories;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.time.Clock;
import java.util.Date;
import org.junit.jupiter.api.Test;

class WallClockTest {

    private static final JavaClasses RELAY = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.outboxrelay.relay");

    // hazard 22: the database's clock decides, and what the relay measures itself it measures by System.nanoTime().
    @Test
    void no_class_of_the_relay_reads_the_date_of_its_host() {
        noClasses()
                .should()
                .callMethodWhere(readsTheDate())
                .orShould()
                .callConstructor(Date.class)
                .check(RELAY);
    }

    private static DescribedPredicate<JavaCall<?>> readsTheDate() {
        return DescribedPredicate.describe("the date is read", call -> {
            String owner = call.getTargetOwner().getFullName();
            String method = call.getName();
            return owner.equals("java.lang.System") && method.equals("currentTimeMillis")
                    || owner.startsWith("java.time.") && method.equals("now")
                    || owner.equals(Clock.class.getName()) && method.startsWith("system");
        });
    }
}
