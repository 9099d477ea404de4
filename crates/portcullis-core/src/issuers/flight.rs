//! [`Flight`]: one future that many requests wait for. This crate has no runtime, so the requests poll the future.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Wake, Waker},
};

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A future that is polled by any of the requests that wait for it, and whose output all of them get.
///
/// If a request is dropped, because its client has gone, the others continue. The future is dropped with the last request.
pub(super) struct Flight<T> {
    state: Mutex<State<T>>,
    /// The waker that the future is polled with. It must not keep the flight alive, because the flight owns the future, and what the future
    /// waits for owns the waker.
    waker: Waker,
}

struct State<T> {
    stage: Stage<T>,
    /// The wakers of the waiting requests, by request number. A request that was woken has no waker until it is polled.
    wakers: HashMap<u64, Option<Waker>>,
    joined: u64,
    /// Whether the future was woken and not polled since. Otherwise there is no use in polling it.
    is_due: bool,
}

enum Stage<T> {
    Ready(Work<T>),
    /// A request is polling it.
    Polled,
    /// `None` if it panicked, or if no request waits for it any more.
    Done(Option<T>),
}

impl<T: Clone + Send + 'static> Flight<T> {
    pub(super) fn new(work: impl Future<Output = T> + Send + 'static) -> Arc<Self> {
        let stage = Stage::Ready(Box::pin(work));
        let state = State { stage, wakers: HashMap::new(), joined: 0, is_due: true };
        Arc::new_cyclic(|flight| {
            let waker = Waker::from(Arc::new(WakeRequests(Weak::clone(flight))));
            Self { state: Mutex::new(state), waker }
        })
    }

    /// Adds a waiting request, and returns its number. The request has to [`leave`](Self::leave).
    pub(super) fn join(&self) -> u64 {
        let mut state = self.lock();
        state.joined += 1;
        let number = state.joined;
        state.wakers.insert(number, None);
        number
    }

    /// Removes a waiting request. If it was the last one, returns the abandoned future, which the caller must drop without holding a lock.
    ///
    /// No other request has to be woken for this, because all of them are woken whenever there is something to do.
    pub(super) fn leave(&self, number: u64) -> Option<Abandoned<T>> {
        let mut state = self.lock();
        state.wakers.remove(&number);
        if !state.wakers.is_empty() {
            return None;
        }
        Some(Abandoned { _stage: std::mem::replace(&mut state.stage, Stage::Done(None)) })
    }

    /// Polls the future. Returns `None` if it panicked, now or earlier.
    pub(super) fn poll(&self, number: u64, context: &Context<'_>) -> Poll<Option<T>> {
        let mut state = self.lock();
        state.wakers.insert(number, Some(context.waker().clone()));
        let work = match &state.stage {
            Stage::Done(output) => return Poll::Ready(output.clone()),
            Stage::Ready(_) if state.is_due => std::mem::replace(&mut state.stage, Stage::Polled),
            Stage::Ready(_) | Stage::Polled => return Poll::Pending,
        };
        state.is_due = false;
        drop(state);
        let Stage::Ready(work) = work else { return Poll::Pending };
        // Poll without the lock: the future is the application's code, which may take long, call this type, or panic.
        let mut turn = Turn { flight: self, stage: Stage::Done(None) };
        let (stage, poll) = poll_once(work, &mut Context::from_waker(&self.waker));
        turn.stage = stage;
        drop(turn);
        poll
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn poll_once<T: Clone>(mut work: Work<T>, context: &mut Context<'_>) -> (Stage<T>, Poll<Option<T>>) {
    match work.as_mut().poll(context) {
        Poll::Ready(output) => (Stage::Done(Some(output.clone())), Poll::Ready(Some(output))),
        Poll::Pending => (Stage::Ready(work), Poll::Pending),
    }
}

/// The future that the last request has abandoned, unless it has finished.
pub(super) struct Abandoned<T> {
    _stage: Stage<T>,
}

/// One request's turn to poll the future. When the turn ends, even by a panic, another request can have one.
struct Turn<'a, T: Clone + Send + 'static> {
    flight: &'a Flight<T>,
    stage: Stage<T>,
}

impl<T: Clone + Send + 'static> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        let mut state = self.flight.lock();
        state.stage = std::mem::replace(&mut self.stage, Stage::Polled);
        let is_done = matches!(state.stage, Stage::Done(_));
        // `is_due` means that the future was woken while it was being polled.
        let wakers = if is_done || state.is_due { state.take_wakers() } else { Vec::new() };
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<T> State<T> {
    fn take_wakers(&mut self) -> Vec<Waker> {
        self.wakers.values_mut().filter_map(Option::take).collect()
    }
}

/// Wakes all waiting requests, because any of them may be dropped or never polled again. The first one that is polled then polls the future.
struct WakeRequests<T>(Weak<Flight<T>>);

impl<T: Clone + Send + 'static> Wake for WakeRequests<T> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(flight) = self.0.upgrade() else { return };
        let mut state = flight.lock();
        state.is_due = true;
        if matches!(state.stage, Stage::Polled) {
            return; // the request that is polling it wakes the others
        }
        let wakers = state.take_wakers();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    struct Request {
        woken: Arc<Woken>,
        number: u64,
    }

    impl Request {
        fn of(flight: &Arc<Flight<u8>>) -> Self {
            Self { woken: Arc::default(), number: flight.join() }
        }

        fn poll(&self, flight: &Arc<Flight<u8>>) -> Poll<Option<u8>> {
            flight.poll(self.number, &Context::from_waker(&Waker::from(Arc::clone(&self.woken))))
        }

        fn leave(&self, flight: &Flight<u8>) {
            assert!(flight.leave(self.number).is_none(), "there are others");
        }

        fn woken(&self) -> usize {
            self.woken.0.load(Ordering::SeqCst)
        }
    }

    /// Returns a flight that ends when the sender sends, and the number of times its future was polled.
    fn flight() -> (Arc<Flight<u8>>, tokio::sync::oneshot::Sender<u8>, Arc<AtomicUsize>) {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let polled = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&polled);
        let mut receiver = Box::pin(receiver);
        let work = std::future::poll_fn(move |context| {
            count.fetch_add(1, Ordering::SeqCst);
            receiver.as_mut().poll(context).map(Result::unwrap)
        });
        (Flight::new(work), sender, polled)
    }

    #[test]
    fn all_waiting_requests_get_the_output() {
        let (flight, sender, _) = flight();
        let [one, other] = [(); 2].map(|()| Request::of(&flight));
        assert!(one.poll(&flight).is_pending() && other.poll(&flight).is_pending());
        sender.send(7).unwrap();
        assert!(one.woken() > 0 && other.woken() > 0);
        assert_eq!([other.poll(&flight), one.poll(&flight)], [Poll::Ready(Some(7)); 2]);
    }

    #[test]
    fn the_request_that_polled_may_leave() {
        let (flight, sender, polled) = flight();
        let [one, other] = [(); 2].map(|()| Request::of(&flight));
        assert!(other.poll(&flight).is_pending() && one.poll(&flight).is_pending());
        one.leave(&flight);
        assert_eq!((other.woken(), polled.load(Ordering::SeqCst)), (0, 1), "there is nothing to do yet");
        sender.send(7).unwrap();
        assert_eq!(other.woken(), 1);
        assert_eq!(other.poll(&flight), Poll::Ready(Some(7)));
        assert!(flight.leave(other.number).is_some(), "it was the last");
    }

    #[test]
    fn a_woken_request_may_leave_or_not_be_polled() {
        let (flight, sender, _) = flight();
        let [gone, idle, one] = [(); 3].map(|()| Request::of(&flight));
        assert!([&gone, &idle, &one].iter().all(|request| request.poll(&flight).is_pending()));
        sender.send(7).unwrap();
        gone.leave(&flight);
        assert_eq!([idle.woken(), one.woken()], [1, 1]);
        assert_eq!(one.poll(&flight), Poll::Ready(Some(7)));
    }

    #[test]
    fn the_future_is_dropped_with_the_last_request_although_its_waker_lives_on() {
        struct Held(Arc<AtomicUsize>);
        impl Drop for Held {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let (dropped, kept) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(None)));
        let (held, waker) = (Held(Arc::clone(&dropped)), Arc::clone(&kept));
        let flight = Flight::new(std::future::poll_fn(move |context| {
            let _is_held = &held;
            *waker.lock().unwrap() = Some(context.waker().clone());
            Poll::<u8>::Pending
        }));
        let [one, last] = [(); 2].map(|()| Request::of(&flight));
        assert!(one.poll(&flight).is_pending() && last.poll(&flight).is_pending());
        one.leave(&flight);
        assert_eq!(dropped.load(Ordering::SeqCst), 0, "another one waits for it");
        drop(flight.leave(last.number));
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
        drop(flight);
        kept.lock().unwrap().take().unwrap().wake(); // its flight is gone
    }

    #[test]
    fn a_wake_during_a_poll_is_not_lost() {
        let mut polls = 0;
        let work = std::future::poll_fn(move |context: &mut Context<'_>| {
            polls += 1;
            context.waker().wake_by_ref();
            if polls < 3 { Poll::Pending } else { Poll::Ready(7) }
        });
        let flight = Flight::new(work);
        let [one, other] = [(); 2].map(|()| Request::of(&flight));
        assert!(one.poll(&flight).is_pending());
        assert_eq!(one.woken(), 1);
        assert!(other.poll(&flight).is_pending());
        assert_eq!([one.woken(), other.woken()], [1, 1], "a waker is used once for each poll");
        assert_eq!(one.poll(&flight), Poll::Ready(Some(7)));
        assert_eq!(other.poll(&flight), Poll::Ready(Some(7)));
    }

    #[test]
    fn a_panic_ends_the_wait_of_all_requests() {
        let work = std::future::poll_fn(|_| -> Poll<u8> { panic!("on purpose") });
        let flight = Flight::new(work);
        let [one, other] = [(); 2].map(|()| Request::of(&flight));
        assert!(catch_unwind(AssertUnwindSafe(|| one.poll(&flight))).is_err());
        assert_eq!(other.poll(&flight), Poll::Ready(None));
    }
}
