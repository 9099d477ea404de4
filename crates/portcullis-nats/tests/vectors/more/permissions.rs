//! What may be published and subscribed to: M.

use serde_json::{Value, json};

use super::{
    Rows,
    case::Case,
    world::{over, unlimited},
};

pub(super) fn add(rows: &mut Rows) {
    lists(rows);
    queues(rows);
    defaults(rows);
    empty(rows);
    responses(rows);
    limits(rows);
}

fn lists(rows: &mut Rows) {
    let case = |rules, publish: Value| Case::of(rules).user(json!({ "pub": publish }));
    let words = case(&["M1"], json!({"allow": ["a.*.c", "b.>", "x*"]}));
    let words = words.publishes("a.b.c", true).publishes("a.b", false).publishes("a.b.d.c", false);
    let words = words.publishes("b", false).publishes("b.c.d", true).publishes("B.c", false);
    words.publishes("x*", true).publishes("xy", false).accept(rows, "m1-wildcards", "wildcards are whole words");
    let both = case(&["M2"], json!({"allow": ["a.>"], "deny": ["a.x", "a.y.*"]}));
    let both = both.publishes("a.z", true).publishes("a.x", false).publishes("a.y.z", false).publishes("b", false);
    both.accept(rows, "m2-deny-wins", "a denial wins");
    let open = case(&["M2"], json!({"deny": ["a"]})).publishes("b", true).publishes("a", false);
    open.accept(rows, "m2-no-allow", "no list allows everything");
    let sub = json!({"allow": ["s.>", "t.a"], "deny": ["s.*.x"]});
    let sub = Case::of(&["M3"]).user(json!({ "sub": sub }));
    let sub = sub.subscribes("s.a.b", true).subscribes("s.a.x", false).subscribes("t.*", false).subscribes("t.a", true);
    sub.accept(rows, "m3-subset", "what is subscribed to is a part of what is allowed");
    let sub = Case::of(&["M3"]).user(json!({"sub": {"allow": ["s.>"], "deny": ["s.x"]}}));
    let sub = sub.subscribes("s.*.*", true).subscribes("s.*", false).subscribes("s.>", false);
    sub.accept(rows, "m3-overlap", "a part of it is denied: a nats-server holds back messages, and we do not");
    let all = case(&["M9"], json!({"allow": [">"], "deny": ["never"]})).publishes("a.b", true);
    let all = ["a.*", "a.>", "a..b", "a.", ".a", "", "a b", "a\tb", "a.\u{7f}"]
        .into_iter()
        .fold(all, |case, subject| case.publishes(subject, false));
    all.accept(rows, "m9-literal", "only subjects without wildcards can be published to");
}

fn queues(rows: &mut Rows) {
    let case = Case::of(&["M4"]).user(json!({"sub": {"allow": ["a", "b q"], "deny": ["c q"]}}));
    let case = case.subscribes("a", true).subscribes("b", false);
    case.accept(rows, "m4-allowed-queue", "permission for a queue is none without it");
    let case = Case::of(&["M4"]).user(json!({"sub": {"deny": ["a", "b q"]}}));
    let case = case.subscribes("a", false).subscribes("b", true);
    case.accept(rows, "m4-denied-queue", "what is denied to a queue is not denied without it");
}

fn defaults(rows: &mut Rows) {
    let defaults = json!({"default_permissions": {"pub": {"allow": ["d"]}, "sub": {"allow": ["d"]}}});
    let case = |nats: Value| Case::of(&["M5"]).account(defaults.clone()).user(nats);
    let none = case(json!({})).publishes("d", true).publishes("e", false).subscribes("e", false);
    none.accept(rows, "m5-defaults", "the account's permissions for a user without any");
    let own = case(json!({"pub": {"allow": ["e"]}})).publishes("e", true).publishes("d", false).subscribes("x", true);
    own.accept(rows, "m5-no-merging", "a user with permissions has none of the account's");
    let denies = case(json!({"pub": {"deny": ["e"]}})).publishes("d", true).publishes("x", true).publishes("e", false);
    denies.accept(rows, "m5-denial", "a denial is a permission of the user's own");
    let bare = |policy: &str| Case::of(&["M5"]).policy(json!({ "unrestricted": policy }));
    bare("allow").publishes("a", true).accept(rows, "m5-unrestricted", "a user without any permissions");
    bare("deny").reject(rows, "m5-unrestricted-denied", "such a user is refused", "unrestricted");
}

fn empty(rows: &mut Rows) {
    let case = |nats: Value| Case::of(&["M6"]).user(nats);
    let published = case(json!({"pub": {"allow": [], "deny": ["x"]}})).publishes("a", false).publishes("x", false);
    published.accept(rows, "m6-publish", "an empty list beside a denial lets nothing be published");
    let absent = case(json!({"pub": {"deny": ["x"]}})).publishes("a", true).publishes("x", false);
    absent.accept(rows, "m6-publish-absent", "no list beside a denial");
    let subscribed = case(json!({"sub": {"allow": [], "deny": ["x"]}})).subscribes("a", true).subscribes("x", false);
    subscribed.accept(rows, "m6-subscribe", "for subscribing an empty list is none");
    let both = case(json!({"pub": {"allow": [], "deny": []}, "sub": {"deny": ["x"]}})).publishes("a", true);
    both.accept(rows, "m6-both", "two empty lists restrict nothing");
}

fn responses(rows: &mut Rows) {
    let case = |nats: Value| Case::of(&["M7"]).user(nats);
    let only = case(json!({"resp": {"max": 1, "ttl": 1}})).publishes("a", false).subscribes("a", true);
    only.accept(rows, "m7-only", "only answers");
    let beside = case(json!({"resp": {}, "pub": {"allow": ["a"]}})).publishes("a", true).publishes("b", false);
    beside.accept(rows, "m7-beside", "answers beside a list");
    let deny = case(json!({"resp": {}, "pub": {"deny": ["x"]}})).publishes("a", false);
    deny.accept(rows, "m7-deny", "answers beside a denial");
}

fn limits(rows: &mut Rows) {
    let case = |rules, user: Value, account: Value| {
        Case::of(rules).user(user).account(json!({"limits": over(unlimited(), &account)}))
    };
    let none = case(&["M10"], json!({}), json!({})).limits(Value::Null, Value::Null);
    none.accept(rows, "m10-none", "no limits");
    let user = case(&["M10"], json!({"payload": 10, "subs": 5}), json!({"payload": 20, "subs": 6}));
    user.limits(json!(10), json!(5)).accept(rows, "m10-user", "the user's limits are stricter");
    let account = case(&["M10"], json!({"payload": 30, "subs": -1}), json!({"payload": 20, "subs": 6}));
    account.limits(json!(20), json!(6)).accept(rows, "m10-account", "the account's limits are stricter");
    let absent = case(&["E14"], json!({"payload": null}), json!({}));
    absent.limits(json!(0), Value::Null).accept(rows, "e14-absent", "a limit that is absent is zero");
    let absent = case(&["E14"], json!({"subs": null}), json!({}));
    absent.reject(
        rows,
        "e14-no-subscriptions",
        "no subscriptions, so a server closes the connection",
        "no_subscriptions",
    );
}
