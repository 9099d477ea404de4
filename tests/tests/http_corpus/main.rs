//! Every request of the HTTP corpus, through the real layer and over a socket through a real server.
#![cfg(test)]

mod challenge;
mod corpus;
#[path = "../support/http1.rs"]
mod http1;
mod setup;
mod tally;
mod transport;
#[path = "../support/vectors.rs"]
mod vectors;

use axum::{body::Body, http::Request};
use tower::ServiceExt;

use corpus::{Case, Corpus, Outcome};
use setup::Mode;
use tally::Tally;
use transport::Answer;

/// Cases whose outcome we choose to be another than recommended: id, our outcome, why. Only cases that the RFCs leave
/// open may stand here.
const DEVIATIONS: [(&str, u16, Option<&str>, &str); 3] = [
    ("jti-number", 200, None, "no rule of this service reads `jti`: revocation or a profile would refuse it"),
    ("jti-null", 200, None, "no rule of this service reads `jti`: revocation or a profile would refuse it"),
    (
        "scope-array",
        200,
        None,
        "each string in an array of scopes grants itself: several authorization servers write it so",
    ),
];

/// Cases that are no HTTP, so that no request value can be made of them: they only exist as octets.
const RAW_SOCKET_ONLY: [&str; 3] = ["http-ctl-0b", "http-ctl-bare-cr", "http-obs-fold"];

#[tokio::test]
async fn every_case_through_the_layer() {
    let corpus = Corpus::load();
    for mode in Mode::ALL {
        let router = setup::router(&corpus.config, mode);
        let mut tally = Tally::new(format!("through the layer, {mode:?}"));
        for case in corpus.cases.iter().filter(|case| mode.applies(case.requires)) {
            match transport::as_value(&router, case).await {
                Some(answer) => tally.add(case, judge(&corpus, case, &answer)),
                None => tally.leave_out(case),
            }
        }
        tally.assert_complete(mode, &RAW_SOCKET_ONLY);
    }
}

#[tokio::test]
async fn every_case_over_a_socket() {
    let corpus = Corpus::load();
    for mode in Mode::ALL {
        let router = setup::router(&corpus.config, mode);
        let server = http1::Server::start(router.map_request(|request: Request<_>| request.map(Body::new))).await;
        let mut tally = Tally::new(format!("over a socket, {mode:?}"));
        for case in corpus.cases.iter().filter(|case| mode.applies(case.requires)) {
            let answer = transport::over_socket(&server, case).await;
            tally.add(case, judge(&corpus, case, &answer));
        }
        tally.assert_complete(mode, &[]);
    }
}

#[test]
fn an_unusable_key_is_ignored_and_the_others_are_used() {
    let corpus = Corpus::load();
    let (keys, skipped) = setup::published_keys(&corpus.config);
    let found: Vec<_> = skipped.iter().map(|key| (key.id().unwrap_or_default(), key.reason().kind())).collect();
    assert_eq!(found, setup::UNUSABLE);
    let all = corpus.config.jwks["keys"].as_array().unwrap().len();
    assert_eq!(keys.len() + skipped.len(), all, "every key is either used or listed");
}

#[test]
fn the_committed_corpus_is_the_shared_one() {
    let Some(shared) = vectors::read("http-corpus.json") else { return };
    assert!(shared == serde_json::from_str::<serde_json::Value>(corpus::TEXT).unwrap(), "copy it again");
}

#[test]
fn deviations_are_choices() {
    let corpus = Corpus::load();
    for (id, _, _, why) in DEVIATIONS {
        let case = corpus.cases.iter().find(|case| case.id == id).unwrap();
        assert!(case.policy && !why.is_empty(), "{id}");
    }
}

/// The outcome, or what is wrong with the answer.
fn judge(corpus: &Corpus, case: &Case, answer: &Answer) -> Result<Outcome, String> {
    let challenges = challenge::parse(answer.challenges.iter().map(Vec::as_slice))?;
    let mut bearers = challenges.iter().filter(|challenge| challenge.scheme.eq_ignore_ascii_case("Bearer"));
    let bearer = bearers.next();
    if bearers.next().is_some() {
        return Err("two Bearer challenges".to_owned());
    }
    match bearer {
        None if answer.status == 401 => return Err("a 401 without a Bearer challenge".to_owned()),
        Some(bearer) if bearer.parameters.get("realm") != Some(&corpus.config.realm) => {
            return Err("a challenge without the realm".to_owned());
        }
        Some(bearer)
            if answer.status == 403 && bearer.parameters.get("scope") != Some(&corpus.config.required_scope) =>
        {
            return Err("a 403 that does not name the scope".to_owned());
        }
        _ => {}
    }
    let error = bearer.and_then(|bearer| bearer.parameters.get("error").cloned());
    let outcome = Outcome { status: answer.status, error };
    let deviation = DEVIATIONS.iter().find(|(id, ..)| *id == case.id);
    let right = match deviation {
        Some((_, status, error, _)) => outcome.status == *status && outcome.error.as_deref() == *error,
        None => case.right().contains(&outcome),
    };
    if right { Ok(outcome) } else { Err(format!("{outcome:?}, expected one of {:?}", case.right())) }
}
