//! Two instances, told the same, one after the other.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{Fleet, Instance, files::Listed};

/// Two instances, and their files.
#[derive(Debug)]
pub(crate) struct Pair {
    fleet: Fleet,
    instances: [(&'static str, Instance); 2],
}

impl Pair {
    pub(crate) async fn start(settings: &str, secrets: &[Listed<'_>]) -> Self {
        let fleet = Fleet::new(settings);
        let east = Instance::start(&fleet.write("east", secrets)).await;
        let west = Instance::start(&fleet.write("west", secrets)).await;
        Self { fleet, instances: [("east", east), ("west", west)] }
    }

    pub(crate) fn addresses(&self) -> [SocketAddr; 2] {
        self.instances.each_ref().map(|(_, instance)| instance.address)
    }

    /// One step of the runbook: the new file everywhere, one instance after the other. Instances that say "not yet" are
    /// asked again; what they said is returned.
    pub(crate) async fn step(&mut self, secrets: &[Listed<'_>]) -> Vec<String> {
        let mut refusals = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(15);
        for (name, instance) in &mut self.instances {
            self.fleet.write(name, secrets);
            while let Err(refusal) = instance.reload().await {
                assert!(Instant::now() < deadline, "{refusal}");
                refusals.push(refusal);
                sleep(Duration::from_millis(100)).await;
            }
        }
        refusals
    }

    /// A step that no instance takes.
    pub(crate) async fn refused_step(&mut self, secrets: &[Listed<'_>], reason: &str) {
        for (name, instance) in &mut self.instances {
            self.fleet.write(name, secrets);
            let refusal = instance.reload().await.expect_err("a step that would break the fleet");
            assert!(refusal.contains(reason), "{refusal}");
        }
    }
}
