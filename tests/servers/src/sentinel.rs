//! Redis Sentinel, which is another mode of `redis-server`.
#![expect(clippy::expect_used, reason = "a server that cannot be set up is a test that has failed")]

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::process::{ReservedPort, Running, find};

/// One Sentinel that watches a master, and promotes a replica of it when it is told to, or ten seconds after the master has gone. Ended
/// with this value.
#[derive(Debug)]
pub struct RedisSentinel {
    port: ReservedPort,
    _running: Running,
    _folder: TempDir,
}

/// How long it may take until a replica is promoted, on a machine that is busy.
const FAILOVER: Duration = Duration::from_secs(60);

/// How long a master may be silent. Less would have a busy machine promote replicas that no test asked for.
const DOWN_AFTER_MS: u32 = 10_000;

impl RedisSentinel {
    /// Starts one that watches the master at that port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn of(master: u16) -> Self {
        let (folder, port) = (TempDir::new().expect("a folder"), ReservedPort::new());
        let file = folder.path().join("sentinel.conf");
        let settings = format!(
            "bind 127.0.0.1\nport {}\ndir {}\nsentinel monitor log 127.0.0.1 {master} 1\n\
             sentinel down-after-milliseconds log {DOWN_AFTER_MS}\nsentinel failover-timeout log 2000\n",
            port.number(),
            folder.path().display()
        );
        fs::write(&file, settings).expect("a file");
        let mut command = Command::new(find("redis-server").expect("redis-server is installed"));
        command.arg(file).arg("--sentinel");
        Self { _running: Running::start(command, port.number(), folder.path()), _folder: folder, port }
    }

    /// Returns the port of the current master.
    ///
    /// # Panics
    ///
    /// If it does not answer.
    #[must_use]
    pub fn master(&self) -> u16 {
        let answer = self.ask("get-master-addr-by-name");
        answer.lines().nth(1).and_then(|port| port.trim().parse().ok()).expect("a master")
    }

    /// Whether it knows a replica of the master that works: one that could be promoted.
    #[must_use]
    pub fn knows_a_replica(&self) -> bool {
        let answer = self.ask("replicas");
        let value = |name: &str| answer.lines().skip_while(|line| *line != name).nth(1).map(str::to_owned);
        value("flags").as_deref() == Some("slave") && value("master-link-status").as_deref() == Some("ok")
    }

    fn ask(&self, command: &str) -> String {
        let mut cli = Command::new(find("redis-cli").expect("redis-cli is installed"));
        cli.args(["-p", &self.port.number().to_string(), "SENTINEL", command, "log"]);
        let output = cli.output().expect("redis-cli");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Promotes a replica in place of the master at that port, which is gone, and returns its port.
    ///
    /// # Panics
    ///
    /// If that takes longer than a minute.
    #[must_use]
    pub fn fail_over(&self, old: u16) -> u16 {
        let started = Instant::now();
        loop {
            match self.master() {
                master if master != old => return master,
                // Refused while the last one is not over.
                _ => drop(self.ask("failover")),
            }
            thread::sleep(Duration::from_millis(50));
            assert!(started.elapsed() < FAILOVER, "no replica was promoted");
        }
    }
}
