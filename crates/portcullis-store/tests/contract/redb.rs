//! The log in a file: in a process of its own that is killed, and in this one.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use ::redb::{Database, ReadableTable, TableDefinition};
use portcullis_core::{
    Clock, UnixTime,
    revocation::{Cursor, LogError, LogErrorKind, Page, RevocationEntry, RevocationLog},
};
use portcullis_store::RedbLog;
use portcullis_test::FixedClock;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    select,
    task::JoinSet,
};

use super::*;

const ROLL_BACK: &str =
    "its readers are in the one process that has the file, and end with it before a backup is restored";
const TRIM: &str = "the file is written by this crate alone, and nothing removes entries from it before their time";

// ---- in a process of its own

/// A process that has the file and answers on a port: all that its users see when it is killed is that.
struct Keeper {
    process: Child,
    address: SocketAddr,
    /// The test runner in it says after a minute that its test takes long, and must not find this closed.
    _output: BufReader<ChildStdout>,
}

impl Keeper {
    fn start(path: &Path, now: UnixTime) -> Self {
        let mut start = Command::new(env::current_exe().unwrap());
        start.args(["--exact", "redb::the_keeper", "--ignored", "--nocapture"]);
        start.env("KEEPER_PATH", path).env("KEEPER_NOW", now.as_secs().to_string());
        let mut process = start.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut lines = output.by_ref().lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.rsplit_once("listening on ")?.1.parse().ok()).unwrap();
        Self { process, address, _output: output }
    }

    /// `SIGKILL`: nothing in the process notices.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A handle to the log in the other process.
#[derive(Debug)]
struct Remote(SocketAddr);

impl Remote {
    async fn ask(&self, question: Value) -> Result<Value, LogError> {
        let failed = |error| LogError::unavailable("the keeper is gone").with_source(error);
        let mut stream = TcpStream::connect(self.0).await.map_err(failed)?;
        stream.write_all(format!("{question}\n").as_bytes()).await.map_err(failed)?;
        let mut line = String::new();
        tokio::io::BufReader::new(&mut stream).read_line(&mut line).await.map_err(failed)?;
        let answer: Value = serde_json::from_str(&line).map_err(|_| LogError::unavailable("the keeper is gone"))?;
        answer["error"].as_str().map_or(Ok(answer.clone()), |error| Err(LogError::unavailable(error)))
    }
}

impl RevocationLog for Remote {
    async fn append(&self, entries: &[RevocationEntry]) -> Result<(), LogError> {
        let lines: Vec<_> = entries.iter().map(RevocationEntry::to_json).collect();
        self.ask(json!({ "append": lines })).await.map(drop)
    }

    async fn read(&self, after: Option<&Cursor>, patience: Duration) -> Result<Page, LogError> {
        let after = after.map(|cursor| [cursor.incarnation().to_string(), cursor.position().to_string()]);
        let answer = self.ask(json!({ "after": after, "patience": patience.as_millis() })).await?;
        let mut page = Page::empty(cursor(&answer["cursor"]).unwrap());
        for line in answer["entries"].as_array().unwrap() {
            page.take(line.as_str().unwrap());
        }
        let count = |name: &str| usize::try_from(answer[name].as_u64().unwrap()).unwrap();
        (page.unreadable, page.of_later_version) = (count("unreadable"), count("of_later_version"));
        page.is_restart = answer["is_restart"] == true;
        page.is_last = answer["is_last"] == true;
        Ok(page)
    }

    fn horizon(&self) -> Duration {
        Duration::from_secs(24 * 60 * 60)
    }
}

fn cursor(value: &Value) -> Option<Cursor> {
    let number = |at: usize| value[at].as_str()?.parse().ok();
    Some(Cursor::new(number(0)?, number(1)?))
}

/// Answers questions about the file until it is killed.
#[test]
#[ignore = "is started by the tests that kill it"]
fn the_keeper() {
    let now = UnixTime::from_secs(env::var("KEEPER_NOW").unwrap().parse().unwrap());
    let clock = FixedClock::at(now);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let log = RedbLog::open_with(env::var_os("KEEPER_PATH").unwrap(), clock.clone()).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        writeln!(std::io::stdout(), "listening on {}", listener.local_addr().unwrap()).unwrap();
        let mut tasks = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            tasks.spawn(answer(stream, log.clone(), clock.clone()));
        }
    });
}

async fn answer(mut stream: TcpStream, log: RedbLog, clock: FixedClock) -> Option<()> {
    let (from, mut to) = stream.split();
    let mut from = tokio::io::BufReader::new(from);
    let mut line = String::new();
    from.read_line(&mut line).await.ok()?;
    let question: Value = serde_json::from_str(&line).ok()?;
    // A question that is given up there is given up here.
    let answer = select! {
        answer = work(&question, &log, &clock) => answer,
        _ = from.read_u8() => return None,
    };
    let answer = answer.unwrap_or_else(|error| json!({ "error": error.to_string() }));
    to.write_all(format!("{answer}\n").as_bytes()).await.ok()
}

async fn work(question: &Value, log: &RedbLog, clock: &FixedClock) -> Result<Value, LogError> {
    if let Some(seconds) = question["pass"].as_u64() {
        clock.advance(Duration::from_secs(seconds));
        return Ok(json!({}));
    }
    if let Some(lines) = question["append"].as_array() {
        let entries: Vec<_> =
            lines.iter().map(|line| RevocationEntry::from_json(line.as_str().unwrap()).unwrap()).collect();
        return log.append(&entries).await.map(|()| json!({}));
    }
    let patience = Duration::from_millis(question["patience"].as_u64().unwrap());
    let page = log.read(cursor(&question["after"]).as_ref(), patience).await?;
    Ok(json!({
        "entries": page.entries.iter().map(RevocationEntry::to_json).collect::<Vec<_>>(),
        "cursor": [page.cursor.incarnation().to_string(), page.cursor.position().to_string()],
        "unreadable": page.unreadable, "of_later_version": page.of_later_version,
        "is_restart": page.is_restart, "is_last": page.is_last,
    }))
}

