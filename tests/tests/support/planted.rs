//! Faults that a test plants in a store or another part, so that the part's contract has to notice each of them.

use std::{fmt, thread};

use tokio::runtime::Builder;

/// Defines `Fault`: what is wrong, a variant for each fault.
macro_rules! faults {
    ($($(#[doc = $doc:literal])* $fault:ident),+ $(,)?) => {
        /// What is wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fault {
            $($(#[doc = $doc])* $fault,)+
        }

        impl Fault {
            pub(crate) const ALL: &[Self] = &[$(Self::$fault,)+];
        }
    };
}

pub(crate) use faults;

/// Requires that the check of the contract panics with each of these faults. `check` builds a store with the fault, and runs the
/// contract on it, with the time of tokio paused.
pub(crate) fn require_each_noticed<F, C>(faults: &[F], check: impl Fn(F) -> C + Sync)
where
    F: Copy + fmt::Debug + PartialEq + Send + Sync,
    C: Future<Output = ()>,
{
    let is_unnoticed = |fault: &F| {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        // On a thread of its own, which panics if the contract notices the fault.
        thread::scope(|scope| scope.spawn(|| runtime.block_on(check(*fault))).join().is_ok())
    };
    let unnoticed: Vec<_> = faults.iter().copied().filter(is_unnoticed).collect();
    assert_eq!(unnoticed, [], "faults that no check of the contract notices");
}
