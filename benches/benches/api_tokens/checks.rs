//! What a check costs.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use portcullis::{Admission, Algorithm};
use portcullis_benches::{Budgets, Contender, Options, allocations, measure, uncached};
use portcullis_issuer::api_tokens::{
    ApiTokenKind, ApiTokenStore, CreatedApiToken, Grant, MemoryApiTokenStore, NewApiToken, Owner,
};
use portcullis_test::MockIssuer;
use tokio::runtime::Runtime;

use crate::{
    ISSUER, Tokens,
    log::{Counted, view},
    micros,
    places::{Place, Store},
    tokens,
};

/// How much a check may take over what the store takes.
const COLD: f64 = 2_000.0;

/// Returns a token with so many ancestors.
async fn token<S: ApiTokenStore>(tokens: &Tokens<S>, ancestors: usize) -> CreatedApiToken {
    let new = || {
        NewApiToken::new(ApiTokenKind::ServiceAccount, Owner::organisation("acme"), "CI")
            .grant(Grant::scope("orders:read"))
            .grant(Grant::scope("orders:write"))
            .created_by("alice")
    };
    let mut created = tokens.create(new()).await.expect("a token");
    for _ in 0..ancestors {
        created = tokens.derive(created.token().id(), new()).await.expect("a token");
    }
    created
}

/// A token that was checked before: an API token costs what a JSON Web Token costs. All are checked against the same view of revocations.
pub fn warm(options: &Options, runtime: &Runtime, budgets: &mut Budgets) {
    let issuer = MockIssuer::with_algorithm(Algorithm::Es256);
    let jwt = issuer.token().subject("alice").scope("orders:read orders:write").sign();
    let view = view([ISSUER, issuer.name()]);
    let of_jwt = portcullis_benches::admission(issuer.trusted()).revocations(&view);
    let tokens = tokens(MemoryApiTokenStore::new(), Counted::default());
    let [alone, below] =
        [0, 8].map(|ancestors| runtime.block_on(token(&tokens, ancestors)).secret().expose().to_owned());
    let admission = Admission::new(tokens.authenticator()).revocations(&view);
    let mut contenders = [
        Contender::new("JSON Web Token", || now(of_jwt.verify(&jwt).outcome()).expect("admitted")),
        Contender::new("API token", || now(admission.verify(&alone).outcome()).expect("admitted")),
        Contender::new("API token with 8 ancestors", || now(admission.verify(&below).outcome()).expect("admitted")),
    ];
    let (rounds, slice) = options.rounds();
    let samples = measure(&mut contenders, rounds, slice);
    for (at, contender) in contenders.iter_mut().enumerate() {
        let count = allocations(|| (contender.run)()).count;
        println!("| {} | {:.0} | {count} |", contender.name, samples.ns(at));
        options.record_ns("api_tokens", "warm", contender.name, samples.ns(at), count);
    }
    for at in [1, 2] {
        budgets.judge_ns(&format!("warm, {} over a JSON Web Token", contenders[at].name), samples.over(at, 0), 0.0);
    }
}

/// A token that asks the store, beside what the store takes for it and for one row.
pub fn cold(options: &Options, runtime: &Runtime, budgets: &mut Budgets, place: &Place) {
    let (store, tokens) = (place.store(), tokens(place.store(), Counted::default()));
    for ancestors in [0, 8] {
        let created = runtime.block_on(token(&tokens, ancestors));
        let row = runtime.block_on(store.find_by_id(created.token().id())).expect("an answer").expect("the row");
        let admission = uncached(Admission::new(tokens.authenticator()));
        let text = created.secret().expose();
        let rounds = if options.quick { 50 } else { 4_000 };
        let bare =
            micros(runtime, rounds, |_| async { store.find_by_id(row.id).await.expect("an answer").expect("the row") });
        let (find, check) = match &store {
            // Within the process, the runtime takes longer than the store.
            Store::Memory(_) => {
                in_process(options, || now(store.find(&row.digest)), || now(admission.verify(text).outcome()))
            }
            _ => (
                micros(runtime, rounds, |_| async {
                    store.find(&row.digest).await.expect("an answer").expect("the row")
                }),
                micros(runtime, rounds, |_| async { admission.verify(text).outcome().await.expect("admitted") }),
            ),
        };
        println!("| {} | {ancestors} | {bare:.1} | {find:.1} | {check:.1} | {:.1} |", place.name(), check - find);
        for (what, micros) in [("one row", bare), ("find", find), ("check", check)] {
            options.record_ns("api_tokens", &format!("{}, {ancestors} ancestors", place.name()), what, micros * 1e3, 0);
        }
        if matches!(store, Store::Memory(_)) && ancestors == 0 {
            budgets.judge_ns("cold, a check over the store's read", (check - find) * 1e3, COLD);
        }
    }
}

/// Microseconds of both.
fn in_process<A, B>(options: &Options, find: impl FnMut() -> A, check: impl FnMut() -> B) -> (f64, f64) {
    let (rounds, slice) = options.rounds();
    let samples = measure(&mut [Contender::new("find", find), Contender::new("check", check)], rounds, slice);
    (samples.ns(0) / 1e3, samples.ns(1) / 1e3)
}

/// Returns what is there at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits for something"),
    }
}
