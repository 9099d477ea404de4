//! A service whose issuers are known to a resolver that answers when the test says so.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use portcullis_core::{
    Admission, AuthError, Code, Issuers, JwtAuthenticator, TrustedIssuer, Verified,
    authenticator::{Attempt, Waiting},
    issuers::{Allow, ResolveError},
};
use portcullis_test::{FixedClock, MockIssuer};
use tokio::sync::oneshot;

pub(crate) type Answer = Result<Option<TrustedIssuer>, ResolveError>;

/// A name that was asked about, and where the answer goes.
type Question = (String, oneshot::Sender<Answer>);

/// A resolver that is asked, and answers when the test says so.
#[derive(Clone, Default)]
pub(crate) struct Desk {
    questions: Arc<Mutex<Vec<Question>>>,
    asked: Arc<AtomicUsize>,
}

impl Desk {
    pub(crate) fn resolver(
        &self,
    ) -> impl Fn(String) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync + 'static {
        let this = self.clone();
        move |name| {
            this.asked.fetch_add(1, Ordering::SeqCst);
            let (answer, answered) = oneshot::channel();
            this.questions.lock().unwrap().push((name, answer));
            Box::pin(async move { answered.await? })
        }
    }

    pub(crate) fn answer(&self, answer: impl Fn(&str) -> Answer) {
        for (name, question) in self.questions.lock().unwrap().drain(..) {
            drop(question.send(answer(&name)));
        }
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

pub(crate) struct Scene {
    pub(crate) issuers: Issuers,
    pub(crate) desk: Desk,
    pub(crate) clock: FixedClock,
    pub(crate) admission: Admission,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let (issuers, desk, clock) = (Issuers::default(), Desk::default(), FixedClock::default());
        issuers.on_unknown(Allow::suffix(".tenants.test").unwrap(), desk.resolver()).unwrap();
        let jwt = JwtAuthenticator::issuers(issuers.clone());
        let admission = Admission::new(jwt).clock(clock.clone());
        Self { issuers, desk, clock, admission }
    }

    pub(crate) fn tenant(&self, name: &str) -> MockIssuer {
        MockIssuer::new().named(format!("https://{name}.tenants.test")).clock(self.clock.clone())
    }

    pub(crate) fn begin(&self, of: &MockIssuer) -> Waiting<Verified> {
        let Attempt::Waiting(mut waiting) = self.admission.verify(&of.token().sign()) else {
            unreachable!("it is decided already")
        };
        assert!(poll(&mut waiting).is_pending());
        waiting
    }

    pub(crate) fn code(&self, of: &MockIssuer) -> Option<Code> {
        self.outcome(of).err().map(|error| error.code())
    }

    /// What is decided without a question.
    pub(crate) fn outcome(&self, of: &MockIssuer) -> Result<Verified, AuthError> {
        self.admission.verify(&of.token().sign()).ready().unwrap()
    }
}

pub(crate) fn poll<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

pub(crate) fn done(mut waiting: Waiting<Verified>) -> Result<Verified, AuthError> {
    match poll(&mut waiting) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => unreachable!("the answer is there"),
    }
}
