//! [`Rights`]: the instances and their members, and so what an owner of a token may do now.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portcullis::verified::NoCustom;
use portcullis_issuer::{
    api_tokens::{Grant, Grants, MembershipError, Memberships, Owner},
    refresh::{self, Family, SubjectError, Subjects},
};

/// The instances and the accounts, in memory: a real product has a database here.
#[derive(Clone, Debug, Default)]
pub(super) struct Rights {
    instances: Arc<Mutex<BTreeMap<String, Instance>>>,
    closed: Arc<Mutex<BTreeSet<Owner>>>,
}

#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) title: String,
    members: BTreeMap<Owner, Role>,
}

/// What a member may do: each role includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Reader,
    Editor,
    Owner,
}

impl Role {
    pub(super) const ALL: [Self; 3] = [Self::Reader, Self::Editor, Self::Owner];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// The organisation of the demo, whose people are Alice and Bob.
pub(super) const ORGANISATION: &str = "acme";

/// The application of the demo.
pub(super) const APPLICATION: &str = "reports";

/// What owners may do beside what they may do on instances.
const SCOPES: [&str; 2] = ["instances:create", "reports:read"];

/// The accounts that there are, unless they were [closed](Rights::close). A token of any other owner is refused.
pub(super) fn owners() -> [Owner; 4] {
    [Owner::user("alice"), Owner::user("bob"), Owner::organisation(ORGANISATION), Owner::application(APPLICATION)]
}

impl Rights {
    /// Two instances, of which Alice owns both, and Bob reads one.
    pub(super) fn demo() -> Self {
        let rights = Self::default();
        for (name, title) in [("shop", "The shop"), ("blog", "The blog")] {
            let members = owners().into_iter().map(|owner| (owner, Role::Owner)).collect();
            rights.lock().insert(name.to_owned(), Instance { title: title.to_owned(), members });
        }
        rights.set("blog", Owner::user("bob"), None);
        rights.set("shop", Owner::user("bob"), Some(Role::Reader));
        rights
    }

    /// Adds an instance with its first owner. Returns whether the name was free.
    pub(super) fn add(&self, name: &str, title: &str, owner: Owner) -> bool {
        let mut instances = self.lock();
        if instances.contains_key(name) {
            return false;
        }
        let members = BTreeMap::from([(owner, Role::Owner)]);
        instances.insert(name.to_owned(), Instance { title: title.to_owned(), members });
        true
    }

    /// Returns an instance.
    pub(super) fn find(&self, name: &str) -> Option<Instance> {
        self.lock().get(name).cloned()
    }

    /// Returns the names and titles of all instances of which this is a member.
    pub(super) fn reachable_by(&self, owner: &Owner) -> Vec<(String, String, Role)> {
        let instances = self.lock();
        let mine = instances.iter().filter_map(|(name, instance)| {
            let role = instance.members.get(owner)?;
            Some((name.clone(), instance.title.clone(), *role))
        });
        mine.collect()
    }

    /// Sets the title of an instance. Returns whether there is one.
    pub(super) fn rename(&self, name: &str, title: &str) -> bool {
        self.lock().get_mut(name).map(|instance| title.clone_into(&mut instance.title)).is_some()
    }

    /// Removes an instance. Returns those who were its members.
    pub(super) fn remove(&self, name: &str) -> Option<Vec<Owner>> {
        Some(self.lock().remove(name)?.members.into_keys().collect())
    }

    /// Gives a member a role, or takes it away. Returns whether there is such an instance.
    pub(super) fn set(&self, name: &str, member: Owner, role: Option<Role>) -> bool {
        let mut instances = self.lock();
        let Some(instance) = instances.get_mut(name) else { return false };
        match role {
            Some(role) => instance.members.insert(member, role),
            None => instance.members.remove(&member),
        };
        true
    }

    /// Closes an account, which is a member of nothing from now on.
    pub(super) fn close(&self, owner: &Owner) {
        self.closed().insert(owner.clone());
        for instance in self.lock().values_mut() {
            instance.members.remove(owner);
        }
    }

    /// Returns whether there is such an account.
    pub(super) fn has(&self, owner: &Owner) -> bool {
        owners().contains(owner) && !self.closed().contains(owner)
    }

    /// A thread that panicked while it had the lock has left no half of a change: each is one assignment.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Instance>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn closed(&self) -> MutexGuard<'_, BTreeSet<Owner>> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Instance {
    pub(super) fn members(&self) -> impl Iterator<Item = (&Owner, Role)> {
        self.members.iter().map(|(owner, role)| (owner, *role))
    }
}

/// Asked when a token is used, so that it follows what its owner may do.
impl Memberships for Rights {
    async fn of(&self, owner: &Owner) -> Result<Grants, MembershipError> {
        if !self.has(owner) {
            return Err(MembershipError::OwnerGone);
        }
        let instances = self.reachable_by(owner);
        let roles = instances.into_iter().flat_map(|(instance, _, highest)| {
            let included = Role::ALL.into_iter().filter(move |role| *role <= highest);
            included.map(move |role| Grant::role(role.name(), &instance))
        });
        Ok(roles.chain(SCOPES.into_iter().map(Grant::scope)).collect())
    }
}

/// Asked when an application acts for a user.
impl Subjects for Rights {
    type Custom = NoCustom;

    async fn current(&self, session: &Family) -> Result<refresh::Grant, SubjectError> {
        if !self.has(&Owner::user(session.log_in.subject())) {
            return Err(SubjectError::Refused);
        }
        Ok(refresh::Grant::scopes(SCOPES.map(str::to_owned)))
    }
}
