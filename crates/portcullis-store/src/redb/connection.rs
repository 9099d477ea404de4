//! [`Connection`]: the channel to the one thread that works on the file.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
};

use portcullis_core::{
    Clock,
    revocation::{Cursor, LogError, Page, RevocationEntry},
};
use redb::Database;
use tokio::sync::{oneshot, watch};

use super::{access, append, error, follow::News, read, survey};

/// The channel to the thread. When it is dropped, the thread ends, and the file is closed.
#[derive(Debug)]
pub(super) struct Connection {
    path: PathBuf,
    /// `None` while it is being dropped.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// The position of the last entry.
    appended: watch::Sender<u64>,
}

enum Job {
    Append(Append),
    Read(Option<Cursor>, oneshot::Sender<Result<Page, LogError>>),
}

struct Append {
    entries: Vec<RevocationEntry>,
    done: oneshot::Sender<Result<(), LogError>>,
}

/// The size of the cache. It is small because the file is read only once, from the beginning to the end.
const CACHE: usize = 8 * 1024 * 1024;

/// How many calls are written together at most.
const TOGETHER: usize = 256;

impl Connection {
    /// Opens the file and starts the thread.
    pub(super) fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, LogError> {
        let file = open_file(path)?;
        let (jobs, waiting) = channel();
        let appended = watch::Sender::new(0);
        let work = Work { path: path.into(), file: Some(file), clock, appended: appended.clone() };
        let thread = thread::Builder::new().name("revocation-log".to_owned());
        let thread = thread
            .spawn(move || work.run(&waiting))
            .map_err(|error| LogError::unavailable("no thread can be started").with_source(error))?;
        Ok(Self { path: path.into(), jobs: Some(jobs), thread: Some(thread), appended })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a [`News`] that tells whether anything was appended after this call.
    pub(super) fn news(&self) -> News {
        News::of(&self.appended)
    }

    pub(super) async fn append(&self, entries: &[RevocationEntry]) -> Result<(), LogError> {
        let (done, answer) = oneshot::channel();
        self.ask(Job::Append(Append { entries: entries.to_vec(), done }), answer).await
    }

    pub(super) async fn read(&self, after: Option<Cursor>) -> Result<Page, LogError> {
        let (done, answer) = oneshot::channel();
        self.ask(Job::Read(after, done), answer).await
    }

    async fn ask<T>(&self, job: Job, answer: oneshot::Receiver<Result<T, LogError>>) -> Result<T, LogError> {
        let ended = || LogError::unavailable("the thread that writes the log of revocations has ended");
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or_else(ended)?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }
}

impl Drop for Connection {
    /// Waits until the queued entries are written and the file is closed, so that it can be opened again. This takes
    /// milliseconds.
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
    appended: watch::Sender<u64>,
}

impl Work {
    /// Works until all senders are gone.
    fn run(mut self, waiting: &Receiver<Job>) {
        while let Ok(job) = waiting.recv() {
            let mut appends = Vec::new();
            let mut next = Some(job);
            while let Some(job) = next {
                match job {
                    Job::Append(append) => appends.push(append),
                    Job::Read(after, done) => {
                        let _ = done.send(self.with_file(|file| read::page(file, after.as_ref())));
                    }
                }
                next = if appends.len() < TOGETHER { waiting.try_recv().ok() } else { None };
            }
            self.append(appends);
        }
    }

    /// Writes all appends in one transaction, so all their callers are told once it is on the disk.
    fn append(&mut self, appends: Vec<Append>) {
        if appends.is_empty() {
            return;
        }
        let now = self.clock.now();
        let entries = || appends.iter().flat_map(|append| &append.entries);
        let outcome = self.with_file(|file| append::append(file, entries(), now));
        if let Ok(position) = outcome {
            self.appended.send_replace(position);
        }
        for append in appends {
            // If the caller has gone away, it misses nothing.
            let _ = append.done.send(outcome.clone().map(drop));
        }
    }

    fn with_file<T>(&mut self, work: impl FnOnce(&Database) -> Result<T, LogError>) -> Result<T, LogError> {
        let file = match self.file.take() {
            Some(file) => file,
            None => open_file(&self.path)?,
        };
        let done = work(&file)?;
        self.file = Some(file);
        Ok(done)
    }
}

fn open_file(path: &Path) -> Result<Database, LogError> {
    let file = access::open(path, error::OF_REVOCATIONS, CACHE)?;
    survey::settle(&file)?;
    Ok(file)
}
