//! [`Case`]: a chain that is accepted or refused.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    Rows,
    world::{NONCE, NOW, account, id, key, over, token, user},
};

/// A chain: by default `user` below `acc` below `op`, with a right proof, and accepted.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    rules: &'static [&'static str],
    row: Value,
    account_signer: &'static str,
    account: Value,
    account_claims: Value,
    signer: &'static str,
    user: Value,
    user_claims: Value,
}

impl Case {
    pub(crate) fn of(rules: &'static [&'static str]) -> Self {
        let signature = URL_SAFE_NO_PAD.encode(key("user").sign(NONCE.as_bytes()));
        let row = json!({
            "trust": "default",
            "proof": {"mode": "ok", "key": "user", "nonce": NONCE, "sig": signature},
            "ctx": {"now": NOW, "conn_type": "STANDARD", "host": "127.0.0.1"},
            "live": false,
        });
        Self {
            rules,
            row,
            account_signer: "op",
            account: json!({}),
            account_claims: json!({}),
            signer: "acc",
            user: json!({}),
            user_claims: json!({}),
        }
    }

    /// Sets members of the account's `nats`; `null` takes one away.
    pub(crate) fn account(mut self, nats: Value) -> Self {
        extend(&mut self.account, &nats);
        self
    }

    /// Sets the account's claims beside `nats`.
    pub(crate) fn account_claims(mut self, claims: Value) -> Self {
        extend(&mut self.account_claims, &claims);
        self
    }

    /// Sets members of the user's `nats`; `null` takes one away.
    pub(crate) fn user(mut self, nats: Value) -> Self {
        extend(&mut self.user, &nats);
        self
    }

    /// Sets the user's claims beside `nats`.
    pub(crate) fn user_claims(mut self, claims: Value) -> Self {
        extend(&mut self.user_claims, &claims);
        self
    }

    /// Sets who signs the user's token. (Anyone but the account's own key also needs `issuer_account`.)
    pub(crate) fn signer(self, signer: &'static str) -> Self {
        Self { signer, ..self }
    }

    /// Signs the user's token with a scoped key of the account that has this template. The user says nothing.
    pub(crate) fn scope(self, template: Value) -> Self {
        let limits = json!({"subs": -1, "data": -1, "payload": -1});
        let key =
            json!({"kind": "user_scope", "key": id("acc-scoped"), "role": "r", "template": over(limits, &template)});
        let silent = json!({"subs": null, "data": null, "payload": null, "issuer_account": id("acc")});
        self.account(json!({"signing_keys": [key]})).signer("acc-scoped").user(silent)
    }

    pub(crate) fn account_signer(self, account_signer: &'static str) -> Self {
        Self { account_signer, ..self }
    }

    pub(crate) fn trust(self, name: &str) -> Self {
        self.set("trust", json!(name))
    }

    pub(crate) fn policy(self, policy: Value) -> Self {
        self.set("policy", policy)
    }

    pub(crate) fn connection(mut self, kind: &str) -> Self {
        self.row["ctx"]["conn_type"] = json!(kind);
        self
    }

    pub(crate) fn host(mut self, host: &str) -> Self {
        self.row["ctx"]["host"] = json!(host);
        self
    }

    pub(crate) fn now(mut self, now: i64) -> Self {
        self.row["ctx"]["now"] = json!(now);
        self
    }

    /// Sets what the client sends as the signature.
    pub(crate) fn proof(mut self, mode: &str, signature: Option<String>) -> Self {
        self.row["proof"] = json!({"mode": mode, "key": "user", "nonce": NONCE, "sig": signature});
        self
    }

    /// Adds a check of what the user may publish.
    pub(crate) fn publishes(self, subject: &str, is_allowed: bool) -> Self {
        self.permission("pub", subject, is_allowed)
    }

    /// Adds a check of what the user may subscribe to.
    pub(crate) fn subscribes(self, subject: &str, is_allowed: bool) -> Self {
        self.permission("sub", subject, is_allowed)
    }

    fn permission(mut self, op: &str, subject: &str, is_allowed: bool) -> Self {
        let expect = if is_allowed { "allow" } else { "deny" };
        let check = json!({"op": op, "subject": subject, "expect": expect});
        let mut checks = self.row.get("perms").and_then(Value::as_array).cloned().unwrap_or_default();
        checks.push(check);
        self.row["perms"] = json!(checks);
        self
    }

    /// Sets the limits that the user has in the end; `null` for none.
    pub(crate) fn limits(self, payload: Value, subscriptions: Value) -> Self {
        self.set("limits", json!({"payload": payload, "subs": subscriptions}))
    }

    /// Sets when the user is no longer let in without a new token; `null` for never.
    pub(crate) fn until(self, until: Value) -> Self {
        self.set("until", until)
    }

    /// Replaces the text of the user's token.
    pub(crate) fn user_text(self, text: String) -> Self {
        self.set("user_jwt", json!(text))
    }

    /// Replaces the text of the account's token.
    pub(crate) fn account_text(self, text: String) -> Self {
        self.set("accounts", json!({ id("acc"): text }))
    }

    fn set(mut self, name: &str, value: Value) -> Self {
        self.row[name] = value;
        self
    }

    pub(crate) fn accept(self, rows: &mut Rows, name: &str, title: &str) {
        self.finish(rows, name, title, None);
    }

    pub(crate) fn reject(self, rows: &mut Rows, name: &str, title: &str, reason: &str) {
        self.finish(rows, name, title, Some(reason));
    }

    fn finish(mut self, rows: &mut Rows, name: &str, title: &str, reason: Option<&str>) {
        if self.row.get("user_jwt").is_none() {
            let claims = over(user(self.signer, "user", &self.user), &self.user_claims);
            self.row["user_jwt"] = json!(token(self.signer, &claims));
        }
        if self.row.get("accounts").is_none() {
            let claims = over(account(self.account_signer, "acc", &self.account), &self.account_claims);
            self.row["accounts"] = json!({ id("acc"): token(self.account_signer, &claims) });
        }
        rows.add("cases", name, title, self.rules, reason, &self.row);
    }
}

/// Puts these members over the others, also those that are `null`.
fn extend(base: &mut Value, more: &Value) {
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
}
