//! Servers in processes of their own: this program, started again with the name of a guise.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::Router;
use portcullis::Algorithm;
use portcullis_benches::{Hand, admission, extension, layered, pin, plain, with_state};
use portcullis_test::MockIssuer;
use tokio::{net::TcpListener, runtime};

const SERVE: &str = "--serve";

/// What the server does about the credential in every request.
#[derive(Clone, Copy)]
pub enum Guise {
    Plain,
    Extension,
    State,
    Layer,
    ByHand,
}

impl Guise {
    pub const ALL: [Self; 5] = [Self::Plain, Self::Extension, Self::State, Self::Layer, Self::ByHand];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Extension => "plain with Extension(Arc), for comparison",
            Self::State => "portcullis, extractor from state",
            Self::Layer => "portcullis, layer and extractor",
            Self::ByHand => "jsonwebtoken 12 in a hand-written extractor",
        }
    }

    /// The guise that this process was started for, if it is a server.
    pub fn of_this_process() -> Option<Self> {
        let mut words = env::args().skip_while(|word| word != SERVE).skip(1);
        let name = words.next()?;
        Some(Self::ALL.into_iter().find(|guise| guise.name() == name).expect("a guise by this name"))
    }

    fn router(self) -> Router {
        let issuer = MockIssuer::with_algorithm(Algorithm::Rs256);
        let trusting = || admission(issuer.trusted());
        match self {
            Self::Plain => plain(),
            Self::Extension => extension(),
            Self::State => with_state(trusting()),
            Self::Layer => layered(trusting()),
            Self::ByHand => {
                Hand::new(Algorithm::Rs256, &issuer.jwks(), issuer.name(), MockIssuer::DEFAULT_AUDIENCE).router()
            }
        }
    }
}

/// Serves until the process is killed; prints the address first.
pub fn serve(guise: Guise) {
    pin(0);
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("an address"));
        axum::serve(listener, guise.router()).await.expect("a server");
    });
}

/// A server that runs; it ends with this value.
pub struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    pub fn start(guise: Guise) -> Self {
        let program = env::current_exe().expect("the path of this program");
        let mut command = Command::new(program);
        let mut process =
            command.args([SERVE, guise.name()]).stdout(Stdio::piped()).spawn().expect("a process for the server");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("the line that it prints");
        let address = line.trim().parse().expect("an address");
        Self { process, address }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How long the server's one thread has run on a processor so far. Linux only.
    pub fn processor_time(&self) -> Option<Duration> {
        let text = fs::read_to_string(format!("/proc/{}/schedstat", self.process.id())).ok()?;
        Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // it may have ended by itself, and then there is nothing to stop
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
