//! What users of one account may do with a service or a stream of another: I and R5.

use serde_json::{Value, json};

use super::{
    Rows,
    world::{IAT, NOW, account, activation, id, over, token, user},
};

/// Two accounts: `acc` imports, and `acc-2` exports.
#[derive(Debug)]
struct Pair {
    export: Value,
    import: Value,
    user: Value,
}

impl Pair {
    fn of(kind: &str, exported: &str, imported: &str) -> Self {
        Self {
            export: json!({"subject": exported, "type": kind}),
            import: json!({"subject": imported, "type": kind, "account": id("acc-2")}),
            user: json!({}),
        }
    }

    /// An export of `orders.>` that needs an activation, and an import of `orders.eu` with this one.
    fn activated(activation: &str) -> Self {
        let pair = Self::of("stream", "orders.>", "orders.eu");
        pair.export(json!({"token_req": true})).import(json!({ "token": activation }))
    }

    fn export(self, more: Value) -> Self {
        Self { export: over(self.export, &more), ..self }
    }

    fn import(self, more: Value) -> Self {
        Self { import: over(self.import, &more), ..self }
    }

    fn user(self, nats: Value) -> Self {
        Self { user: nats, ..self }
    }

    /// Adds the row: whether the user may use this subject of the exporting account.
    fn uses(&self, rows: &mut Rows, rules: &[&str], name: &str, title: &str, publish: &str, reason: Option<&str>) {
        let exporter = json!({"exports": [self.export], "signing_keys": [id("acc-signing")]});
        let exporter = token("op", &account("op", "acc-2", &exporter));
        let importer = token("op", &account("op", "acc", &json!({"imports": [self.import]})));
        let row = json!({
            "now": NOW,
            "exporter": id("acc-2"),
            "importer": id("acc"),
            "exporter_jwt": exporter,
            "importer_jwt": importer,
            "importer_user": {"jwt": token("acc", &user("acc", "user", &self.user))},
            "publish": publish,
        });
        rows.add("activations", name, title, rules, reason, &row);
    }
}

pub(super) fn add(rows: &mut Rows) {
    exports(rows);
    activations(rows);
    positions(rows);
    local_subjects(rows);
}

fn exports(rows: &mut Rows) {
    let no = Some("no_export");
    let of = |exported: &str, imported: &str| Pair::of("service", exported, imported);
    of("svc.*", "svc.a").uses(rows, &["I1", "I2"], "i1-public", "a public export", "svc.a", None);
    of("svc.a", "svc.*").uses(rows, &["I1"], "i1-wider", "an import that is wider", "svc.a", no);
    of("svc.a", "svc.b").uses(rows, &["I1"], "i1-other", "an import of something else", "svc.b", no);
    let stream = of("svc.*", "svc.a").export(json!({"type": "stream"}));
    stream.uses(rows, &["I1"], "i1-other-kind", "an import of the other kind", "svc.a", no);
    let other = of("svc.*", "svc.a").import(json!({"account": id("acc-3")}));
    other.uses(rows, &["I1"], "i1-other-account", "an import from another account", "svc.a", no);
    let needed = of("svc.*", "svc.a").export(json!({"token_req": true}));
    needed.uses(rows, &["I2"], "i2-missing", "an activation is needed", "svc.a", Some("activation_missing"));
    let limited = of("svc.*", "svc.*").user(json!({"pub": {"allow": ["svc.a"]}}));
    limited.uses(rows, &["I1"], "i1-user", "the user may publish it", "svc.a", None);
    limited.uses(rows, &["I1"], "i1-user-other", "the user may not publish it", "svc.b", Some("permission"));
    let denied = of("svc.*", "svc.*").user(json!({"pub": {"deny": ["svc.b"]}}));
    denied.uses(rows, &["I1"], "i1-user-allowed", "the user is denied something else", "svc.a", None);
    denied.uses(rows, &["I1"], "i1-user-denied", "the user is denied it", "svc.b", Some("permission"));
}

