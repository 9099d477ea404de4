//! Tests of patterns of NATS subjects: against tables, and against all subjects up to a length.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "../../../tests/tests/support/seed.rs"]
mod seed;

use std::collections::HashMap;

use portcullis_core::subjects::{SubjectErrorKind, SubjectPattern};
use proptest::{prelude::*, test_runner::RngSeed};

/// The rows come from runs of nats-server 2.15.
#[test]
fn subjects_match_as_on_a_server() {
    let rows = [
        ("a", "a", true),
        ("a", "b", false),
        ("a", "A", false),
        ("*", "a", true),
        ("*", "a.b", false),
        ("*.*", "a.b", true),
        ("a.*", "a", false),
        ("a.*", "a.b", true),
        ("a.*", "a.b.c", false),
        ("a.>", "a", false),
        ("a.>", "a.b", true),
        ("a.>", "a.b.c.d", true),
        (">", "a", true),
        (">", "a.b.c", true),
        ("a.*.c", "a.b.c", true),
        ("a.*.c", "a.c", false),
        ("a.*.>", "a.b", false),
        ("a.*.>", "a.b.c", true),
        ("*a", "*a", true),
        ("*a", "ba", false),
        ("a.b*", "a.bc", false),
        ("a.b*", "a.b*", true),
        ("a>", "a>", true),
        ("a>", "a.b", false),
        ("a.b.c", "a.b", false),
    ];
    for (pattern, subject, is_match) in rows {
        let (pattern, subject) = (parsed(pattern), parsed(subject));
        assert!(subject.is_literal(), "{subject}");
        assert_eq!(pattern.covers(&subject), is_match, "{pattern} covers {subject}");
        assert_eq!(pattern.overlaps(&subject), is_match, "{pattern} overlaps {subject}");
    }
}

#[test]
fn patterns_contain_each_other_as_on_a_server() {
    let rows = [
        ("a.b", "a.*", true),
        ("a.*", "a.*", true),
        ("a.*", "a.>", true),
        ("a.>", "a.>", true),
        ("a.>", "a.*", false),
        ("a.*", "a.b", false),
        ("*.b", "*.*", true),
        ("*.*", "*.b", false),
        (">", ">", true),
        (">", "*", false),
        ("*", ">", true),
        ("a.*.>", "a.>", true),
        ("a.>", "a.*.>", false),
        ("a.b.c", "a.*", false),
    ];
    for (inner, outer, is_subset) in rows {
        assert_eq!(parsed(outer).covers(&parsed(inner)), is_subset, "{outer} covers {inner}");
    }
}

#[test]
fn subjects_are_valid_as_on_a_server() {
    for valid in ["a", "a.b", "*", ">", "a.>", "a.*.c", "a*", "a.>b", "$SYS.x", "größe.ж"] {
        assert_eq!(parsed(valid).as_str(), valid);
        assert_eq!(parsed(valid).to_string(), valid);
    }
    let rows = [
        ("", SubjectErrorKind::Empty),
        (".", SubjectErrorKind::EmptyWord),
        (".a", SubjectErrorKind::EmptyWord),
        ("a.", SubjectErrorKind::EmptyWord),
        ("a..b", SubjectErrorKind::EmptyWord),
        (">.a", SubjectErrorKind::WildcardNotLast),
        ("a.>.b", SubjectErrorKind::WildcardNotLast),
        ("a.>.>", SubjectErrorKind::WildcardNotLast),
        ("a b", SubjectErrorKind::Blank),
        ("a\tb", SubjectErrorKind::Blank),
        ("a\u{0}b", SubjectErrorKind::Blank),
        ("a\u{7f}", SubjectErrorKind::Blank),
        ("a.b\n", SubjectErrorKind::Blank),
        ("a\u{a0}b", SubjectErrorKind::Blank),
        (" ", SubjectErrorKind::Blank),
    ];
    for (malformed, kind) in rows {
        let error = malformed.parse::<SubjectPattern>().unwrap_err();
        assert_eq!(error.kind(), kind, "{malformed:?}");
        assert_eq!(SubjectPattern::parse(malformed), Err(error), "{malformed:?}");
        assert!(malformed.len() < 3 || !error.to_string().contains(malformed), "{error}");
    }
}

#[test]
fn only_whole_words_are_wildcards() {
    for literal in ["a", "a*", "*a.b", "a.>b", ">>", "**", "a.b"] {
        assert!(parsed(literal).is_literal(), "{literal}");
    }
    for pattern in ["*", ">", "a.*", "a.*.b", "a.>"] {
        assert!(!parsed(pattern).is_literal(), "{pattern}");
    }
    assert_eq!(parsed("a.*.>").words().collect::<Vec<_>>(), ["a", "*", ">"]);
}

#[test]
fn overlapping_patterns_have_a_subject_in_common() {
    let rows = [
        ("a.*", "*.b", true),
        ("a.*", "b.*", false),
        ("a.>", "*.b.c", true),
        ("a.>", "a", false),
        ("a.>", "a.>", true),
        ("a.b.>", "a.*", false),
        ("a.b.>", "a.*.c", true),
        ("*.*", "*", false),
        (">", "*", true),
    ];
    for (one, other, is_overlap) in rows {
        assert_eq!(parsed(one).overlaps(&parsed(other)), is_overlap, "{one} overlaps {other}");
        assert_eq!(parsed(other).overlaps(&parsed(one)), is_overlap, "{other} overlaps {one}");
    }
}

