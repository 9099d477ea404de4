//! Users of NATS over HTTP: what the whole chain costs, and what a later request of a known user costs, beside one signature check.

mod tokens;

use std::{
    cell::Cell,
    process::ExitCode,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use portcullis::{Admission, Algorithm, Verified};
use portcullis_benches::{Budgets, Contender, Options, allocations, measure};
use portcullis_core::{
    UnixTime,
    authenticator::{Channel, Header, Presented, RequestView, Scheme},
    possession::{MemoryReplayStore, NonceIssuer, SignedNonces},
};
use portcullis_nats::{
    TrustChain,
    accounts::MemoryAccounts,
    chain::Policy,
    nkey::{AccountKey, KeyPair, OperatorKey, Role},
    proof::ProofVerifier,
};
use portcullis_test::{FixedClock, MockIssuer};
use tokens::{ORIGIN, TARGET};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// What a warm request may take over one signature check, in nanoseconds.
const WARM: f64 = 1_500.0;

fn main() -> ExitCode {
    let options = Options::from_args();
    let mut budgets = Budgets::new(&options);
    let service = Service::new();
    println!("\n| a request of a user of NATS | µs | over the bare signatures µs | allocations |");
    println!("|---|---:|---:|---:|");
    with_proofs(&options, &mut budgets, &service);
    println!("\n| a user who needs no proof, cached | ns | allocations |");
    println!("|---|---:|---:|");
    bearer(&options, &mut budgets, &service);
    budgets.close()
}

struct Service {
    account: KeyPair,
    user: KeyPair,
    nonces: Arc<SignedNonces>,
    chain: TrustChain<MemoryAccounts>,
    clock: FixedClock,
}

impl Service {
    fn new() -> Self {
        let key = |role| KeyPair::generate(role).expect("a key");
        let (operator, account, user) = (key(Role::Operator), key(Role::Account), key(Role::User));
        let accounts = MemoryAccounts::new();
        let id = AccountKey::try_from(*account.public_key()).expect("an account");
        accounts.insert(id, tokens::account(&operator, account.public_key(), NOW));
        let nonces = Arc::new(SignedNonces::random().expect("random numbers"));
        let proofs = ProofVerifier::new(ORIGIN).expect("an origin").nonces(Arc::clone(&nonces));
        let chain = TrustChain::builder()
            .operator_key(OperatorKey::try_from(*operator.public_key()).expect("an operator"))
            .resolver(accounts)
            .policy(Policy::new().danger_bearer_tokens())
            .proofs(proofs.replays(MemoryReplayStore::with_limit(10_000_000)))
            .tenant_per_account()
            .build()
            .expect("a sound configuration");
        Self { account, user, nonces, chain, clock: FixedClock::at(NOW) }
    }

    fn user_token(&self, number: u64, is_bearer: bool) -> String {
        let issued_at = UnixTime::from_secs(NOW.as_secs() - number);
        tokens::user(&self.account, self.user.public_key(), issued_at, is_bearer)
    }

    fn request(&self, token: &str) -> Request {
        let nonce = self.nonces.issue(ORIGIN, NOW);
        Request(tokens::proof(&self.user, token, nonce.as_str(), NOW))
    }
}

/// A request with its proof.
#[derive(Debug)]
struct Request(String);

impl RequestView for Request {
    fn method(&self) -> &'static str {
        "GET"
    }

    fn target(&self) -> &'static str {
        TARGET
    }

    fn header(&self, name: &str) -> Header<'_> {
        if name.eq_ignore_ascii_case("Nats-Proof") { Header::One(self.0.as_bytes()) } else { Header::Absent }
    }

    fn channel(&self) -> Channel<'_> {
        Channel::default()
    }
}

fn admit(admission: &Admission, token: &str, request: &Request) -> Verified {
    let presented = Presented::bearer(token.as_bytes()).with_scheme(Scheme::Other("NatsUser")).with_request(request);
    now(admission.admit(presented).outcome()).expect("admitted")
}

/// Everything is at hand, so nothing waits.
fn now<F: Future>(future: F) -> F::Output {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

fn with_proofs(options: &Options, budgets: &mut Budgets, service: &Service) {
    let admission = Admission::new(service.chain.clone()).clock(service.clock.clone());
    let (rounds, slice) = options.rounds();
    let count = if options.quick { 4_000 } else { 150_000 };
    let token = service.user_token(0, false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // The account is fetched with the first request.
    let first = service.request(&token);
    let presented = Presented::bearer(token.as_bytes()).with_scheme(Scheme::Other("NatsUser")).with_request(&first);
    runtime.block_on(async { admission.admit(presented).outcome().await }).expect("admitted");
    let _guard = runtime.enter();
    let warm: Vec<_> = (0..count).map(|_| service.request(&token)).collect();
    let cold: Vec<_> = (0..count / 2)
        .map(|number| {
            let token = service.user_token(1 + number, false);
            let request = service.request(&token);
            (token, request)
        })
        .collect();
    let (next_warm, next_cold) = (Cell::new(0), Cell::new(0));
    let key = service.user.public_key().verifying_key().expect("a key");
    let message = vec![7; 300];
    let signature = service.user.sign(&message);
    let mut contenders = [
        Contender::new("one bare signature check", || {
            assert!(key.check_signature(Algorithm::EdDsa, &message, &signature))
        }),
        Contender::new("a known user", || admit(&admission, &token, &warm[next(&next_warm)])),
        Contender::new("another user of a known account", || {
            let (token, request) = &cold[next(&next_cold)];
            admit(&admission, token, request)
        }),
    ];
    let samples = measure(&mut contenders, rounds, slice);
    for (at, contender) in contenders.iter_mut().enumerate() {
        let over = samples.ns(at) - samples.ns(0) * [1.0, 1.0, 2.0][at];
        let count = allocations(|| (contender.run)()).count;
        println!("| {} | {:.1} | {:.1} | {count} |", contender.name, samples.ns(at) / 1e3, over / 1e3);
        options.record_ns("nats", "proof", contender.name, samples.ns(at), count);
    }
    budgets.judge_ns("warm, a known user over one signature check", samples.over(1, 0), WARM);
}

fn next(place: &Cell<usize>) -> usize {
    place.replace(place.get() + 1)
}

fn bearer(options: &Options, budgets: &mut Budgets, service: &Service) {
    let issuer = MockIssuer::with_algorithm(Algorithm::Es256);
    let jwt = issuer.token().subject("alice").scope("orders:read orders:write").sign();
    let of_jwt = portcullis_benches::admission(issuer.trusted());
    let admission = Admission::new(service.chain.clone()).clock(service.clock.clone());
    let token = service.user_token(1_000_000, true);
    let mut contenders = [
        Contender::new("JSON Web Token", || now(of_jwt.verify(&jwt).outcome()).expect("admitted")),
        Contender::new("user of NATS", || now(admission.verify(&token).outcome()).expect("admitted")),
    ];
    let (rounds, slice) = options.rounds();
    let samples = measure(&mut contenders, rounds, slice);
    for (at, contender) in contenders.iter_mut().enumerate() {
        let count = allocations(|| (contender.run)()).count;
        println!("| {} | {:.0} | {count} |", contender.name, samples.ns(at));
        options.record_ns("nats", "bearer", contender.name, samples.ns(at), count);
    }
    budgets.judge_ns("warm, a user who needs no proof over a JSON Web Token", samples.over(1, 0), 0.0);
}
