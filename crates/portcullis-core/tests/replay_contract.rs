//! The contract of stores of used proofs: the store in memory keeps it, and each of its checks notices a store that does not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "../../../tests/tests/support/planted.rs"]
mod planted;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use portcullis_core::{
    AuthError, Code, UnixTime,
    authenticator::Attempt,
    possession::{MemoryReplayStore, Once, ReplayKey, ReplayStore},
};
use portcullis_test::contract::{Possible, ReplayPlace, ReplayStoreContract, ReplaySwitch};
use tokio::task::yield_now;

/// How many ids the stores here have room for.
const ROOM: usize = 5000;

/// The store in memory.
struct InMemory(MemoryReplayStore);

impl ReplayPlace for InMemory {
    type Store = MemoryReplayStore;

    async fn open(&self) -> MemoryReplayStore {
        self.0.clone()
    }

    async fn crash(&mut self) -> Possible {
        Possible::No
    }

    async fn cut_off(&mut self) -> Possible {
        Possible::No
    }

    async fn reconnect(&mut self) {}

    async fn fill(&mut self) -> Possible {
        let (until, now) = (UnixTime::from_secs(1_800_000_060), UnixTime::from_secs(1_800_000_000));
        for number in 0..=ROOM {
            let key = ReplayKey::new("filling", number.to_be_bytes());
            if self.0.accept_once(key, until, now).ready().unwrap().is_err() {
                return Possible::Yes;
            }
        }
        panic!("there is still room");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_in_memory_keeps_the_contract() {
    let contract = ReplayStoreContract::new(InMemory(MemoryReplayStore::with_limit(ROOM)));
    let contract = contract.without(ReplaySwitch::Crash, "it ends with the process");
    contract.without(ReplaySwitch::CutOff, "it is in the process").check().await;
}

planted::faults! {
    /// Every proof is new.
    AcceptsAll,
    /// No proof is new.
    AcceptsNone,
    /// Only the second proof after a new one is refused.
    AcceptsEveryOther,
    /// A proof is remembered for half a minute.
    ForgetsEarly,
    /// A proof with a new end is another proof.
    EndCounts,
    /// Ids are mistaken for each other.
    Collides,
    /// A proof whose time is over is accepted.
    AcceptsOver,
    /// A proof whose time is over was used before.
    RefusesOver,
    /// Whether a proof is new is known before it is stored, with a turn for others in between.
    NotAtomic,
    /// Each instance has its own ids.
    NotShared,
    /// It says that it answers at once, and has to be waited for.
    NotAtOnce,
    /// What cannot be reached accepts every proof.
    OutageAccepts,
    /// What cannot be reached refuses every proof.
    OutageRefuses,
    /// What cannot be reached is an error of another kind.
    OutageIsRefusal,
    /// An outage loses the ids.
    OutageForgets,
    /// A crash loses the ids.
    CrashForgets,
    /// A full store accepts every proof.
    FullAccepts,
    /// A full store refuses every proof.
    FullRefuses,
    /// A full store forgets what it has.
    FullForgets,
}

/// A store that can have a fault.
#[derive(Clone, Debug)]
struct Faulty {
    fault: Option<Fault>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    ids: Mutex<HashSet<(ReplayKey, UnixTime)>>,
    is_cut_off: AtomicBool,
    is_full: AtomicBool,
}

impl Faulty {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn contains(&self, key: ReplayKey, until: UnixTime, now: UnixTime) -> bool {
        let early = std::time::Duration::from_secs(30);
        let ids = self.shared.ids.lock().unwrap();
        ids.iter().any(|(known, end)| {
            let is_same = match self.fault {
                Some(Fault::Collides) => known.as_bytes()[0] == key.as_bytes()[0],
                Some(Fault::EndCounts) => *known == key && *end == until,
                _ => *known == key,
            };
            is_same && !(self.has(Fault::ForgetsEarly) && end.minus(early) <= now)
        })
    }

    fn undecided<T>() -> Result<T, AuthError> {
        Err(AuthError::new(Code::ReplayUndecided).with_retry_after(std::time::Duration::from_secs(1)))
    }

    /// What is answered without looking at the ids.
    fn without_looking(&self, until: UnixTime, now: UnixTime) -> Option<Result<Once, AuthError>> {
        if self.shared.is_cut_off.load(Ordering::Relaxed) {
            return Some(match self.fault {
                Some(Fault::OutageAccepts) => Ok(Once::First),
                Some(Fault::OutageRefuses) => Ok(Once::Repeated),
                Some(Fault::OutageIsRefusal) => Err(AuthError::new(Code::ProofReplayed)),
                _ => Self::undecided(),
            });
        }
        match self.fault {
            Some(Fault::AcceptsAll) => Some(Ok(Once::First)),
            Some(Fault::AcceptsNone) => Some(Ok(Once::Repeated)),
            Some(Fault::AcceptsOver) if until <= now => Some(Ok(Once::First)),
            Some(Fault::RefusesOver) if until <= now => Some(Ok(Once::Repeated)),
            _ if until <= now => Some(Self::undecided()),
            _ => None,
        }
    }

    async fn ask(self, key: ReplayKey, until: UnixTime, now: UnixTime) -> Result<Once, AuthError> {
        if let Some(answer) = self.without_looking(until, now) {
            return answer;
        }
        let is_known = self.contains(key, until, now);
        if self.has(Fault::NotAtomic) {
            yield_now().await;
        }
        if is_known {
            if self.has(Fault::AcceptsEveryOther) {
                self.shared.ids.lock().unwrap().retain(|(known, _)| *known != key);
            }
            return Ok(Once::Repeated);
        }
        if self.shared.is_full.load(Ordering::Relaxed) {
            return match self.fault {
                Some(Fault::FullAccepts) => Ok(Once::First),
                Some(Fault::FullRefuses) => Ok(Once::Repeated),
                _ => Self::undecided(),
            };
        }
        self.shared.ids.lock().unwrap().insert((key, until));
        Ok(Once::First)
    }
}

impl ReplayStore for Faulty {
    fn accept_once(&self, key: ReplayKey, until: UnixTime, now: UnixTime) -> Attempt<Once> {
        Attempt::waiting(self.clone().ask(key, until, now))
    }

    fn answers_at_once(&self) -> bool {
        self.has(Fault::NotAtOnce)
    }
}

struct WithFault(Faulty);

impl WithFault {
    fn new(fault: Option<Fault>) -> Self {
        Self(Faulty { fault, shared: Arc::default() })
    }

    fn forget_if(&self, fault: Fault) {
        if self.0.has(fault) {
            self.0.shared.ids.lock().unwrap().clear();
        }
    }
}

impl ReplayPlace for WithFault {
    type Store = Faulty;

    async fn open(&self) -> Faulty {
        if self.0.has(Fault::NotShared) {
            return Faulty { fault: self.0.fault, shared: Arc::default() };
        }
        self.0.clone()
    }

    async fn crash(&mut self) -> Possible {
        self.forget_if(Fault::CrashForgets);
        Possible::Yes
    }

    async fn cut_off(&mut self) -> Possible {
        self.forget_if(Fault::OutageForgets);
        self.0.shared.is_cut_off.store(true, Ordering::Relaxed);
        Possible::Yes
    }

    async fn reconnect(&mut self) {
        self.0.shared.is_cut_off.store(false, Ordering::Relaxed);
    }

    async fn fill(&mut self) -> Possible {
        self.forget_if(Fault::FullForgets);
        self.0.shared.is_full.store(!self.0.has(Fault::FullForgets), Ordering::Relaxed);
        Possible::Yes
    }
}

#[tokio::test(start_paused = true)]
async fn the_store_of_the_faults_keeps_the_contract_without_one() {
    ReplayStoreContract::new(WithFault::new(None)).check().await;
}

#[test]
fn every_planted_fault_is_noticed() {
    planted::require_each_noticed(Fault::ALL, |fault| ReplayStoreContract::new(WithFault::new(Some(fault))).check());
}

#[tokio::test]
#[should_panic(expected = "the place can crash, although its test declares that it cannot")]
async fn a_fault_that_can_happen_must_not_be_declared_away() {
    let contract = ReplayStoreContract::new(WithFault::new(None));
    contract.without(ReplaySwitch::Crash, "that would be easy").check().await;
}

#[tokio::test]
#[should_panic(expected = "its test does not declare that")]
async fn a_fault_that_cannot_happen_has_to_be_declared() {
    ReplayStoreContract::new(InMemory(MemoryReplayStore::with_limit(ROOM))).check().await;
}

/// Two instances, which have one store, and 1000 requests with the same proof at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pitfall_7_of_a_thousand_concurrent_duplicates_one_is_accepted_in_memory() {
    let store = MemoryReplayStore::new();
    for round in 0_u32..5 {
        let (until, now) = (UnixTime::from_secs(1_800_000_060), UnixTime::from_secs(1_800_000_000));
        let mut requests = tokio::task::JoinSet::new();
        for number in 0..1000 {
            let instance = store.clone();
            requests.spawn(async move {
                let id = if number < 999 { round.to_be_bytes() } else { [0xff; 4] };
                instance.accept_once(ReplayKey::new("alice", id), until, now).outcome().await.unwrap()
            });
        }
        let first = requests.join_all().await.into_iter().filter(|answer| *answer == Once::First).count();
        // One of the duplicates, and once the proof beside them.
        assert_eq!(first, 1 + usize::from(round == 0));
    }
}
