//! Questions about unknown issuers, from requests whose clients hang up.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use portcullis_core::{
    Admission, Algorithm, Code, Issuers, JwtAuthenticator, Verified,
    authenticator::{Attempt, Waiting},
    issuers::{Allow, IssuerResolver},
};
use portcullis_test::MockIssuer;
use tokio::sync::oneshot;

fn admission(resolver: impl IssuerResolver) -> (Admission, Issuers) {
    let issuers = Issuers::default();
    issuers.on_unknown(Allow::suffix(".tenants.test").unwrap(), resolver).unwrap();
    (Admission::new(JwtAuthenticator::issuers(issuers.clone())), issuers)
}

fn tenant(name: &str) -> MockIssuer {
    MockIssuer::with_secret("a", Algorithm::Hs256, [7; 32]).named(format!("https://{name}.tenants.test"))
}

fn waiting(admission: &Admission, token: &str) -> Waiting<Verified> {
    match admission.verify(token) {
        Attempt::Waiting(waiting) => waiting,
        other => unreachable!("it is decided already: {other:?}"),
    }
}

fn is_pending(waiting: &mut Waiting<Verified>) -> bool {
    pin!(waiting).poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

/// Is counted until it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(live: &Arc<AtomicUsize>) -> Self {
        live.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(live))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The number of a resolver's futures that exist, and the channels that they wait for.
#[derive(Clone, Default)]
struct Questions {
    live: Arc<AtomicUsize>,
    answers: Arc<Mutex<Vec<oneshot::Sender<()>>>>,
}

impl Questions {
    fn resolver(&self) -> impl IssuerResolver + use<> {
        let this = self.clone();
        move |_: String| {
            let this = this.clone();
            async move {
                let _counted = Counted::new(&this.live);
                let (sender, receiver) = oneshot::channel();
                this.answers.lock().unwrap().push(sender);
                drop(receiver.await);
                Ok(None)
            }
        }
    }

    fn live(&self) -> usize {
        self.live.load(Ordering::SeqCst)
    }
}

#[test]
fn the_resolvers_future_is_dropped_when_all_its_clients_hang_up() {
    let questions = Questions::default();
    let (admission, _) = admission(questions.resolver());
    for number in 0..1_000 {
        let token = tenant(&format!("t{number}")).token().sign();
        let mut requests = [(); 2].map(|()| waiting(&admission, &token));
        assert!(requests.iter_mut().all(is_pending));
        assert_eq!(questions.live(), 1);
        let [first, last] = requests;
        drop(first);
        assert_eq!(questions.live(), 1, "the other one waits");
        drop(last);
        assert_eq!(questions.live(), 0);
    }
    // The channels that the futures waited for still exist, and have their wakers.
    assert_eq!(questions.answers.lock().unwrap().drain(..).filter_map(|answer| answer.send(()).ok()).count(), 0);
}

/// For the list, a question ends when the application inserts or removes the issuer, but its future may still exist.
#[test]
fn at_most_64_futures_of_a_resolver_exist_at_once_including_outdated_ones() {
    let questions = Questions::default();
    let (admission, issuers) = admission(questions.resolver());
    let begin = |number: usize| waiting(&admission, &tenant(&format!("t{number}")).token().sign());
    let mut requests: Vec<_> = (0..64).map(begin).collect();
    assert!(requests.iter_mut().all(is_pending));
    for number in 0..64 {
        issuers.remove(tenant(&format!("t{number}")).name());
    }
    let busy = admission.verify(&tenant("t64").token().sign()).ready().unwrap().unwrap_err();
    assert_eq!((busy.code(), questions.live()), (Code::IssuerUnavailable, 64));
    drop(requests.pop());
    assert!(is_pending(&mut begin(64)));
    assert_eq!(questions.live(), 63);
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_client_that_hangs_up_does_not_affect_the_others() {
    const REQUESTS: usize = 1_000;
    let polls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&polls);
    let (admission, _) = admission(move |_: String| {
        let count = Arc::clone(&count);
        poll_fn(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            Poll::Pending
        })
    });
    let token = tenant("acme").token().sign();
    let woken: Vec<Arc<Flag>> = (0..REQUESTS).map(|_| Arc::default()).collect();
    let mut requests: Vec<_> = woken.iter().map(|_| Some(waiting(&admission, &token))).collect();
    let poll = |request: &mut Option<Waiting<Verified>>, woken: &Arc<Flag>| {
        let waker = Waker::from(Arc::clone(woken));
        let mut context = Context::from_waker(&waker);
        assert!(request.as_mut().is_none_or(|request| Pin::new(request).poll(&mut context).is_pending()));
    };
    requests.iter_mut().zip(&woken).for_each(|(request, woken)| poll(request, woken));
    for number in 0..REQUESTS {
        requests[number] = None;
        for (request, woken) in requests.iter_mut().zip(&woken) {
            if woken.0.swap(false, Ordering::SeqCst) {
                poll(request, woken);
            }
        }
    }
    assert_eq!(polls.load(Ordering::SeqCst), 1, "the resolver's future was polled although it was not woken");
}
