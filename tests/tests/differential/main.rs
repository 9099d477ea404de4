//! Random tokens, judged by us and by jsonwebtoken configured alike: what we accept, it accepts; where we are
//! stricter, the reason is on a list.
#![cfg(test)]

mod judges;
mod keys;
mod mutation;
#[path = "../support/seed.rs"]
mod seed;
mod stricter;
mod text;
mod token;

use std::{cell::RefCell, collections::BTreeMap};

use portcullis::Code;
use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestCaseError, TestRunner},
};

use judges::{Judges, Verdicts};
use stricter::STRICTER;
use text::Seen;
use token::Token;

/// Enough for every line of the table to be met several times with this seed.
const CASES: u32 = 4000;
const SEED: u64 = 7519;

/// Beyond those, elsewhere each time.
const MORE_CASES: u32 = 1000;

#[test]
fn jsonwebtoken_accepts_every_accepted_token_and_each_converse_exception_has_a_reason() {
    let tally = run(CASES, SEED);
    let met = |verdict: Verdict| tally.get(&verdict).copied().unwrap_or_default();
    assert!(met(Verdict::BothAccept) > CASES / 10 && met(Verdict::BothRefuse) > CASES / 10, "too one-sided");
    for (code, reason, _) in STRICTER {
        assert!(met(Verdict::Stricter(reason)) > 0, "{code}: {reason}: stands in the table and never happens");
    }
}

#[test]
fn the_same_holds_for_other_tokens_each_time() {
    run(MORE_CASES, seed::seed());
}

/// How often each verdict came.
fn run(cases: u32, seed: u64) -> BTreeMap<Verdict, u32> {
    let config = ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let judges = Judges::new();
    let tally = RefCell::new(BTreeMap::new());
    let outcome = TestRunner::new(config).run(&mutation::tokens(), |token| {
        let verdict = compare(&judges, &token)?;
        *tally.borrow_mut().entry(verdict).or_insert(0) += 1;
        Ok(())
    });
    let tally = tally.into_inner();
    eprintln!("{tally:#?}");
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    assert_eq!(tally.values().sum::<u32>(), cases);
    tally
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    BothAccept,
    BothRefuse,
    /// For this reason and no other.
    Stricter(&'static str),
    StricterForSeveralReasons,
}

fn compare(judges: &Judges, token: &Token) -> Result<Verdict, TestCaseError> {
    let Verdicts { text, now, ours, theirs } = judges.judge(token);
    let fail = |what: String| Err(TestCaseError::fail(what));
    match (ours, theirs) {
        (Ok(()), Ok(())) => Ok(Verdict::BothAccept),
        (Err(_), Err(_)) => Ok(Verdict::BothRefuse),
        (Ok(()), Err(error)) => fail(format!("we accept what jsonwebtoken refuses: {error}")),
        (Err(code), Ok(())) => match reasons(code, &Seen::new(&text, now, token.key)).as_slice() {
            [] => fail(format!("{code}: jsonwebtoken accepts it, and we have no reason")),
            [reason] => Ok(Verdict::Stricter(reason)),
            _ => Ok(Verdict::StricterForSeveralReasons),
        },
    }
}

fn reasons(code: Code, seen: &Seen) -> Vec<&'static str> {
    let applying = STRICTER.iter().filter(|(stricter, _, applies)| *stricter == code && applies(seen));
    applying.map(|(_, reason, _)| *reason).collect()
}
