//! The contract of stores of floors: the store in memory keeps it, and each of its checks notices a store that does not.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../tests/tests/support/planted.rs"]
mod planted;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use portcullis_core::{
    UnixTime,
    floors::{FloorError, FloorStore, MemoryFloors, SharedFloors, check_name},
};
use portcullis_test::contract::{FloorPlace, FloorStoreContract, FloorSwitch, Possible};
use tokio::task::yield_now;

struct InMemory(SharedFloors);

impl FloorPlace for InMemory {
    type Store = SharedFloors;

    async fn open(&self) -> SharedFloors {
        self.0.clone()
    }

    async fn open_small(&self, names: usize) -> SharedFloors {
        SharedFloors::new(MemoryFloors::with_limit(names))
    }

    async fn crash(&mut self) -> Possible {
        Possible::No
    }

    async fn cut_off(&mut self) -> Possible {
        Possible::No
    }

    async fn reconnect(&mut self) {}
}

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract() {
    let contract = FloorStoreContract::new(InMemory(SharedFloors::new(Arc::new(MemoryFloors::new()))));
    let contract = contract.without(FloorSwitch::Crash, "it ends with the process");
    contract.without(FloorSwitch::CutOff, "it is in the process").check().await;
}

#[tokio::test]
async fn a_hundred_thousand_names_are_kept_and_one_more_is_an_error() {
    let floors = MemoryFloors::default();
    for number in 0..100_000 {
        floors.raise(&number.to_string(), UnixTime::EPOCH).await.unwrap();
    }
    assert!(floors.raise("one more", UnixTime::EPOCH).await.is_err());
    assert!(floors.raise("99999", UnixTime::MAX).await.is_ok());
    assert_eq!(floors.load().await.unwrap().len(), 100_000);
}

planted::faults! {
    /// The last time counts, instead of the highest.
    LastCounts,
    /// The first time counts.
    FirstCounts,
    /// The answer is the time that was asked for.
    AnswersWithTheQuestion,
    /// The floor is read, and then raised, with a turn for others in between.
    NotAtomic,
    /// Nothing is stored.
    StoresNothing,
    /// The lowest time is not stored.
    IgnoresZero,
    /// The highest time is stored as another one.
    Overflows,
    /// A handle sees what was there when it was opened.
    SeesTheBeginning,
    /// Upper and lower case are the same.
    IgnoresCase,
    /// White space around a name is removed.
    TrimsNames,
    /// A name ends with its first line.
    FirstLineOnly,
    /// Long names are cut off.
    CutsNames,
    /// Names of any length are stored.
    AnyName,
    /// A bad name is refused, and stored.
    StoresBadNames,
    /// A reset does nothing.
    ResetsNothing,
    /// A reset forgets all floors.
    ResetsAll,
    /// A reset says nothing about what it has forgotten.
    ResetIsSilent,
    /// There may be any number of names.
    NoLimit,
    /// A new name in a full store takes the place of another one.
    Evicts,
    /// A new name in a full store is dropped without a word.
    DropsNew,
    /// A full store does not raise floors either.
    FullIsFrozen,
    /// A name that was reset still takes a place.
    ResetKeepsPlace,
    /// What cannot be reached is empty.
    OutageIsEmpty,
    /// What cannot be reached says that it has raised a floor.
    OutageRaises,
    /// What cannot be reached says that it has reset a floor.
    OutageResets,
    /// An outage loses the floors.
    OutageForgets,
    /// A crash loses the last change.
    CrashForgetsLast,
    /// A crash loses everything.
    CrashForgetsAll,
}

/// A store that can have a fault.
#[derive(Debug)]
struct Faulty {
    fault: Option<Fault>,
    limit: usize,
    shared: Arc<Shared>,
    beginning: HashMap<String, UnixTime>,
}

#[derive(Debug, Default)]
struct Shared {
    floors: Mutex<HashMap<String, UnixTime>>,
    before: Mutex<HashMap<String, UnixTime>>,
    resets: Mutex<usize>,
    is_cut_off: AtomicBool,
}

impl Faulty {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn reach(&self) -> Result<(), FloorError> {
        if self.shared.is_cut_off.load(Ordering::Relaxed) {
            return Err(FloorError::unavailable("cut off"));
        }
        Ok(())
    }

    fn name(&self, name: &str) -> String {
        let name = match self.fault {
            Some(Fault::IgnoresCase) => &name.to_lowercase(),
            Some(Fault::TrimsNames) => name.trim_matches(' '),
            Some(Fault::FirstLineOnly) => name.lines().next().unwrap_or_default(),
            Some(Fault::CutsNames) => name.get(..200).unwrap_or(name),
            _ => name,
        };
        name.to_owned()
    }

    fn next(&self, before: Option<UnixTime>, time: UnixTime) -> UnixTime {
        match self.fault {
            Some(Fault::LastCounts) => time,
            Some(Fault::FirstCounts) => before.unwrap_or(time),
            Some(Fault::Overflows) if time == UnixTime::MAX => UnixTime::from_secs(i32::MAX.unsigned_abs().into()),
            _ => before.map_or(time, |before| before.max(time)),
        }
    }

