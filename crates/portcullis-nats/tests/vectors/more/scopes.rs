//! Scoped signing keys and templates: S and T.

use serde_json::{Value, json};

use super::{Rows, case::Case, world::id};

pub(super) fn add(rows: &mut Rows) {
    scopes(rows);
    functions(rows);
    gaps(rows);
    values(rows);
    sizes(rows);
}

fn publish(allow: &[&str]) -> Value {
    json!({"pub": {"allow": allow, "deny": ["never"]}})
}

fn scopes(rows: &mut Rows) {
    let scoped = |rules| Case::of(rules).scope(publish(&["a"]));
    let case = scoped(&["S1"]).publishes("a", true).publishes("b", false);
    case.accept(rows, "s1-template", "the template counts");
    let limits = Case::of(&["S1", "M10"]).scope(json!({"payload": 10, "subs": 2})).limits(json!(10), json!(2));
    limits.accept(rows, "s1-limits", "the template's limits count");
    scoped(&["S2"]).accept(rows, "s2-nothing", "the user says nothing");
    for (name, nats) in [
        ("subs", json!({"subs": -1})),
        ("payload", json!({"payload": 1})),
        ("publish", json!({"pub": {"allow": ["a"]}})),
        ("bearer", json!({"bearer_token": true})),
        ("src", json!({"src": ["0.0.0.0/0"]})),
        ("times", json!({"times": [{"start": "00:00:00", "end": "23:59:59"}]})),
        ("types", json!({"allowed_connection_types": ["STANDARD"]})),
        ("resp", json!({"resp": {"max": 1}})),
    ] {
        let case = scoped(&["S2"]).user(nats);
        case.reject(rows, &format!("s2-{name}"), "the user of a scope says something", "scoped_user_not_empty");
    }
    let conditions = |template: Value| Case::of(&["S3"]).scope(template);
    conditions(json!({"src": ["127.0.0.0/8"]})).accept(rows, "s3-src", "the template's network");
    conditions(json!({"src": ["10.0.0.0/8"]})).reject(rows, "s3-other-src", "another network", "src");
    let types = |kind: &str| conditions(json!({"allowed_connection_types": [kind]}));
    types("STANDARD").accept(rows, "s3-type", "the template's connection type");
    types("MQTT").reject(rows, "s3-other-type", "another connection type", "connection_type");
    let times = |end: &str| conditions(json!({"times": [{"start": "00:00:00", "end": end}], "times_location": "UTC"}));
    times("23:59:59").accept(rows, "s3-times", "the template's time");
    times("00:00:01").reject(rows, "s3-other-times", "another time", "time_range");
}

fn functions(rows: &mut Rows) {
    let (user, account) = (id("user"), id("acc"));
    let mut with = |name: &str, template: &str, subject: &str| {
        let case = Case::of(&["T1"]).scope(publish(&[&format!("p.{template}")]));
        let case = case.user_claims(json!({"name": "bob"})).user(json!({"tags": ["team:red", "team:blue", "x:1"]}));
        let case = case.account(json!({"tags": ["region:eu"]}));
        let case = case.publishes(&format!("p.{subject}"), true).publishes("p.other", false);
        case.accept(rows, &format!("t1-{name}"), "a function of a template");
    };
    with("name", "{{name()}}", "bob");
    with("case", "{{ NAME() }}", "bob");
    with("subject", "{{subject()}}", &user);
    with("account-name", "{{account-name()}}", "acct");
    with("account-subject", "{{account-subject()}}", &account);
    with("tag", "{{tag(x)}}", "1");
    with("tag-case", "{{tag(X)}}", "1");
    with("account-tag", "{{account-tag(region)}}", "eu");
    with("second-value", "{{tag(team)}}", "blue");
    with("inside", "a-{{tag(team)}}-{{name()}}", "a-red-bob");
    with("product", "{{tag(team)}}.{{tag(x)}}", "blue.1");
    with("repeated", "{{tag(team)}}.{{tag(team)}}", "blue.blue");
}

fn gaps(rows: &mut Rows) {
    let unknown = Case::of(&["T2"]).scope(publish(&["a", "{{nickname()}}"]));
    unknown.reject(rows, "t2-unknown", "a function that is not known", "template");
    let one_left = Case::of(&["T3"]).scope(publish(&["a", "{{tag(team)}}"]));
    one_left.publishes("a", true).publishes("b", false).accept(
        rows,
        "t3-one-left",
        "what cannot be filled in vanishes",
    );
    let none_left = Case::of(&["T3"]).scope(json!({"pub": {"allow": ["{{tag(team)}}"]}, "sub": {"allow": ["s"]}}));
    none_left.publishes("a", false).subscribes("s", true).accept(rows, "t3-none-left", "nothing is left");
    let none_left = Case::of(&["T3"]).scope(json!({"sub": {"allow": ["{{tag(team)}}"]}, "pub": {"allow": ["p"]}}));
    none_left.subscribes("a", false).publishes("p", true).accept(
        rows,
        "t3-no-sub-left",
        "nothing is left to subscribe",
    );
    let deny = |rules| Case::of(rules).scope(json!({"pub": {"deny": ["x.{{tag(team)}}"]}}));
    let filled = deny(&["T4"]).user(json!({"tags": ["team:red"]})).publishes("x.red", false).publishes("x.blue", true);
    filled.accept(rows, "t4-filled", "what is denied is filled in");
    deny(&["T4"]).reject(rows, "t4-gap", "what is denied cannot be filled in", "template");
    let blank = deny(&["T4"]).user(json!({"tags": ["team:red blue"]}));
    blank.reject(rows, "t4-blank", "what is denied is no subject once it is filled in", "template");
}

fn values(rows: &mut Rows) {
    let named =
        |name: &str| Case::of(&["T5"]).scope(publish(&["own.{{name()}}.>"])).user_claims(json!({ "name": name }));
    named("bob").publishes("own.bob.a", true).publishes("own.eve.a", false).accept(rows, "t5-name", "a name");
    named("b*").publishes("own.b*.a", true).publishes("own.bob.a", false).accept(rows, "t5-star-inside", "no wildcard");
    for (name, value) in [("star", "*"), ("all", ">"), ("star-word", "a.*"), ("blank-star", " * ")] {
        named(value).reject(rows, &format!("t5-{name}"), "a value with a wildcard", "template");
    }
    let dots = |policy: &str| named("a.b").policy(json!({ "template_dots": policy }));
    dots("allow").publishes("own.a.b.c", true).accept(rows, "t5-dots", "a value with a dot");
    dots("refuse").reject(rows, "t5-dots-refused", "a value with a dot is refused", "template");
    let tagged = Case::of(&["T5"]).scope(publish(&["{{tag(team)}}"])).user(json!({"tags": ["team:>"]}));
    tagged.reject(rows, "t5-tag", "a tag with a wildcard", "template");
}

fn sizes(rows: &mut Rows) {
    let tags = |name: &str, count: usize| (0..count).map(|at| format!("{name}:{at}")).collect::<Vec<_>>();
    let product = |count: usize| {
        let tags = [tags("j", 64), tags("k", count)].concat();
        Case::of(&["T6"]).scope(publish(&["{{tag(j)}}.{{tag(k)}}"])).user(json!({ "tags": tags }))
    };
    product(64).publishes("63.63", true).accept(rows, "t6-4096", "4096 subjects");
    product(65).reject(rows, "t6-4160", "4160 subjects", "template");
}
