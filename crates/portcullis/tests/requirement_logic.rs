//! Tests combinations of requirements against a simple reference: Kleene's logic as minimum and maximum.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

#[path = "../../../tests/tests/support/seed.rs"]
mod seed;

use portcullis::{
    Code, Requirement, Verified,
    clock::UnixTime,
    requirement::{Circumstances, Decision, PathParams, all, any, check_async, check_facts, not, scope},
    verified::{AnyVerified, Conventions, Facts, NoCustom},
};
use proptest::{
    prelude::{ProptestConfig, Strategy, prop_assert_eq, prop_oneof, proptest},
    test_runner::RngSeed,
};

/// Returns 0 for unmet, 1 for undecided, 2 for met.
#[derive(Clone, Debug)]
enum Tree {
    Now(u8),
    Later(u8),
    Scope(bool),
    Not(Box<Tree>),
    Named(Box<Tree>),
    All(Vec<Tree>),
    Any(Vec<Tree>),
    And(Box<Tree>, Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        (0u8..3).prop_map(Tree::Now),
        (0u8..3).prop_map(Tree::Later),
        proptest::bool::ANY.prop_map(Tree::Scope)
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed.clone().prop_map(Tree::Not),
            boxed.clone().prop_map(Tree::Named),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Tree::All),
            proptest::collection::vec(inner, 0..4).prop_map(Tree::Any),
            (boxed.clone(), boxed.clone()).prop_map(|(a, b)| Tree::And(a, b)),
            (boxed.clone(), boxed).prop_map(|(a, b)| Tree::Or(a, b)),
        ]
    })
}

fn value(tree: &Tree) -> u8 {
    match tree {
        Tree::Now(value) | Tree::Later(value) => *value,
        Tree::Scope(granted) => {
            if *granted {
                2
            } else {
                0
            }
        }
        Tree::Not(part) => 2 - value(part),
        Tree::Named(part) => value(part),
        Tree::All(parts) => parts.iter().map(value).min().unwrap_or(2),
        Tree::Any(parts) => parts.iter().map(value).max().unwrap_or(0),
        Tree::And(a, b) => value(a).min(value(b)),
        Tree::Or(a, b) => value(a).max(value(b)),
    }
}

fn decision(value: u8) -> Decision {
    match value {
        0 => Decision::Deny,
        1 => Decision::undecided("unknown"),
        _ => Decision::Allow,
    }
}

fn requirement(tree: &Tree) -> Requirement {
    match tree {
        &Tree::Now(value) => check_facts("now", move |_| decision(value)),
        &Tree::Later(value) => check_async("later", move |_: AnyVerified| async move {
            tokio::task::yield_now().await;
            decision(value)
        }),
        Tree::Scope(granted) => scope(if *granted { "granted" } else { "denied" }),
        Tree::Not(part) => not(requirement(part)),
        Tree::Named(part) => requirement(part).named("name"),
        Tree::All(parts) => all(parts.iter().map(requirement)),
        Tree::Any(parts) => any(parts.iter().map(requirement)),
        Tree::And(a, b) => requirement(a).and(requirement(b)),
        Tree::Or(a, b) => requirement(a).or(requirement(b)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(seed::seed()), ..ProptestConfig::default() })]

    #[test]
    fn combinations_follow_kleene(tree in tree()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let outcome = runtime.block_on(refusal(&requirement(&tree)));
        let decided = match outcome {
            None => 2,
            Some(Code::RequirementUndecided) => 1,
            Some(Code::RequirementNotMet | Code::ScopeMissing) => 0,
            Some(other) => panic!("{other}"),
        };
        prop_assert_eq!(decided, value(&tree), "{}", requirement(&tree));
    }
}

/// Returns the code with which a caller with the scope `granted` is refused.
async fn refusal(requirement: &Requirement) -> Option<Code> {
    let facts = Facts::assertion(r#"{"scope":"granted"}"#, Conventions::new("https://issuer.example")).unwrap();
    let (verified, params) = (AnyVerified::from(Verified::assertion(facts, NoCustom)), PathParams::new());
    let circumstances = Circumstances::new(&verified, &params, UnixTime::EPOCH);
    requirement.evaluate(circumstances).outcome().await.err().map(|error| error.code())
}
