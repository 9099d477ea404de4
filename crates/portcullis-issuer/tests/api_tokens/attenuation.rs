//! A token never does more than its ancestors and its owner may: random graphs against a model that computes everything from scratch.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_issuer::api_tokens::{
    ApiTokenId, ApiTokenKind, CreatedApiToken, Grant, NewApiToken, Owner, RevokedReason,
};

use crate::house::{House, secs};

const GRAPHS: usize = 10_000;

/// What the model knows of a token.
struct Known {
    created: CreatedApiToken,
    owner: usize,
    scopes: BTreeSet<usize>,
    parent: Option<usize>,
    until: u64,
    is_revoked: bool,
}

struct Model {
    house: House,
    tokens: Vec<Known>,
    rights: BTreeMap<usize, BTreeSet<usize>>,
    now: u64,
}

const SCOPES: usize = 6;
const OWNERS: usize = 3;

fn owner(number: usize) -> Owner {
    Owner::organisation(format!("owner-{number}"))
}

fn scope(number: usize) -> Grant {
    Grant::scope(format!("scope-{number}"))
}

fn some(random: &mut fastrand::Rng, of: &BTreeSet<usize>) -> BTreeSet<usize> {
    of.iter().copied().filter(|_| random.bool()).collect()
}

impl Model {
    fn new() -> Self {
        let model = Self { house: House::new(), tokens: Vec::new(), rights: BTreeMap::new(), now: 0 };
        (0..OWNERS).fold(model, |mut model, number| {
            model.set_rights(number, (0..SCOPES).collect());
            model
        })
    }

    fn set_rights(&mut self, number: usize, rights: BTreeSet<usize>) {
        self.house.users.may(&owner(number), rights.iter().map(|number| scope(*number)));
        self.house.tokens.memberships_changed(&owner(number));
        self.rights.insert(number, rights);
    }

    async fn step(&mut self, random: &mut fastrand::Rng) {
        match random.u8(0..10) {
            0..4 => self.create(random, None).await,
            4..7 if !self.tokens.is_empty() => {
                let parent = random.usize(0..self.tokens.len());
                self.create(random, Some(parent)).await;
            }
            7 if !self.tokens.is_empty() => {
                let at = random.usize(0..self.tokens.len());
                let id: ApiTokenId = self.tokens[at].created.token().id();
                self.house.tokens.revoke(id, RevokedReason::Asked).await.unwrap();
                self.tokens[at].is_revoked = true;
            }
            8 => {
                let number = random.usize(0..OWNERS);
                let rights = some(random, &(0..SCOPES).collect());
                self.set_rights(number, rights);
            }
            _ => {
                let passed = random.u64(1..2_000);
                self.now += passed;
                self.house.clock.advance(secs(passed));
            }
        }
    }

    async fn create(&mut self, random: &mut fastrand::Rng, parent: Option<usize>) {
        let (owner_number, most) = match parent {
            Some(at) => (self.tokens[at].owner, self.tokens[at].scopes.clone()),
            None => (random.usize(0..OWNERS), (0..SCOPES).collect()),
        };
        // Sometimes more than the parent has.
        let wanted = if random.u8(0..8) == 0 { some(random, &(0..SCOPES).collect()) } else { some(random, &most) };
        let lifetime = random.u64(1..10_000);
        let new = NewApiToken::new(ApiTokenKind::ServiceAccount, owner(owner_number), "x")
            .created_by("x")
            .lifetime(secs(lifetime));
        let new = wanted.iter().fold(new, |new, number| new.grant(scope(*number)));
        let created = match parent {
            Some(at) => self.house.tokens.derive(self.tokens[at].created.token().id(), new).await,
            None => self.house.tokens.create(new).await,
        };
        let depth = |mut at: Option<usize>| {
            let mut depth = 0;
            while let Some(parent) = at {
                depth += 1;
                at = self.tokens[parent].parent;
            }
            depth
        };
        let is_allowed = !wanted.is_empty()
            && wanted.is_subset(&most)
            && depth(parent) <= 8
            && parent.is_none_or(|parent| self.is_live(parent));
        assert_eq!(created.is_ok(), is_allowed, "{wanted:?} of {most:?}");
        if let Ok(created) = created {
            let until = self.now + lifetime;
            self.tokens.push(Known { created, owner: owner_number, scopes: wanted, parent, until, is_revoked: false });
        }
    }

    fn is_live(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        !token.is_revoked && self.now < token.until && token.parent.is_none_or(|parent| self.is_live(parent))
    }

    fn may(&self, at: usize) -> BTreeSet<usize> {
        let token = &self.tokens[at];
        let of_parent = token.parent.map_or_else(|| self.rights[&token.owner].clone(), |parent| self.may(parent));
        token.scopes.intersection(&of_parent).copied().collect()
    }

    async fn compare(&self, random: &mut fastrand::Rng) {
        for at in 0..self.tokens.len() {
            if random.u8(0..4) != 0 {
                continue;
            }
            let outcome = self.house.verify(&self.tokens[at].created).await;
            assert_eq!(outcome.is_ok(), self.is_live(at), "{at}: {outcome:?}");
            if let Ok(verified) = outcome {
                let may: BTreeSet<_> =
                    (0..SCOPES).filter(|number| verified.has_scope(&format!("scope-{number}"))).collect();
                assert_eq!(may, self.may(at), "{at}");
            }
        }
    }
}

#[tokio::test]
async fn pitfall_2_no_token_of_ten_thousand_random_graphs_does_more_than_the_model_allows() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..GRAPHS {
        let mut model = Model::new();
        for _ in 0..random.usize(2..20) {
            model.step(&mut random).await;
            model.compare(&mut random).await;
        }
    }
}
