//! The program itself, running.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{sync::mpsc, time::timeout};

/// A running instance. Ends with this value.
#[derive(Debug)]
pub(crate) struct Instance {
    process: Child,
    lines: mpsc::UnboundedReceiver<String>,
    output: Arc<Mutex<String>>,
    pub(crate) address: SocketAddr,
}

/// The program with an environment of its own.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_service-api"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Instance {
    /// Starts one that listens where the system lets it, and waits until it does.
    pub(crate) async fn start(config: &Path) -> Self {
        Self::spawn(program().arg(config).env("PORT", "0")).await
    }

    pub(crate) async fn spawn(command: &mut Command) -> Self {
        let mut process = command.spawn().unwrap();
        let (sender, lines) = mpsc::unbounded_channel();
        let output = Arc::default();
        follow(process.stdout.take().unwrap(), &sender, &output);
        follow(process.stderr.take().unwrap(), &sender, &output);
        let address = SocketAddr::from(([0; 4], 0));
        let mut instance = Self { process, lines, output, address };
        let line = instance.line_with("listening on http://").await;
        instance.address = line.rsplit('/').next().unwrap().parse().unwrap();
        instance
    }

    /// Lets it read its file again: what it applied, or why it refused to.
    pub(crate) async fn reload(&mut self) -> Result<String, String> {
        self.signal(Signal::HUP);
        let line = self.line_with("rotation ").await;
        if line.contains("rotation applied") { Ok(line) } else { Err(line) }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// The next line that holds this.
    pub(crate) async fn line_with(&mut self, part: &str) -> String {
        let wanted = async {
            loop {
                match self.lines.recv().await {
                    Some(line) if line.contains(part) => return line,
                    Some(_) => {}
                    None => panic!("no line with {part:?} before the end of {}", self.output.lock().unwrap()),
                }
            }
        };
        timeout(Duration::from_secs(20), wanted).await.expect("the line within 20 s")
    }

    /// As `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Everything it has printed.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Waits for its end: whether it was a good one.
    pub(crate) async fn ended(mut self) -> bool {
        while self.lines.recv().await.is_some() {}
        self.process.wait().unwrap().success()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A thread that ends with the process.
fn follow(stream: impl Read + Send + 'static, lines: &mpsc::UnboundedSender<String>, output: &Arc<Mutex<String>>) {
    let (lines, output) = (lines.clone(), Arc::clone(output));
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut output = output.lock().unwrap();
            output.push_str(&line);
            output.push('\n');
            // The receiver may be gone.
            let _ = lines.send(line);
        }
    });
}
