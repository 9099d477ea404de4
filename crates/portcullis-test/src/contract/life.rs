//! The most important rule: a revoked token never becomes valid again.

use std::time::Duration;

use portcullis_core::{
    UnixTime, Verified,
    revocation::{Level, Revocation},
};

use super::{LogPlace, Possible, RevocationLogContract, Switch, instance::Instance, reader::append};
use crate::{FixedClock, MockIssuer, must::must};

const HORIZON: Duration = Duration::from_secs(3600);

/// A token, and the revocation that hits it at its level. (Each has its own issuer, so that no other revocation hits it.)
struct Victim {
    level: Level,
    token: Verified,
    revocation: Revocation,
    /// At the same level, with less effect or an earlier expiry.
    weaker: Revocation,
}

impl Victim {
    fn of(level: Level, round: usize, now: UnixTime) -> Self {
        let name = format!("https://{level}-{round}.test");
        let issuer = MockIssuer::new().named(name.as_str()).clock(FixedClock::at(now));
        let token = issuer.token().subject("alice").token_id("t").expires_at(now.plus(HORIZON));
        let token = token.claim("sid", "s").claim("client_id", "c").claim("ver", 4);
        let verified = issuer.admission().verify(&token.sign()).ready();
        let verified = must(verified.ok_or("a key is missing"), "a token of our own");
        let token = must(verified, "a token of our own");
        let (at, before) = (now, now.minus(Duration::from_secs(30)));
        let (revocation, weaker) = match level {
            Level::Token => {
                (Revocation::token(&name, "t", now.plus(HORIZON)), Revocation::token(&name, "t", now.plus(HORIZON / 2)))
            }
            Level::Session => (Revocation::session(&name, "s"), Revocation::session(&name, "s")),
            Level::Subject => (Revocation::subject(&name, "alice", at), Revocation::subject(&name, "alice", before)),
            Level::Version => (Revocation::version(&name, "alice", 5), Revocation::version(&name, "alice", 3)),
            Level::Client => (Revocation::client(&name, "c", at), Revocation::client(&name, "c", before)),
            Level::Key => (Revocation::key(&name, &issuer.key_id()), Revocation::key(&name, &issuer.key_id())),
            _ => (Revocation::issuer(&name, at), Revocation::issuer(&name, before)),
        };
        Self { level, token, revocation, weaker }
    }
}

impl<P: LogPlace> RevocationLogContract<P> {
    /// Two instances, and a fault of each kind between a revocation and its use. Whatever the log has lost, both refuse what they knew.
    /// Once the instance that revoked has followed the log again, so does a third instance that knows only the log. (Not after a trim,
    /// which is why a log must not be trimmed before its entries expire.)
    pub(super) async fn nothing_that_was_revoked_comes_back_to_life(&mut self) {
        for (round, fault) in
            [Switch::Crash, Switch::Trim, Switch::RollBack, Switch::LoseEverything].into_iter().enumerate()
        {
            let now = self.place.now();
            let victims = Level::ALL.map(|level| Victim::of(level, round, now));
            let revocations = victims.each_ref().map(|victim| victim.revocation.clone());
            let (known, unknown) = revocations.split_at(4);
            let (mut one, mut two) = (Instance::new(now, HORIZON), Instance::new(now, HORIZON));
            one.revoke(known, &self.place.open().await).await;
            if fault == Switch::RollBack && !self.save().await {
                continue;
            }
            one.revoke(unknown, &self.place.open().await).await;
            for instance in [&mut one, &mut two] {
                instance.follow(self.place.open().await).await;
                all_are_refused(instance, &victims, fault, "before");
            }
            let happened = self.throw(fault).await;
            if !self.impossible.has_happened(fault, happened) {
                continue;
            }
            for instance in [&mut two, &mut one] {
                instance.follow(self.place.open().await).await;
                all_are_refused(instance, &victims, fault, "after");
            }
            let mut instances = vec![one, two];
            // A log that is trimmed behind its readers cannot tell them: only running instances still know what it forgot too early.
            if fault != Switch::Trim {
                let mut later = Instance::new(now, HORIZON);
                later.follow(self.place.open().await).await;
                all_are_refused(&later, &victims, fault, "by a newcomer");
                instances.push(later);
            }
            self.weaker_entries_change_nothing(&mut instances, &victims, fault).await;
        }
    }

    async fn weaker_entries_change_nothing(&mut self, instances: &mut [Instance], victims: &[Victim], fault: Switch) {
        let until = self.place.now().plus(HORIZON / 2);
        let weaker: Vec<_> = victims
            .iter()
            .map(|victim| portcullis_core::revocation::RevocationEntry::new(victim.weaker.clone(), until))
            .collect();
        append(&self.place.open().await, &weaker).await;
        for instance in instances {
            instance.follow(self.place.open().await).await;
            all_are_refused(instance, victims, fault, "and a weaker entry");
        }
    }

    async fn save(&mut self) -> bool {
        let saved = self.place.save().await;
        self.impossible.has_happened(Switch::RollBack, saved)
    }

    async fn throw(&mut self, fault: Switch) -> Possible {
        match fault {
            Switch::Crash => self.place.crash().await,
            Switch::Trim => self.place.trim().await,
            Switch::RollBack => self.place.roll_back().await,
            _ => self.place.lose_everything().await,
        }
    }
}

fn all_are_refused(instance: &Instance, victims: &[Victim], fault: Switch, when: &str) {
    for victim in victims {
        assert!(instance.refuses(&victim.token), "{fault}: the level {} came back to life ({when})", victim.level);
    }
}
