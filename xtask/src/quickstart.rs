//! The quickstart as a newcomer meets it: start it, then run the command lines it prints.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    process::{Child, ChildStdout, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::{
    command::Run,
    steps::{Done, StepResult},
    workspace::Workspace,
};

const NAME: &str = "quickstart";

/// What its command lines show together.
const STATUSES: [&str; 3] = ["200", "401", "403"];

/// It prints its lines at once after it has started; building is over by then.
const PATIENCE: Duration = Duration::from_secs(10);
/// After the first line, a pause this long means that no more will come.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs the example on a free port and every line of its output that begins with `curl`.
pub(crate) fn check(workspace: &Workspace) -> StepResult {
    let Some(package) = workspace.members().find(|member| member.examples.iter().any(|name| name == NAME)) else {
        return Ok(Done::skipped(format!("there is no example {NAME}")));
    };
    let program = build(&package.name)?;
    let port = free_port().map_err(|error| format!("no free port: {error}"))?;
    let start = Run::new(&program).env("PORT", &port.to_string());
    println!("$ {start}");
    let mut server = Server::start(&start)?;
    let lines = server.curl_lines();
    let statuses = lines.iter().map(|line| status_of(line)).collect::<Result<BTreeSet<_>, _>>()?;
    if STATUSES.iter().any(|status| !statuses.contains(*status)) {
        return Err(format!("its {} command lines show {statuses:?}, not all of {STATUSES:?}", lines.len()));
    }
    check_taken_port(&start, port)?;
    Ok(Done::note(format!("its {} command lines show {}", lines.len(), STATUSES.join(", "))))
}

/// Builds the example and gives the path of the program.
fn build(package: &str) -> Result<String, String> {
    let build = Run::cargo("build --quiet --message-format json -p").arg(package).arg("--example").arg(NAME);
    println!("$ {build}");
    let messages = build.output()?;
    let mut programs = messages.lines().filter_map(program_in);
    programs.next_back().ok_or(format!("cargo built no example {NAME}"))
}

/// The path in one of cargo's messages, if it speaks of our program.
fn program_in(message: &str) -> Option<String> {
    let message: Value = serde_json::from_str(message).ok()?;
    let ours = message["target"]["name"] == NAME;
    message["executable"].as_str().filter(|_| ours).map(str::to_owned)
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Sends the request as printed and gives the status of the answer.
fn status_of(line: &str) -> Result<String, String> {
    println!("$ {line}");
    let status =
        Run::new("sh").arg("-c").arg(format!("{line} --silent --output /dev/null --write-out '%{{http_code}}'"));
    status.output().map_err(|problem| format!("a line it printed does not work: {problem}"))
}

/// A second one on the same port says what is wrong and ends.
fn check_taken_port(start: &Run, port: u16) -> Result<(), String> {
    let mut command = start.command();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut second = Server(command.spawn().map_err(|error| format!("{start}: {error}"))?);
    let (send, receive) = mpsc::channel();
    if let Some(mut pipe) = second.0.stderr.take() {
        thread::spawn(move || {
            let mut text = String::new();
            // whatever could be read is what there is to look at
            let _read = pipe.read_to_string(&mut text);
            send.send(text)
        });
    }
    let complaint = receive.recv_timeout(PATIENCE).map_err(|_| format!("a second one on port {port} did not end"))?;
    let ended_well = second.0.wait().is_ok_and(|status| status.success());
    if ended_well || !complaint.contains(&port.to_string()) {
        return Err(format!("a second one on port {port} should fail and name the port; it said: {complaint}"));
    }
    Ok(())
}

/// A running program, stopped on drop.
struct Server(Child);

impl Server {
    fn start(run: &Run) -> Result<Self, String> {
        let mut command = run.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        Ok(Self(command.spawn().map_err(|error| format!("{run}: {error}"))?))
    }

    /// The lines it prints that begin with `curl`.
    fn curl_lines(&mut self) -> Vec<String> {
        self.0.stdout.take().map(|stdout| collect(&lines_of(stdout))).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // it may have ended by itself
        let _stopped = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn lines_of(stdout: ChildStdout) -> Receiver<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // Keeps reading even if the output is no longer needed: a program whose output is closed would fail at its next line.
            let _heard = send.send(line);
        }
    });
    receive
}

fn collect(lines: &Receiver<String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    while let Ok(line) = lines.recv_timeout(if found.is_empty() { PATIENCE } else { PAUSE }) {
        if line.starts_with("curl") {
            found.push(line);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_command_lines_are_taken() {
        let (send, receive) = mpsc::channel();
        for line in ["listening", "curl one", "  curl indented", "curl two"] {
            send.send(line.to_owned()).unwrap();
        }
        drop(send);
        assert_eq!(collect(&receive), ["curl one", "curl two"]);
    }

    #[test]
    fn the_program_is_read_from_cargo_messages() {
        let message = r#"{"reason":"compiler-artifact","target":{"name":"quickstart"},"executable":"/t/quickstart"}"#;
        assert_eq!(program_in(message).as_deref(), Some("/t/quickstart"));
        assert_eq!(program_in(&message.replace("quickstart\"}", "other\"}")), None);
        assert_eq!(program_in("not JSON"), None);
    }
}
