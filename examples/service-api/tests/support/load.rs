//! Clients that log in at one instance and use the token at the other, again and again.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{Client, PASSWORD, token};

const CLIENTS: usize = 4;
/// The most that a client does, whatever happens.
const ROUNDS: usize = 2000;
/// Between two rounds of a client, so that the instances are busy and the machine is not exhausted.
const PAUSE: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(crate) struct Load {
    clients: JoinSet<Tally>,
    is_over: Arc<AtomicBool>,
    last_signer: watch::Receiver<String>,
}

/// What became of requests with valid tokens.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// By the secret that signed the token.
    pub(crate) accepted: BTreeMap<String, usize>,
    pub(crate) refused: Vec<String>,
}

impl Load {
    pub(crate) fn start(addresses: [SocketAddr; 2]) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (signer, last_signer) = watch::channel(String::new());
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(user(addresses, Arc::clone(&is_over), signer.clone()));
        }
        Self { clients, is_over, last_signer }
    }

    /// Waits until a token was minted with this secret.
    pub(crate) async fn until_signed_by(&self, id: &str) {
        let mut last_signer = self.last_signer.clone();
        let signed = last_signer.wait_for(|last| last == id);
        timeout(Duration::from_secs(20), signed).await.expect("a token within 20 s").expect("clients at work");
    }

    pub(crate) async fn stop(mut self) -> Tally {
        self.is_over.store(true, Ordering::Relaxed);
        let mut total = Tally::default();
        while let Some(tally) = self.clients.join_next().await {
            let Tally { accepted, refused } = tally.expect("a client that did not panic");
            for (id, count) in accepted {
                *total.accepted.entry(id).or_default() += count;
            }
            total.refused.extend(refused);
        }
        total
    }
}

async fn user(addresses: [SocketAddr; 2], is_over: Arc<AtomicBool>, signer: watch::Sender<String>) -> Tally {
    let (client, mut tally) = (Client::new(), Tally::default());
    let mut held: Option<String> = None;
    for round in 0..ROUNDS {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let (here, there) = (addresses[round % 2], addresses[(round + 1) % 2]);
        let fresh = client.login(here, "reader", PASSWORD).await.token();
        tally.present(&client, there, &fresh).await;
        signer.send_replace(signer_of(&fresh));

        // One token is used until it is about to expire, so that old ones meet every step, too.
        match held.take().filter(|old| expiry(old) > token::now() + 1) {
            Some(old) => {
                tally.present(&client, here, &old).await;
                tally.present(&client, there, &old).await;
                held = Some(old);
            }
            None => held = Some(fresh),
        }
        sleep(PAUSE).await;
    }
    tally
}

impl Tally {
    async fn present(&mut self, client: &Client, at: SocketAddr, token: &str) {
        let answer = client.get(at, "/orders", Some(token)).await;
        if answer.status == 200 {
            *self.accepted.entry(signer_of(token)).or_default() += 1;
        } else if answer.status != 401 || token::now() < expiry(token) {
            // Otherwise it expired on its way, on a machine that is very busy.
            self.refused.push(format!("{} signed by {}: {answer:?}", token::now(), signer_of(token)));
        }
    }
}

fn signer_of(token: &str) -> String {
    token::header(token)["kid"].as_str().unwrap().to_owned()
}

fn expiry(token: &str) -> u64 {
    token::claims(token)["exp"].as_u64().unwrap()
}
