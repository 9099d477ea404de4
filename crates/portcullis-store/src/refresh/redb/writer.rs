//! [`Writer`]: the one thread that works on the file.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
};

use portcullis_core::{Clock, revocation::LogError};
use portcullis_issuer::refresh::{Millis, StoreError};
use redb::{Database, StorageError, WriteTransaction};
use tokio::sync::oneshot;

use super::tables::Tables;
use crate::{
    redb::{
        access,
        error::{Purpose, failed},
    },
    refresh::unlisted::Unlisted,
};

const PURPOSE: Purpose = Purpose {
    name: "store of refresh tokens",
    without: "all users have to log in again",
    instead: "a store with a server, which several instances can share",
};

/// How many calls share one transaction at most.
const TOGETHER: usize = 256;

/// The channel to the thread. When it is dropped, the thread ends, and the file is closed.
pub(crate) struct Writer {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    /// `None` while it is being dropped.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    pub(super) unlisted: Unlisted,
}

/// Works on the tables at this instant, or learns why there are none. Returns the file's error, if there is one, and what tells the caller.
type Job = Box<dyn FnOnce(Result<(&mut Tables<'_>, Millis), StoreError>) -> (Result<(), StorageError>, Tell) + Send>;

/// Tells the caller its answer, or that the transaction failed.
type Tell = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

impl Writer {
    /// Opens the file, of which `cache` bytes are kept in memory, and starts the thread.
    pub(super) fn start(path: &Path, clock: Arc<dyn Clock>, cache: usize) -> Result<Self, StoreError> {
        let file = open(path, cache)?;
        let (jobs, waiting) = channel();
        let work = Work { path: path.into(), file: Some(file), clock: Arc::clone(&clock), cache };
        let thread = thread::Builder::new().name("refresh-store".to_owned()).spawn(move || work.run(&waiting));
        let thread = thread.map_err(|error| StoreError::new("no thread can be started").with_source(error))?;
        Ok(Self { path: path.into(), clock, jobs: Some(jobs), thread: Some(thread), unlisted: Unlisted::default() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn now(&self) -> Millis {
        self.clock.precise_now().into()
    }

    /// Returns what `work` answers, once what it wrote, and all that it read, is on the disk.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tables<'_>, Millis) -> Result<Result<T, StoreError>, StorageError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, answer) = oneshot::channel();
        let job: Job = Box::new(move |tables| {
            let (worked, outcome) = match tables.map(|(tables, now)| work(tables, now)) {
                Ok(Ok(outcome)) => (Ok(()), outcome),
                Ok(Err(error)) => (Err(error), Err(ended())),
                Err(error) => (Ok(()), Err(error)),
            };
            (worked, Box::new(move |committed| drop(done.send(committed.and(outcome)))))
        });
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or_else(ended)?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }
}

fn ended() -> StoreError {
    StoreError::new("the thread that writes the store has ended")
}

impl Drop for Writer {
    /// Waits until the queued calls are done and the file is closed, so that it can be opened again. This takes milliseconds.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The state of the thread.
struct Work {
    path: PathBuf,
    /// `None` after a failure: redb then needs the file to be opened again.
    file: Option<Database>,
    clock: Arc<dyn Clock>,
    cache: usize,
}

impl Work {
    /// Works until all senders are gone.
    fn run(mut self, waiting: &Receiver<Job>) {
        while let Ok(job) = waiting.recv() {
            let jobs: Vec<_> = std::iter::once(job).chain(waiting.try_iter().take(TOGETHER - 1)).collect();
            let mut tells = Vec::with_capacity(jobs.len());
            let outcome = self.transact(jobs, &mut tells).map_err(StoreError::from);
            for tell in tells {
                tell(outcome.clone());
            }
        }
    }

    /// Does all jobs in one transaction, which is committed only if one of them has written.
    fn transact(&mut self, jobs: Vec<Job>, tells: &mut Vec<Tell>) -> Result<(), LogError> {
        let (file, transaction) = match self.begin() {
            Ok(begun) => begun,
            Err(error) => {
                tells.extend(jobs.into_iter().map(|job| job(Err(error.clone().into())).1));
                return Err(error);
            }
        };
        // Each transaction has its own instant, which is read after the one before is on the disk: no age is negative.
        let now = self.clock.precise_now().into();
        work(transaction, jobs, now, tells).map_err(|error| failed(PURPOSE, error))?;
        self.file = Some(file);
        Ok(())
    }

    fn begin(&mut self) -> Result<(Database, WriteTransaction), LogError> {
        let file = self.file.take().map_or_else(|| open(&self.path, self.cache), Ok)?;
        let transaction = file.begin_write().map_err(|error| failed(PURPOSE, error))?; // durable with its commit, by default
        Ok((file, transaction))
    }
}

fn work(transaction: WriteTransaction, jobs: Vec<Job>, now: Millis, tells: &mut Vec<Tell>) -> Result<(), redb::Error> {
    let mut tables = Tables::of(&transaction)?;
    let mut outcome = Ok(());
    for job in jobs {
        // After a failure the other callers are told as well, and nothing is committed.
        let (done, tell) = job(Ok((&mut tables, now)));
        tells.push(tell);
        outcome = outcome.and(done);
    }
    let is_written = tables.are_written();
    drop(tables);
    outcome?;
    if is_written {
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok(())
}

fn open(path: &Path, cache: usize) -> Result<Database, LogError> {
    let file = access::open(path, PURPOSE, cache)?;
    let create = || -> Result<(), redb::Error> {
        let transaction = file.begin_write()?;
        Tables::create(&transaction)?;
        Ok(transaction.commit()?)
    };
    create().map_err(|error| failed(PURPOSE, error))?;
    Ok(file)
}
