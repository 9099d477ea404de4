//! Starting a server, killing it, and starting it again.

use std::{
    env, io,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use socket2::{Domain, Socket, Type};

/// How long a server may take until it listens: databases replay their logs after a crash.
const START: Duration = Duration::from_secs(60);

/// Whether the program is not installed here; if so, the running test is [left out](crate::skip).
#[must_use]
pub fn is_missing(program: &str) -> bool {
    let missing = find(program).is_none();
    if missing {
        crate::skip(program, "it is not installed (`cargo xtask test servers` installs it)");
    }
    missing
}

/// Where a program is: in the `PATH`, or where Debian puts servers that are not started by hand.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    folders.extend(["/usr/sbin".into(), "/usr/local/bin".into()]);
    if let Ok(versions) = Path::new("/usr/lib/postgresql").read_dir() {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    folders.into_iter().map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A port of 127.0.0.1 that was free and is reserved for one server.
///
/// A socket is bound to it and never listens. So the system gives the port to no other listener and to no outgoing connection, however many
/// tests run at the same time, and connections before the server listens are refused. A server can bind it, as all of ours set
/// `SO_REUSEADDR`.
#[derive(Debug)]
pub struct ReservedPort {
    number: u16,
    _bound: Socket,
}

impl ReservedPort {
    /// Reserves one until the value is dropped.
    ///
    /// # Panics
    ///
    /// If the system has none.
    #[must_use]
    pub fn new() -> Self {
        Self::bind().expect("a free port")
    }

    fn bind() -> io::Result<Self> {
        // Chosen without `SO_REUSEADDR`, or the system might choose the port of another reservation.
        let any = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        any.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
        any.set_reuse_address(true)?;
        let address = any.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { number: address.port(), _bound: any })
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }
}

impl Default for ReservedPort {
    fn default() -> Self {
        Self::new()
    }
}

/// A server that runs, and is killed with this value.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Running {
    /// Starts it and waits until it listens on that port of 127.0.0.1. What it writes goes to a file `log` in the folder.
    pub(crate) fn start(mut command: Command, port: u16, folder: &Path) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).expect("a log file");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a handle")).stderr(log);
        let mut running = Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let started = Instant::now();
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            let ended = running.0.try_wait().expect("a child");
            let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            assert!(ended.is_none(), "{command:?} ended with {ended:?}:\n{}", log());
            assert!(started.elapsed() < START, "{command:?} does not listen:\n{}", log());
            // Nothing tells when a server is ready; this only asks again.
            thread::sleep(Duration::from_millis(10));
        }
        running
    }

    /// As `kill -9` does.
    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends it a signal by name (`STOP`, `CONT`, `TERM`).
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status();
        assert!(status.is_ok_and(|status| status.success()), "kill -{name}");
    }

    /// Stops it where it is, and returns when it has stopped.
    pub(crate) fn stop(&self) {
        self.signal("STOP");
        wait_until_stopped(self.id());
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(&mut self) -> io::Result<()> {
        self.0.wait().map(drop)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until every thread of a process has stopped, after it was sent `STOP`: until then, it may still answer. Where the system has no
/// `/proc`, that cannot be seen.
pub(crate) fn wait_until_stopped(id: u32) {
    let is_stopped = |thread: &Path| {
        // It may have ended; and the name in it can have spaces and brackets.
        let state = std::fs::read_to_string(thread.join("stat")).unwrap_or_default();
        state.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with(['T', 't', 'Z', 'X']))
    };
    let threads = || Path::new("/proc").join(id.to_string()).join("task").read_dir().into_iter().flatten().flatten();
    while !threads().all(|thread| is_stopped(&thread.path())) {
        // Nothing tells when it has; this only asks again.
        thread::sleep(Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_reserved_port_is_refused_to_clients_until_its_server_listens() {
        let port = ReservedPort::new();
        let address = SocketAddr::from(([127, 0, 0, 1], port.number()));
        assert_eq!(TcpStream::connect(address).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        // As servers do, the standard library sets `SO_REUSEADDR`.
        let server = TcpListener::bind(address).unwrap();
        TcpStream::connect(address).unwrap();
        drop(server);
        TcpListener::bind(address).unwrap();
    }

    /// Half of the ports that the system gives away would be one too many to be lucky with.
    #[test]
    fn a_reserved_port_is_given_to_nobody_else() {
        let reserved: Vec<_> = (0..100).map(|_| ReservedPort::new()).collect();
        let numbers: std::collections::HashSet<_> = reserved.iter().map(ReservedPort::number).collect();
        assert_eq!(numbers.len(), reserved.len());
        let listeners: Vec<_> = (0..2000).map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
        let taken = listeners.iter().filter(|it| numbers.contains(&it.local_addr().unwrap().port())).count();
        assert_eq!(taken, 0);
        let server = &listeners[0];
        let clients: Vec<_> = (0..400)
            .map(|_| {
                let client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
                let _accepted = server.accept().unwrap();
                client
            })
            .collect();
        assert!(clients.iter().all(|it| !numbers.contains(&it.local_addr().unwrap().port())));
    }
}