fn activations(rows: &mut Rows) {
    let of = |signer: &str, importer: &str, nats: Value, claims: Value| {
        Pair::activated(&token(signer, &over(activation(signer, importer, &nats), &claims)))
    };
    let none = || json!({});
    let mut with = |rules: &[&str], name: &str, title: &str, reason: Option<&str>, pair: Pair| {
        pair.uses(rows, rules, name, title, "orders.eu", reason);
    };
    let right = &["I2", "I3", "I4", "I5", "I6"];
    with(right, "i2-activation", "a right activation", None, of("acc-2", "acc", none(), none()));
    let wrong = of("acc-2", "acc-3", none(), none());
    with(&["I3"], "i3-other-importer", "for another account", Some("activation_subject"), wrong);
    let wrong = of("acc-2", "acc", json!({"subject": "orders.us"}), none());
    with(&["I4"], "i4-other-subject", "of another subject", Some("activation_scope"), wrong);
    let wrong = of("acc-2", "acc", json!({"kind": "service"}), none());
    with(&["I5"], "i5-other-kind", "of the other kind", Some("activation_kind"), wrong);
    let signed = |signer: &str| of(signer, "acc", json!({"issuer_account": id("acc-2")}), none());
    with(&["I6"], "i6-signing-key", "by a signing key", None, signed("acc-signing"));
    let wrong = signed("acc-3");
    with(&["I6"], "i6-unlisted-key", "by a key that is not listed", Some("activation_issuer"), wrong);
    let ends = |end: i64| of("acc-2", "acc", none(), json!({ "exp": end }));
    with(&["I7"], "i7-one-second-left", "one second is left", None, ends(NOW + 1));
    with(&["I7"], "i7-now", "it ends now", Some("activation_expired"), ends(NOW));
    let starts = |start: i64| of("acc-2", "acc", none(), json!({ "nbf": start }));
    with(&["I7"], "i7-starts-now", "it starts now", None, starts(NOW));
    with(&["I7"], "i7-starts-later", "it starts later", Some("activation_not_yet_valid"), starts(NOW + 1));
    let revoked =
        |name: &str, until: i64| of("acc-2", "acc", none(), none()).export(json!({"revocations": { name: until }}));
    for (name, of) in [("importer", id("acc")), ("all", "*".to_owned())] {
        let rules = &["R5", "I8"];
        with(rules, &format!("i8-{name}-before"), "revoked before it was issued", None, revoked(&of, IAT - 1));
        let name = format!("i8-{name}");
        with(
            rules,
            &name,
            "revoked in the second in which it was issued",
            Some("activation_revoked"),
            revoked(&of, IAT),
        );
    }
}

fn positions(rows: &mut Rows) {
    let of = |word: &str| {
        let pair = Pair::of("service", "acct.*.read", &format!("acct.{word}.read"));
        pair.export(json!({"account_token_position": 2}))
    };
    let (own, other) = (id("acc"), id("acc-3"));
    let title = "the importing account's id at the position";
    of(&own).uses(rows, &["I10"], "i10-own", title, &format!("acct.{own}.read"), None);
    let title = "another account's id at the position";
    of(&other).uses(rows, &["I10"], "i10-other", title, &format!("acct.{other}.read"), Some("no_export"));
    of("*").uses(rows, &["I10"], "i10-wildcard", "a wildcard there", &format!("acct.{own}.read"), Some("no_export"));
}

fn local_subjects(rows: &mut Rows) {
    let pair = Pair::of("service", "svc.*.*", "svc.*.*").import(json!({"local_subject": "l.$2.$1"}));
    let pair = pair.user(json!({"pub": {"allow": ["l.a.b"]}}));
    pair.uses(rows, &["I11"], "i11-swapped", "the wildcards are swapped", "svc.b.a", None);
    pair.uses(rows, &["I11"], "i11-not-swapped", "as they are written", "svc.a.b", Some("permission"));
    let by_export = Pair::of("service", "svc.*", "svc.*").import(json!({"local_subject": "l.*"}));
    let by_export = by_export.user(json!({"pub": {"allow": ["svc.a"]}}));
    let title = "the user may publish the exporter's subject in the own account";
    by_export.uses(rows, &["I11"], "i11-own-subject", title, "svc.a", Some("permission"));
    let open = Pair::of("service", "svc.>", "svc.>").import(json!({"local_subject": "l.>"}));
    let open = open.user(json!({"pub": {"allow": ["l.a.>"]}}));
    open.uses(rows, &["I11"], "i11-open", "an open end", "svc.a.b", None);
    open.uses(rows, &["I11"], "i11-open-other", "an open end, another word", "svc.b.b", Some("permission"));
    let to = Pair::of("service", "svc.a", "l.a").import(json!({"to": "svc.a"}));
    to.uses(rows, &["I4", "I11"], "i11-to", "the deprecated form", "svc.a", None);
    let to = Pair::of("service", "svc.a", "svc.a").import(json!({"to": "x.a"}));
    to.uses(rows, &["I4", "I11"], "i11-to-other", "the deprecated form of something else", "svc.a", Some("no_export"));
}
