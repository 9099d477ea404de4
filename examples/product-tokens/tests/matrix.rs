//! Every kind of token, in every state, for every action, on its own instance and on another one: `matrix.tsv` says how each is answered, and the running
//! product has to answer so (pitfall 1). What cannot be is `n/a`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::Product;
use tempfile::tempdir;

const MATRIX: &str = include_str!("matrix.tsv");

const KINDS: [&str; 5] = ["application", "role_to_instance", "user_to_platform", "service_account", "imported"];
const STATES: [&str; 10] = [
    "active",
    "expired",
    "revoked",
    "parent_revoked",
    "role_changed",
    "user_removed",
    "superseded_in_overlap",
    "superseded_at_once",
    "superseded_after_overlap",
    "account_closed",
];
const ACTIONS: [&str; 5] = ["read", "rename", "add member", "create", "own token"];

#[tokio::test]
async fn pitfall_1_each_kind_of_token_does_in_each_state_what_the_table_says() {
    let folder = tempdir().unwrap();
    let world = World::start(folder.path()).await;
    let table = Table::read();
    let mut wrong = Vec::new();
    for kind in KINDS {
        for state in STATES {
            if !is_possible(kind, state) {
                assert!(table.row(kind, state).all(|cell| cell == "n/a"), "there is no {kind} that is {state}");
                continue;
            }
            // A world of its own, for what cannot be undone.
            let closing = tempdir().unwrap();
            let closing = if state == "account_closed" { Some(World::start(closing.path()).await) } else { None };
            let world = closing.as_ref().unwrap_or(&world);
            let case = Case::prepare(world, kind, state).await;
            for (instance, name) in [("own", &case.own), ("other", &case.other)] {
                for action in ACTIONS {
                    let expected = table.expected(kind, state, instance, action);
                    let answered = case.act(world, name, action).await;
                    if answered != expected {
                        wrong.push(format!("{kind}, {state}, {instance}, {action}: {answered}, not {expected}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} cells of {}:\n{}", wrong.len(), table.0.len(), wrong.join("\n"));
}

/// Whether a token of this kind can be in this state.
fn is_possible(kind: &str, state: &str) -> bool {
    match state {
        // It is not derived from another one.
        "parent_revoked" => kind != "imported",
        // The others belong to an organisation or an application.
        "account_closed" => ["role_to_instance", "user_to_platform"].contains(&kind),
        _ => true,
    }
}

/// Cells by kind, state, instance and action.
struct Table(Vec<([&'static str; 4], &'static str)>);

impl Table {
    /// Reads the table, which has each cell once and none that is empty.
    fn read() -> Self {
        let mut lines = MATRIX.lines();
        let head: Vec<_> = lines.next().unwrap().split('\t').collect();
        assert_eq!(head[..3], ["kind", "state", "instance"]);
        let mut cells = Vec::new();
        for line in lines {
            let row: Vec<_> = line.split('\t').collect();
            assert_eq!(row.len(), head.len(), "{line}");
            cells.extend((3..row.len()).map(|at| ([row[0], row[1], row[2], head[at]], row[at])));
        }
        assert!(cells.iter().all(|(_, expected)| !expected.is_empty()), "a cell is empty");
        let distinct: BTreeSet<_> = cells.iter().map(|(cell, _)| cell).collect();
        assert_eq!((cells.len(), distinct.len()), (KINDS.len() * STATES.len() * 2 * ACTIONS.len(), cells.len()));
        Self(cells)
    }

    fn row(&self, kind: &str, state: &str) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(move |([of, is, ..], _)| (*of, *is) == (kind, state)).map(|(_, expected)| *expected)
    }

    fn expected(&self, kind: &str, state: &str, instance: &str, action: &str) -> &'static str {
        let wanted = [kind, state, instance, action];
        self.0.iter().find(|(cell, _)| *cell == wanted).unwrap_or_else(|| panic!("there is no {wanted:?}")).1
    }
}

struct World {
    product: Product,
    /// Of the organisation, which may create instances.
    automation: String,
    /// Of Alice, who owns every instance.
    admin: String,
    alice: String,
    bob: String,
}

impl World {
    async fn start(folder: &std::path::Path) -> Self {
        let product = Product::start(folder);
        let [alice, bob] = [product.log_in("alice").await, product.log_in("bob").await];
        let admin = json!({ "name": "admin", "kind": "user_to_platform", "grants": [{ "everything": true }] });
        let admin = product.must("POST", "/tokens", &alice, admin).await.text("token");
        Self { automation: product.automation(), product, admin, alice, bob }
    }

    /// Makes an instance on which `member` is an editor.
    async fn instance(&self, name: &str, member: &str) {
        let body = json!({ "name": name, "title": "For a case" });
        self.product.must("POST", "/instances", &self.automation, body).await;
        let path = format!("/instances/{name}/members/user:alice");
        self.product.must("PUT", &path, &self.automation, json!({ "role": "owner" })).await;
        self.set_role(name, member, Some("editor")).await;
    }

    async fn set_role(&self, instance: &str, member: &str, role: Option<&str>) {
        let path = format!("/instances/{instance}/members/{member}");
        let (method, body) = role.map_or(("DELETE", Value::Null), |role| ("PUT", json!({ "role": role })));
        self.product.must(method, &path, &self.admin, body).await;
    }
}

/// A token of a kind, in a state.
struct Case {
    token: String,
    own: String,
    other: String,
}

/// The owner of the tokens of a kind, and their grants.
fn plan(kind: &str, own: &str) -> ((&'static str, &'static str), Value) {
    let here = |role: &str| json!({ "role": role, "instance": own });
    match kind {
        "application" => (("application", "reports"), json!([here("reader"), here("editor")])),
        "role_to_instance" => (("user", "bob"), json!([here("editor")])),
        "user_to_platform" => (("user", "bob"), json!([{ "everything": true }])),
        "service_account" => (("organisation", "acme"), json!([{ "role": "reader" }, { "role": "editor" }])),
        _ => (("organisation", "acme"), json!([here("reader"), here("editor"), { "scope": "instances:create" }])),
    }
}

impl Case {
    async fn prepare(world: &World, kind: &str, state: &str) -> Self {
        let letters = |text: &str| text.replace('_', "-");
        let [own, other] =
            ["own", "other"].map(|which| short(&format!("{}-{}-{which}", letters(kind), letters(state))));
        let (owner, grants) = plan(kind, &own);
        let member = format!("{}:{}", owner.0, owner.1);
        for instance in [&own, &other] {
            world.instance(instance, &member).await;
        }
        let life = if state == "expired" { 1 } else { 3600 };
        let body = json!({
            "name": state, "kind": kind, "owner": { "kind": owner.0, "id": owner.1 }, "grants": grants, "lifetime_seconds": life,
        });
        let (id, token) = create(world, body.clone()).await;
        let change = Change { world, id, token, own: &own, member: &member, body };
        let token = change.into(state).await;
        Self { token, own, other }
    }

    async fn act(&self, world: &World, instance: &str, action: &str) -> String {
        let path = format!("/instances/{instance}");
        let new_name = short(&format!("{instance}-{}", action.len()));
        let (method, path, body) = match action {
            "read" => ("GET", path, Value::Null),
            "rename" => ("PUT", path, json!({ "title": "Renamed" })),
            "add member" => ("PUT", format!("{path}/members/application:reports"), json!({ "role": "reader" })),
            "create" => ("POST", "/instances".to_owned(), json!({ "name": new_name, "title": "Another" })),
            _ => ("GET", "/token".to_owned(), Value::Null),
        };
        world.product.call(method, &path, &self.token, body).await.outcome()
    }
}

/// Makes a token, or imports one. Returns its id and its text.
async fn create(world: &World, body: Value) -> (String, String) {
    let by = if body["owner"]["id"] == "bob" { &world.bob } else { &world.alice };
    if body["kind"] != "imported" {
        let created = world.product.must("POST", "/tokens", by, body).await;
        return (created.text("id"), created.text("token"));
    }
    let text = format!("legacy_of_{}", body["name"].as_str().unwrap());
    let imported = world.product.must("POST", "/tokens/import", by, json!({ "text": text, "token": body })).await;
    (imported.text("id"), text)
}

/// A token that is to get into a state.
struct Change<'a> {
    world: &'a World,
    id: String,
    token: String,
    own: &'a str,
    member: &'a str,
    /// What it was made with.
    body: Value,
}

impl Change<'_> {
    /// Returns the token that is in the state then.
    async fn into(self, state: &str) -> String {
        let Self { world, token, own, member, .. } = &self;
        let product = &world.product;
        // Each is used before, so that it is not looked up for the first time afterwards.
        assert!(state == "expired" || product.get("/token", token).await.status == 200);
        match state {
            "expired" => product.wait_until_refused(token).await,
            "revoked" => drop(product.must("DELETE", &self.path(), self.by(), Value::Null).await),
            "parent_revoked" => return self.orphan().await,
            "role_changed" => world.set_role(own, member, Some("reader")).await,
            "user_removed" => world.set_role(own, member, None).await,
            "superseded_in_overlap" => self.supersede(3600).await,
            "superseded_at_once" => self.supersede(0).await,
            "superseded_after_overlap" => {
                self.supersede(1).await;
                product.wait_until_refused(token).await;
            }
            "account_closed" => drop(product.must("DELETE", "/account", self.by(), Value::Null).await),
            _ => {}
        }
        self.token
    }

    fn path(&self) -> String {
        format!("/tokens/{}", self.id)
    }

    /// Who manages it.
    fn by(&self) -> &str {
        if self.member == "user:bob" { &self.world.bob } else { &self.world.alice }
    }

    /// Returns a token that was derived from it, which is revoked then.
    async fn orphan(self) -> String {
        let product = &self.world.product;
        let derived = product.must("POST", "/token/derive", &self.token, self.body.clone()).await.text("token");
        product.must("GET", "/token", &derived, Value::Null).await;
        product.must("DELETE", &self.path(), self.by(), Value::Null).await;
        derived
    }

    async fn supersede(&self, overlap: u64) {
        let product = &self.world.product;
        let body = json!({ "request_id": format!("for the case {}", self.id), "overlap_seconds": overlap });
        let successor = product.must("POST", &format!("{}/rotate", self.path()), self.by(), body).await.text("token");
        product.must("GET", "/token", &successor, Value::Null).await;
    }
}

/// Names of instances have 40 characters at most.
fn short(name: &str) -> String {
    let words: Vec<_> = name.split('-').collect();
    let length = |word: &str| if words.len() > 3 { word.len().min(4) } else { word.len() };
    let name = words.iter().map(|word| &word[..length(word)]).collect::<Vec<_>>().join("-");
    name.chars()
        .map(|letter| if letter.is_ascii_digit() { char::from(b'a' + letter as u8 - b'0') } else { letter })
        .collect()
}