/// All patterns of up to four words over `a`, `b` and the wildcards, against all subjects of up to five words over `a`, `b` and `c`. One word
/// is in no pattern, and subjects are one word longer, so what no subject tells apart is the same.
#[test]
fn covering_overlapping_and_intersection_are_what_all_subjects_say() {
    let subjects = texts(&["a", "b", "c"], 5);
    let texts_of_patterns = texts(&["a", "b", "*", ">"], 4);
    let patterns: Vec<SubjectPattern> = texts_of_patterns.iter().filter_map(|text| text.parse().ok()).collect();
    assert_eq!((subjects.len(), patterns.len()), (363, 160));
    let matches = |pattern: &SubjectPattern| -> Vec<bool> {
        subjects.iter().map(|subject| stands_for(&words(pattern.as_str()), &words(subject))).collect()
    };
    let table: Vec<_> = patterns.iter().map(|pattern| (pattern, matches(pattern))).collect();
    // Few, though there are many pairs.
    let mut of_intersections = HashMap::new();
    for (one, of_one) in &table {
        for (other, of_other) in &table {
            let mut both = of_one.iter().zip(of_other);
            assert_eq!(one.overlaps(other), both.clone().any(|(one, other)| *one && *other), "{one} overlaps {other}");
            assert_eq!(one.covers(other), both.all(|(one, other)| *one || !*other), "{one} covers {other}");
            let common: Vec<_> = of_one.iter().zip(of_other).map(|(one, other)| *one && *other).collect();
            match one.intersection(other) {
                Some(intersection) => {
                    assert_eq!(Ok(&intersection), intersection.as_str().parse().as_ref(), "{one} and {other}");
                    let of_both = of_intersections
                        .entry(intersection.as_str().to_owned())
                        .or_insert_with(|| matches(&intersection));
                    assert_eq!(*of_both, common, "{one} and {other}");
                }
                None => assert!(!common.contains(&true), "{one} and {other}"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(seed::seed()), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_text_is_a_pattern_if_each_word_is_one(text in "[ab*>. \t\u{e4}\u{a0}]{0,9}") {
        let words = words(&text);
        let is_word = |word: &&str| !word.is_empty() && !word.contains([' ', '\t', '\u{a0}']);
        let ends_well = words.iter().rev().skip(1).all(|word| *word != ">");
        prop_assert_eq!(SubjectPattern::parse(text.as_str()).is_ok(), words.iter().all(is_word) && ends_well);
    }

    /// Longer patterns than can be tried out: a pattern covers another if it stands for the hardest subjects of it, in which all
    /// wildcards are words that occur nowhere else.
    #[test]
    fn a_pattern_covers_the_hardest_subjects_of_another(one in pattern(), other in pattern()) {
        let longest = words(&one).len() + 1;
        let mut hardest = (1..=longest).map(|rest| filled_in(&other, rest));
        let covers = parsed(&one).covers(&parsed(&other));
        prop_assert_eq!(covers, hardest.all(|subject| stands_for(&words(&one), &words(&subject))), "{} {}", one, other);
        prop_assert!(!covers || parsed(&one).overlaps(&parsed(&other)));
    }
}

/// A well-formed pattern of up to eight words.
fn pattern() -> impl Strategy<Value = String> {
    let word = prop_oneof![3 => "[ab]|\u{e4}\\*?|a>", 1 => Just("*".to_owned())];
    (proptest::collection::vec(word, 1..8), any::<bool>()).prop_map(|(mut words, is_open)| {
        words.extend(is_open.then(|| ">".to_owned()));
        words.join(".")
    })
}

/// Returns a subject that the pattern stands for, with this many words for `>`.
fn filled_in(pattern: &str, rest: usize) -> String {
    let fill = |word| match word {
        "*" => "new".to_owned(),
        ">" => vec!["new"; rest].join("."),
        word => word.to_owned(),
    };
    words(pattern).into_iter().map(fill).collect::<Vec<_>>().join(".")
}

/// The rules of a pattern and a subject without wildcards, written for clarity.
fn stands_for(pattern: &[&str], subject: &[&str]) -> bool {
    match (pattern, subject) {
        ([], []) | ([">"], [_, ..]) => true,
        (["*", pattern @ ..], [_, subject @ ..]) => stands_for(pattern, subject),
        ([word, pattern @ ..], [other, subject @ ..]) => word == other && stands_for(pattern, subject),
        _ => false,
    }
}

/// Returns all texts of up to `longest` of these words.
fn texts(alphabet: &[&str], longest: usize) -> Vec<String> {
    let mut all: Vec<String> = alphabet.iter().map(|&word| word.to_owned()).collect();
    let mut of_this_length = all.clone();
    for _ in 1..longest {
        let longer = of_this_length.iter().flat_map(|text| alphabet.iter().map(move |word| format!("{text}.{word}")));
        of_this_length = longer.collect();
        all.extend_from_slice(&of_this_length);
    }
    all
}

fn words(text: &str) -> Vec<&str> {
    text.split('.').collect()
}

fn parsed(text: &str) -> SubjectPattern {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}
