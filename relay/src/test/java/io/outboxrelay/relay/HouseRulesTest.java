package io.outboxrelay.relay;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Calendar;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The rules of the house, in words. */
@AnalyzeClasses(packages = "io.outboxrelay.relay", importOptions = DoNotIncludeTests.class)
class HouseRulesTest {

    private static final String RELAY = "io.outboxrelay.relay";

    @ArchTest
    static final ArchRule packages_do_not_depend_on_each_other_in_circles =
            slices().matching(RELAY + ".(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule nothing_below_knows_the_program = noClasses()
            .that()
            .resideOutsideOfPackage(RELAY)
            .should()
            .dependOnClassesThat()
            .resideInAPackage(RELAY);

    @ArchTest
    static void the_plan_of_packages_is_complete_and_each_imports_only_what_stands_below_it(JavaClasses classes)
            throws IOException {
        List<String> plan = firstColumn("Inside `relay`");
        Set<String> misplaced = new TreeSet<>();
        Set<String> packages = new TreeSet<>();
        for (JavaClass type : classes) {
            packages.add(box(type));
            type.getDirectDependenciesFromSelf().stream()
                    .map(Dependency::getTargetClass)
                    .filter(resideInAPackage(RELAY + ".."))
                    .filter(target -> plan.indexOf(box(target)) < plan.indexOf(box(type)))
                    .forEach(target -> misplaced.add(box(type) + " imports " + box(target)));
        }
        assertThat(plan).as("the plan in ARCHITECTURE.md").containsExactlyInAnyOrderElementsOf(packages);
        assertThat(misplaced).as("what stands above in ARCHITECTURE.md").isEmpty();
    }

    @ArchTest
    static void the_map_of_modules_is_complete(JavaClasses classes) throws IOException {
        List<String> modules = Pattern.compile("<module>(.*)</module>")
                .matcher(Files.readString(Path.of("../pom.xml")))
                .results()
                .map(module -> module.group(1))
                .toList();

        assertThat(firstColumn("## Code map")).containsExactlyInAnyOrderElementsOf(modules);
    }

    /** What a service or an operator gets; the samples and the benchmarks are programs of their own. */
    private static final List<String> SHIPPED = List.of(
            "outbox-schema",
            "outbox-client",
            "outbox-spring-boot-starter",
            "outbox-test",
            "schemas",
            "schemas-maven-plugin",
            "relay");

    @ArchTest
    static void no_two_classes_have_the_same_simple_name(JavaClasses classes) throws IOException {
        List<String> names = new ArrayList<>();
        for (String module : SHIPPED) {
            try (Stream<Path> files = Files.walk(Path.of("..", module, "src/main/java"))) {
                files.map(file -> file.getFileName().toString())
                        .filter(name -> name.endsWith(".java") && !name.equals("package-info.java"))
                        .forEach(names::add);
            }
        }
        assertThat(names).hasSizeGreaterThan(200).doesNotHaveDuplicates();
    }

    /** The names in the first column of the first table after some words of ARCHITECTURE.md. */
    private static List<String> firstColumn(String words) throws IOException {
        String text = Files.readString(Path.of("../ARCHITECTURE.md"));
        return text.substring(text.indexOf(words))
                .lines()
                .dropWhile(line -> !line.startsWith("|"))
                .takeWhile(line -> line.startsWith("|"))
                .skip(2)
                .map(line -> line.split("\\|")[1].strip().replace("`", ""))
                .toList();
    }

    private static String box(JavaClass type) {
        String name = type.getPackageName();
        return name.equals(RELAY) ? "(top)" : name.substring(RELAY.length() + 1);
    }

    @ArchTest
    static final ArchRule the_core_of_a_lane_knows_neither_a_database_nor_a_broker = classes()
            .that()
            .resideInAPackage(RELAY + ".lane")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(RELAY + ".lane", "java..", "org.slf4j..", "org.jspecify.annotations")
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
            .because("a package shows its doors and nothing else; an interface may be a lambda there, which leaves no"
                    + " trace");

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
