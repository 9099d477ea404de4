//! A TCP proxy that a test can cut, hold up and slow down.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    select,
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::sleep,
};

/// What becomes of the connections that pass through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passage {
    Open,
    /// What is sent arrives so much later, in pieces.
    Slow(Duration),
    /// Nothing passes, and nobody is told: a cable that was pulled.
    Held,
    /// Connections are closed, and new ones too.
    Cut,
}

/// A port of 127.0.0.1 behind which another one is.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    behind: Arc<AtomicU16>,
    passage: Arc<watch::Sender<Passage>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Stands in front of that port.
    ///
    /// # Panics
    ///
    /// If there is no port to listen on.
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let passage = Arc::new(watch::Sender::new(Passage::Open));
        let behind = Arc::new(AtomicU16::new(port));
        let task = tokio::spawn(accept(listener, Arc::clone(&behind), Arc::clone(&passage)));
        Self { address, behind, passage, task }
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Leads new connections to another port, as a name does that moves to another server.
    pub fn lead_to(&self, port: u16) {
        self.behind.store(port, Ordering::SeqCst);
    }

    /// Closes every connection, and each new one at once.
    pub fn cut(&self) {
        self.passage.send_replace(Passage::Cut);
    }

    /// Lets nothing pass any more; connections stay open.
    pub fn hold(&self) {
        self.passage.send_replace(Passage::Held);
    }

    /// Delays whatever passes.
    pub fn slow(&self, delay: Duration) {
        self.passage.send_replace(Passage::Slow(delay));
    }

    /// Lets everything pass again.
    pub fn open(&self) {
        self.passage.send_replace(Passage::Open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, behind: Arc<AtomicU16>, passage: Arc<watch::Sender<Passage>>) {
    let mut connections = JoinSet::new();
    while let Ok((here, _)) = listener.accept().await {
        if *passage.borrow() != Passage::Cut {
            connections.spawn(connect(here, behind.load(Ordering::SeqCst), passage.subscribe()));
        }
    }
}

async fn connect(here: TcpStream, port: u16, mut passage: watch::Receiver<Passage>) {
    let Ok(there) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let _ = (here.set_nodelay(true), there.set_nodelay(true));
    let ((from_here, to_here), (from_there, to_there)) = (here.into_split(), there.into_split());
    let (forth, back) = (passage.clone(), passage.clone());
    select! {
        () = copy(from_here, to_there, forth) => {}
        () = copy(from_there, to_here, back) => {}
        _ = passage.wait_for(|passage| *passage == Passage::Cut) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut passage: watch::Receiver<Passage>) {
    let (mut bytes, mut changes) = (vec![0; 64 * 1024], passage.clone());
    loop {
        let Ok(read @ 1..) = from.read(&mut bytes).await else { return };
        let passage = match passage.wait_for(|passage| *passage != Passage::Held).await {
            Ok(passage) => *passage,
            Err(_) => return,
        };
        if let Passage::Slow(delay) = passage {
            select! {
                () = sleep(delay) => {}
                _ = changes.wait_for(|passage| *passage != Passage::Slow(delay)) => {}
            }
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
