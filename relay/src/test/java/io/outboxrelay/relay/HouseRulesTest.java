package io.outboxrelay.relay;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.time.Instant;
import java.util.Calendar;
import java.util.Date;

/** The rules of the house, in words. */
@AnalyzeClasses(packages = "io.outboxrelay.relay", importOptions = DoNotIncludeTests.class)
class HouseRulesTest {

    private static final String RELAY = "io.outboxrelay.relay";

    @ArchTest
    static final ArchRule packages_do_not_depend_on_each_other_in_circles =
            slices().matching(RELAY + ".(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule the_core_of_a_lane_knows_neither_a_database_nor_a_broker = classes()
            .that()
            .resideInAPackage(RELAY + ".lane")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(RELAY + ".lane", "java..", "org.slf4j", "org.jspecify.annotations")
            .because("so it runs in simulations, under every fault and in thousands of histories");

    @ArchTest
    static final ArchRule the_core_of_a_lane_does_no_input_or_output = noClasses()
            .that()
            .resideInAPackage(RELAY + ".lane")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("java.sql..", "javax.sql..", "java.net..", "java.nio.file..", "java.io..")
            .because("it reaches the world through the store, the publisher and the clock");

    @ArchTest
    static final ArchRule only_one_package_and_the_status_speak_to_a_database = noClasses()
            .that()
            .resideOutsideOfPackage(RELAY + ".database")
            .and()
            .haveNameNotMatching(".*\\.command\\.StatusCommand(\\$.*)?")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("java.sql..", "org.springframework.jdbc..", "org.postgresql..");

    @ArchTest
    static final ArchRule only_one_package_speaks_to_the_broker = noClasses()
            .that()
            .resideOutsideOfPackage(RELAY + ".rabbitmq")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("com.rabbitmq..");

    @ArchTest
    static final ArchRule only_operations_serve_http = noClasses()
            .that()
            .resideOutsideOfPackage(RELAY + ".operations")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.eclipse.jetty..");

    @ArchTest
    static final ArchRule nothing_but_the_commands_reads_the_command_line = noClasses()
            .that(resideOutsideOfPackages(RELAY, RELAY + ".command"))
            .should()
            .dependOnClassesThat()
            .resideInAPackage("picocli..");

    @ArchTest
    static final ArchRule none_of_our_classes_extends_ours =
            classes().should(notExtendAClassOfOurs()).because("we compose");

    @ArchTest
    static final ArchRule a_public_class_has_a_reader_in_another_package = classes()
            .that()
            .arePublic()
            .and()
            .areTopLevelClasses()
            .and()
            .areNotInterfaces()
            .should(beUsedFromAnotherPackage())
            .because(
                    "a package shows its doors and nothing else; an interface may be a lambda there, which leaves no trace");

    @ArchTest
    static final ArchRule there_is_no_changeable_static_state =
            fields().that().areStatic().should().beFinal();

    @ArchTest
    static final ArchRule time_is_the_database_s_or_nano_time = noClasses()
            .should()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(Instant.class, "now")
            .orShould()
            .callConstructor(Date.class)
            .orShould()
            .dependOnClassesThat()
            .areAssignableTo(Calendar.class)
            .because("the clocks of the hosts do not matter");

    @ArchTest
    static final ArchRule nobody_sleeps = noClasses()
            .should()
            .callMethod(Thread.class, "sleep", long.class)
            .because("a wait has a condition, and can be woken");

    @ArchTest
    static final ArchRule nobody_prints_past_the_log = noClasses()
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err")
            .orShould()
            .callMethod(Throwable.class, "printStackTrace");

    private static ArchCondition<JavaClass> notExtendAClassOfOurs() {
        return new ArchCondition<>("not extend a class of ours") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                boolean ours = type.getRawSuperclass()
                        .filter(resideInAPackage(RELAY + ".."))
                        .isPresent();
                events.add(new SimpleConditionEvent(
                        type, !ours || type.isAnonymousClass() || isEnumConstant(type), type.getName()));
            }
        };
    }

    private static boolean isEnumConstant(JavaClass type) {
        return type.getModifiers().contains(JavaModifier.ENUM);
    }

    private static ArchCondition<JavaClass> beUsedFromAnotherPackage() {
        return new ArchCondition<>("be used from another package") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                boolean used = type.isEquivalentTo(Main.class)
                        || type.getDirectDependenciesToSelf().stream()
                                .anyMatch(use ->
                                        !use.getOriginClass().getPackageName().equals(type.getPackageName()));
                events.add(new SimpleConditionEvent(
                        type, used, type.getName() + " is public and used in its own package only"));
            }
        };
    }
}
