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
    /// Nothing passes, and neither side is notified: like a pulled cable.
    Held,
    /// Connections are closed, and new ones too.
    Cut,
}

/// What the connections of a proxy are told.
#[derive(Clone, Copy, Debug)]
struct Orders {
    passage: Passage,
    /// How often connections were forgotten: nothing passes on one that is older.
    age: u32,
}

/// A port of 127.0.0.1 behind which another one is.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    behind: Arc<AtomicU16>,
    orders: Arc<watch::Sender<Orders>>,
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
        let orders = Arc::new(watch::Sender::new(Orders { passage: Passage::Open, age: 0 }));
        let behind = Arc::new(AtomicU16::new(port));
        let task = tokio::spawn(accept(listener, Arc::clone(&behind), Arc::clone(&orders)));
        Self { address, behind, orders, task }
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
        self.order(Passage::Cut);
    }

    /// Lets nothing pass any more; connections stay open.
    pub fn hold(&self) {
        self.order(Passage::Held);
    }

    /// Delays whatever passes.
    pub fn slow(&self, delay: Duration) {
        self.order(Passage::Slow(delay));
    }

    /// Lets everything pass again.
    pub fn open(&self) {
        self.order(Passage::Open);
    }

    /// Lets nothing pass on the connections that there are, ever again, and everything on new ones: a router that has forgotten them.
    pub fn forget(&self) {
        self.orders.send_modify(|orders| orders.age += 1);
    }

    fn order(&self, passage: Passage) {
        self.orders.send_modify(|orders| orders.passage = passage);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, behind: Arc<AtomicU16>, orders: Arc<watch::Sender<Orders>>) {
    let mut connections = JoinSet::new();
    while let Ok((here, _)) = listener.accept().await {
        if orders.borrow().passage != Passage::Cut {
            connections.spawn(connect(here, behind.load(Ordering::SeqCst), orders.subscribe()));
        }
    }
}

async fn connect(here: TcpStream, port: u16, mut orders: watch::Receiver<Orders>) {
    let age = orders.borrow().age;
    let Ok(there) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let _ = (here.set_nodelay(true), there.set_nodelay(true));
    let ((from_here, to_here), (from_there, to_there)) = (here.into_split(), there.into_split());
    let (forth, back) = (orders.clone(), orders.clone());
    select! {
        () = copy(from_here, to_there, forth, age) => {}
        () = copy(from_there, to_here, back, age) => {}
        _ = orders.wait_for(|orders| orders.passage == Passage::Cut) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut orders: watch::Receiver<Orders>, age: u32) {
    let (mut bytes, mut changes) = (vec![0; 64 * 1024], orders.clone());
    loop {
        let Ok(read @ 1..) = from.read(&mut bytes).await else { return };
        let passage = match orders.wait_for(|orders| orders.age == age && orders.passage != Passage::Held).await {
            Ok(orders) => orders.passage,
            Err(_) => return,
        };
        if let Passage::Slow(delay) = passage {
            select! {
                () = sleep(delay) => {}
                _ = changes.wait_for(|orders| orders.passage != Passage::Slow(delay)) => {}
            }
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
