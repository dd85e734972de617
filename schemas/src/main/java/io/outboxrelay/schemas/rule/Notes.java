package io.outboxrelay.schemas.rule;

import io.outboxrelay.schemas.rule.Finding.Excerpt;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Collects what a comparison finds. */
final class Notes {

    private final ComparedVersion before;
    private final ComparedVersion after;
    private final List<Finding> findings = new ArrayList<>();

    Notes(ComparedVersion before, ComparedVersion after) {
        this.before = before;
        this.after = after;
    }

    List<Finding> findings() {
        return findings;
    }

    /** Something that all of a place's readers meet. */
    void add(Rule rule, Place place, String problem) {
        add(rule, place, place.readers(), problem);
    }

    void add(Rule rule, Place place, Set<Readers> failing, String problem) {
        add(rule, place.path(), SchemaText.of(place.old()), SchemaText.of(place.now()), failing, problem);
    }

    void add(Rule rule, FieldPlace field, Set<Readers> failing, String problem) {
        add(rule, field.path(), field.old(), field.now(), failing, problem);
    }

    private void add(Rule rule, String path, String old, String now, Set<Readers> failing, String problem) {
        findings.add(new Finding(
                rule,
                after.file(),
                path,
                new Excerpt(before.name(), old),
                new Excerpt(after.name(), now),
                failing,
                problem));
    }
}