struct Elsewhere {
    folder: TempDir,
    keeper: Keeper,
    now: UnixTime,
}

impl Elsewhere {
    fn start() -> Self {
        let (folder, now) = (TempDir::new().unwrap(), FixedClock::DEFAULT);
        let keeper = Keeper::start(&folder.path().join("log"), now);
        Self { folder, keeper, now }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Kills the process, does something to the file, and starts another one.
    fn without_keeper(&mut self, work: impl FnOnce(&Path)) {
        self.keeper.kill();
        work(&self.path());
        self.keeper = Keeper::start(&self.path(), self.now);
    }
}

impl LogPlace for Elsewhere {
    type Log = Remote;

    async fn open(&self) -> Remote {
        Remote(self.keeper.address)
    }

    fn now(&self) -> UnixTime {
        self.now
    }

    async fn crash(&mut self) -> Possible {
        self.without_keeper(|_| ());
        Possible::Yes
    }

    async fn lose_everything(&mut self) -> Possible {
        self.without_keeper(|path| fs::remove_file(path).unwrap());
        Possible::Yes
    }

    async fn save(&mut self) -> Possible {
        Possible::No
    }

    async fn roll_back(&mut self) -> Possible {
        Possible::No
    }

    async fn trim(&mut self) -> Possible {
        Possible::No
    }

    async fn write(&mut self, texts: &[&str]) -> Possible {
        self.without_keeper(|path| texts.iter().for_each(|text| write_raw(path, text)));
        Possible::Yes
    }

    async fn pass(&mut self, time: Duration) -> Possible {
        self.now = self.now.plus(time);
        Remote(self.keeper.address).ask(json!({ "pass": time.as_secs() })).await.unwrap();
        Possible::Yes
    }
}

/// By the tables of the file, as a later version would.
fn write_raw(path: &Path, text: &str) {
    const ENTRIES: TableDefinition<'_, u64, &str> = TableDefinition::new("revocations");
    const EXPIRY: TableDefinition<'_, (u64, u64), ()> = TableDefinition::new("expiry");
    const LOG: TableDefinition<'_, &str, u128> = TableDefinition::new("log");
    let database = Database::open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut log = transaction.open_table(LOG).unwrap();
        let position = u64::try_from(log.get("position").unwrap().unwrap().value()).unwrap() + 1;
        log.insert("position", u128::from(position)).unwrap();
        transaction.open_table(ENTRIES).unwrap().insert(position, text).unwrap();
        transaction.open_table(EXPIRY).unwrap().insert((4_000_000_000, position), ()).unwrap();
    }
    transaction.commit().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_in_a_file_of_a_process_that_is_killed_keeps_the_contract() {
    let contract = RevocationLogContract::new(Elsewhere::start());
    contract.without(Switch::RollBack, ROLL_BACK).without(Switch::Trim, TRIM).check().await;
}

#[tokio::test]
async fn a_second_process_is_refused_with_what_to_do_until_the_first_has_been_killed() {
    let mut first = Elsewhere::start();
    let error = RedbLog::open(first.path()).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Misconfigured);
    for part in ["is open in another process", "only one can have it", "use a log with a server"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    first.keeper.kill();
    drop(RedbLog::open(first.path()).unwrap());
}

// ---- in this process

struct Here {
    folder: TempDir,
    clock: FixedClock,
    log: Option<RedbLog>,
}

impl Here {
    fn start() -> Self {
        let mut here = Self { folder: TempDir::new().unwrap(), clock: FixedClock::default(), log: None };
        here.reopen(|_| ());
        here
    }

    fn reopen(&mut self, work: impl FnOnce(&Path)) {
        self.log = None;
        let path = self.folder.path().join("log");
        work(&path);
        self.log = Some(RedbLog::open_with(path, self.clock.clone()).unwrap());
    }
}

/// All handles share the file, as only one process may have it.
impl LogPlace for Here {
    type Log = RedbLog;

    async fn open(&self) -> RedbLog {
        self.log.clone().unwrap()
    }

    fn now(&self) -> UnixTime {
        self.clock.now()
    }

    async fn crash(&mut self) -> Possible {
        Possible::No
    }

    async fn lose_everything(&mut self) -> Possible {
        self.reopen(|path| fs::remove_file(path).unwrap());
        Possible::Yes
    }

    async fn save(&mut self) -> Possible {
        Possible::No
    }

    async fn roll_back(&mut self) -> Possible {
        Possible::No
    }

    async fn trim(&mut self) -> Possible {
        Possible::No
    }

    async fn write(&mut self, texts: &[&str]) -> Possible {
        self.reopen(|path| texts.iter().for_each(|text| write_raw(path, text)));
        Possible::Yes
    }

    async fn pass(&mut self, time: Duration) -> Possible {
        self.clock.advance(time);
        Possible::Yes
    }
}

#[tokio::test]
async fn the_log_in_a_file_keeps_the_contract() {
    let contract = RevocationLogContract::new(Here::start());
    let contract = contract.without(Switch::Crash, "this process would be killed: the test above has one of its own");
    contract.without(Switch::RollBack, ROLL_BACK).without(Switch::Trim, TRIM).check().await;
}
