//! [`Gate`]: what every call of the store, the log and the application goes through, so that it can fail or never come back.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use portcullis_core::{
    revocation::{Cursor, LogError, Page, Revocation, Revoker},
    verified::NoCustom,
};
use portcullis_issuer::refresh::{
    EndReason, Family, FamilyId, Grant, MemoryRefreshStore, Millis, Opened, Outcome, RefreshStore, Step, StoreError,
    SubjectError, Subjects,
};

/// What goes wrong during one call of the sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// This inner call fails, and has no effect.
    FailsBefore(usize),
    /// This inner call fails, and took effect.
    FailsAfter(usize),
    /// The caller goes away at this await.
    HangsUp(usize),
}

#[derive(Debug)]
pub(crate) struct Gate {
    fault: Mutex<Fault>,
    calls: AtomicUsize,
}

impl Gate {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { fault: Mutex::new(Fault::None), calls: AtomicUsize::new(0) })
    }

    /// Drives a call to its end, or up to the await at which its caller goes away.
    pub(crate) fn drive<T>(&self, fault: Fault, call: impl Future<Output = T>) -> Option<T> {
        *self.fault.lock().unwrap() = fault;
        self.calls.store(0, Ordering::SeqCst);
        let mut call = pin!(call);
        for at in 0.. {
            if fault == Fault::HangsUp(at) {
                return None;
            }
            if let Poll::Ready(outcome) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return Some(outcome);
            }
        }
        None
    }

    /// Drives calls to their ends; the one that goes on next is drawn.
    pub(crate) fn in_any_order<T>(
        &self,
        calls: Vec<Pin<Box<dyn Future<Output = T> + '_>>>,
        chance: &mut fastrand::Rng,
    ) -> Vec<T> {
        *self.fault.lock().unwrap() = Fault::None;
        let (mut under_way, mut done) = (calls, Vec::new());
        while !under_way.is_empty() {
            let at = chance.usize(..under_way.len());
            if let Poll::Ready(outcome) = under_way[at].as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                done.push(outcome);
                drop(under_way.swap_remove(at));
            }
        }
        done
    }

    /// Lets a call through, with an await before and after its effect.
    async fn pass<T>(&self, effect: impl Future<Output = T>) -> Option<T> {
        let at = self.calls.fetch_add(1, Ordering::SeqCst);
        let fault = *self.fault.lock().unwrap();
        once().await;
        if fault == Fault::FailsBefore(at) {
            return None;
        }
        let done = effect.await;
        once().await;
        (fault != Fault::FailsAfter(at)).then_some(done)
    }
}

/// Is pending once.
async fn once() {
    let mut is_ready = false;
    poll_fn(|context| {
        if std::mem::replace(&mut is_ready, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[derive(Clone, Debug)]
pub(crate) struct Gated<T> {
    pub(crate) inner: T,
    pub(crate) gate: Arc<Gate>,
}

fn failed() -> StoreError {
    StoreError::new("as the test wants it")
}

impl RefreshStore for Gated<MemoryRefreshStore> {
    async fn now(&self) -> Result<Millis, StoreError> {
        self.gate.pass(self.inner.now()).await.ok_or_else(failed)?
    }

    async fn open(&self, family: Family) -> Result<Opened, StoreError> {
        self.gate.pass(self.inner.open(family)).await.ok_or_else(failed)?
    }

    async fn find(&self, family: FamilyId) -> Result<(Option<Family>, Millis), StoreError> {
        self.gate.pass(self.inner.find(family)).await.ok_or_else(failed)?
    }

    async fn rotate(&self, step: Step<'_>) -> Result<Outcome, StoreError> {
        self.gate.pass(self.inner.rotate(step)).await.ok_or_else(failed)?
    }

    async fn end(&self, family: FamilyId, reason: EndReason) -> Result<(), StoreError> {
        self.gate.pass(self.inner.end(family, reason)).await.ok_or_else(failed)?
    }

    async fn end_all_of(
        &self,
        subject: &str,
        except: Option<FamilyId>,
        reason: EndReason,
    ) -> Result<Vec<FamilyId>, StoreError> {
        self.gate.pass(self.inner.end_all_of(subject, except, reason)).await.ok_or_else(failed)?
    }

    async fn families_of(&self, subject: &str) -> Result<Vec<Family>, StoreError> {
        self.gate.pass(self.inner.families_of(subject)).await.ok_or_else(failed)?
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        self.gate.pass(self.inner.forget_before(before)).await.ok_or_else(failed)?
    }
}

impl<R: Revoker> Revoker for Gated<R> {
    async fn revoke_all(&self, revocations: Vec<Revocation>) -> Result<(), LogError> {
        let failed = || LogError::unavailable("as the test wants it");
        self.gate.pass(self.inner.revoke_all(revocations)).await.ok_or_else(failed)?
    }

    async fn list(&self, cursor: Option<&Cursor>) -> Result<Page, LogError> {
        self.inner.list(cursor).await
    }
}

/// The application, in which each user keeps its rights.
#[derive(Clone, Debug)]
pub(crate) struct Application(pub(crate) Arc<Gate>);

impl Subjects for Application {
    type Custom = NoCustom;

    async fn current(&self, _: &Family) -> Result<Grant, SubjectError> {
        self.0.pass(async { Grant::all_scopes() }).await.ok_or_else(|| SubjectError::Unavailable(failed()))
    }
}