    /// Returns the answer if there is no room for the name.
    fn full(&self, name: &str, time: UnixTime) -> Option<Result<UnixTime, FloorError>> {
        let mut floors = self.shared.floors.lock().unwrap();
        let taken = if self.has(Fault::ResetKeepsPlace) { *self.shared.resets.lock().unwrap() } else { 0 };
        let is_full = floors.len() + taken >= self.limit && !self.has(Fault::NoLimit);
        if !is_full || (floors.contains_key(name) && !self.has(Fault::FullIsFrozen)) {
            return None;
        }
        match self.fault {
            Some(Fault::Evicts) => {
                let other = floors.keys().next().unwrap().clone();
                floors.remove(&other);
                None
            }
            Some(Fault::DropsNew) => Some(Ok(time)),
            _ => Some(Err(FloorError::full(self.limit))),
        }
    }
}

impl FloorStore for Faulty {
    async fn load(&self) -> Result<HashMap<String, UnixTime>, FloorError> {
        match self.reach() {
            Err(_) if self.has(Fault::OutageIsEmpty) => return Ok(HashMap::new()),
            reached => reached?,
        }
        if self.has(Fault::SeesTheBeginning) {
            return Ok(self.beginning.clone());
        }
        Ok(self.shared.floors.lock().unwrap().clone())
    }

    async fn raise(&self, name: &str, time: UnixTime) -> Result<UnixTime, FloorError> {
        match self.reach() {
            Err(_) if self.has(Fault::OutageRaises) => return Ok(time),
            reached => reached?,
        }
        match check_name(name) {
            Err(error) if self.has(Fault::StoresBadNames) => {
                self.shared.floors.lock().unwrap().insert(name.to_owned(), time);
                return Err(error);
            }
            checked if !self.has(Fault::AnyName) => checked?,
            _ => {}
        }
        let name = self.name(name);
        if let Some(answer) = self.full(&name, time) {
            return answer;
        }
        let known = self.shared.floors.lock().unwrap().get(&name).copied();
        if self.has(Fault::NotAtomic) {
            yield_now().await;
        }
        let floor = self.next(known, time);
        let is_ignored = self.has(Fault::StoresNothing) || (self.has(Fault::IgnoresZero) && time == UnixTime::EPOCH);
        if !is_ignored {
            let mut floors = self.shared.floors.lock().unwrap();
            self.shared.before.lock().unwrap().clone_from(&floors);
            floors.insert(name, floor);
        }
        Ok(if self.has(Fault::AnswersWithTheQuestion) { time } else { floor })
    }

    async fn reset(&self, name: &str) -> Result<Option<UnixTime>, FloorError> {
        match self.reach() {
            Err(_) if self.has(Fault::OutageResets) => return Ok(None),
            reached => reached?,
        }
        let mut floors = self.shared.floors.lock().unwrap();
        let known = floors.get(name).copied();
        *self.shared.resets.lock().unwrap() += 1;
        match self.fault {
            Some(Fault::ResetsNothing) => {}
            Some(Fault::ResetsAll) => floors.clear(),
            _ => drop(floors.remove(name)),
        }
        Ok(known.filter(|_| !self.has(Fault::ResetIsSilent)))
    }
}

struct WithFault {
    fault: Option<Fault>,
    shared: Arc<Shared>,
}

impl FloorPlace for WithFault {
    type Store = Faulty;

    async fn open(&self) -> Faulty {
        let beginning = self.shared.floors.lock().unwrap().clone();
        Faulty { fault: self.fault, limit: 1000, shared: Arc::clone(&self.shared), beginning }
    }

    async fn open_small(&self, names: usize) -> Faulty {
        Faulty { fault: self.fault, limit: names, shared: Arc::default(), beginning: HashMap::new() }
    }

    async fn crash(&mut self) -> Possible {
        let mut floors = self.shared.floors.lock().unwrap();
        match self.fault {
            Some(Fault::CrashForgetsLast) => floors.clone_from(&self.shared.before.lock().unwrap()),
            Some(Fault::CrashForgetsAll) => floors.clear(),
            _ => {}
        }
        Possible::Yes
    }

    async fn cut_off(&mut self) -> Possible {
        if self.fault == Some(Fault::OutageForgets) {
            self.shared.floors.lock().unwrap().clear();
        }
        self.shared.is_cut_off.store(true, Ordering::Relaxed);
        Possible::Yes
    }

    async fn reconnect(&mut self) {
        self.shared.is_cut_off.store(false, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn the_store_of_the_faults_keeps_the_contract_without_one() {
    FloorStoreContract::new(WithFault { fault: None, shared: Arc::default() }).check().await;
}

#[test]
fn every_planted_fault_is_noticed() {
    planted::require_each_noticed(Fault::ALL, |fault| {
        FloorStoreContract::new(WithFault { fault: Some(fault), shared: Arc::default() }).check()
    });
}
