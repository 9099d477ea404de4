//! Permissions against brute force: each subject of a small alphabet is tried.

use std::sync::LazyLock;

use portcullis_core::UnixTime;
use portcullis_nats::{
    chain::{Chain, Circumstances, EffectivePermissions, Operators, Policy, Refusal},
    nkey::{AccountKey, OperatorKey},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};

use super::more::world::{NOW, account, id, key, token, user};

static CHAIN: LazyLock<Chain> = LazyLock::new(|| {
    let operator = OperatorKey::try_from(*key("op").public_key()).unwrap();
    Chain::new(Operators::new().key(operator), Policy::new().danger_unrestricted_users())
});

/// All subjects of up to four words. One of the words is in no pattern, and no pattern has so many words, so what is true of all of these is
/// true of all subjects.
static SUBJECTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let longer = |shorter: &[String]| -> Vec<String> {
        shorter.iter().flat_map(|subject| ["a", "b", "z"].map(|word| format!("{subject}.{word}"))).collect()
    };
    let mut level = ["a", "b", "z"].map(str::to_owned).to_vec();
    let mut all = level.clone();
    for _ in 0..3 {
        level = longer(&level);
        all.extend(level.iter().cloned());
    }
    all
});

/// What a user with these permissions may do in the own account, or in the exporting one.
fn admit(nats: &Value, imported: Option<(&Value, &Value)>) -> Result<EffectivePermissions, Refusal> {
    let at = Circumstances::at(UnixTime::from_secs(NOW.try_into().unwrap()));
    let of = |name: &str, nats: &Value| {
        let id: AccountKey = id(name).parse().unwrap();
        CHAIN.account(&id, &token("op", &account("op", name, nats)), &at)
    };
    let user = CHAIN.screen(&token("acc", &user("acc", "user", nats)), &at)?;
    let admitted = match imported {
        None => CHAIN.admit(&user, &of("acc", &json!({}))?, &at)?,
        Some((import, export)) => {
            let exporter = of("acc-2", &json!({ "exports": [export] }))?;
            CHAIN.admit_to_service_of(&exporter, &user, &of("acc", &json!({ "imports": [import] }))?, &at)?
        }
    };
    Ok(admitted.permissions)
}

/// Whether a pattern stands for a subject.
fn matches(pattern: &str, subject: &str) -> bool {
    match (pattern.split_once('.'), subject.split_once('.')) {
        (None, _) if pattern == ">" => true,
        (None, None) => pattern == "*" || pattern == subject,
        (Some((first, rest)), Some((word, behind))) => (first == "*" || first == word) && matches(rest, behind),
        _ => false,
    }
}

/// The subjects that a pattern stands for.
fn all_of(pattern: &str) -> impl Iterator<Item = &'static String> {
    SUBJECTS.iter().filter(move |subject| matches(pattern, subject))
}

#[derive(Clone, Debug)]
struct Lists {
    allow: Option<Vec<String>>,
    deny: Vec<String>,
}

impl Lists {
    fn to_json(&self) -> Value {
        let mut lists = json!({ "deny": self.deny });
        if let Some(allow) = &self.allow {
            lists["allow"] = json!(allow);
        }
        lists
    }

    /// What is allowed, if an empty list is none.
    fn allowed(&self) -> Vec<String> {
        self.allow.clone().filter(|allow| !allow.is_empty()).unwrap_or_else(|| vec![">".to_owned()])
    }

    fn is_denied(&self, subject: &str) -> bool {
        self.deny.iter().any(|entry| matches(entry, subject))
    }
}

fn pattern() -> impl Strategy<Value = String> {
    let words = vec(select(vec!["a", "b", "*"]), 0..3);
    (words, select(vec!["a", "b", "*", ">"])).prop_map(|(mut words, last)| {
        words.push(last);
        words.join(".")
    })
}

fn lists() -> impl Strategy<Value = Lists> {
    (option::of(vec(pattern(), 0..3)), vec(pattern(), 0..3)).prop_map(|(allow, deny)| Lists { allow, deny })
}

/// An import: its subject, the local one, and for each wildcard of the local one which of the subject it is.
#[derive(Clone, Debug)]
struct Renaming {
    subject: String,
    local: String,
    order: Vec<usize>,
}

impl Renaming {
    /// What a subject that is published in the importing account is in the exporting one.
    fn rename(&self, subject: &str) -> Option<String> {
        let pattern = self.pattern();
        if !matches(&pattern, subject) {
            return None;
        }
        let (words, wild): (Vec<_>, Vec<_>) = (subject.split('.').collect(), pattern.split('.').collect());
        let stars: Vec<_> = (0..wild.len()).filter(|at| wild[*at] == "*").map(|at| words[at]).collect();
        let mut star = 0;
        let mut renamed = Vec::new();
        for word in self.subject.split('.') {
            match word {
                "*" => {
                    renamed.push(stars[self.order.iter().position(|number| *number == star).unwrap()]);
                    star += 1;
                }
                ">" => renamed.extend(&words[wild.len() - 1..]),
                word => renamed.push(word),
            }
        }
        Some(renamed.join("."))
    }

    /// The local subject with `*` in place of references.
    fn pattern(&self) -> String {
        self.local.split('.').map(|word| if word.starts_with('$') { "*" } else { word }).collect::<Vec<_>>().join(".")
    }
}

fn renaming() -> impl Strategy<Value = Renaming> {
    let order = |stars: usize| Just((0..stars).collect::<Vec<_>>()).prop_shuffle();
    (pattern(), vec(select(vec!["a", "b"]), 0..2), any::<bool>()).prop_flat_map(move |(subject, first, numbered)| {
        let stars = subject.split('.').filter(|word| *word == "*").count();
        order(stars).prop_map(move |order| {
            // Wildcards without a number keep their order.
            let order = if numbered { order } else { (0..stars).collect() };
            let star = |number: &usize| if numbered { format!("${}", number + 1) } else { "*".to_owned() };
            let mut words: Vec<_> = first.iter().map(|word| (*word).to_owned()).chain(order.iter().map(star)).collect();
            if subject == ">" || subject.ends_with(".>") {
                words.push(">".to_owned());
            } else if words.is_empty() {
                words.push("a".to_owned());
            }
            Renaming { subject: subject.clone(), local: words.join("."), order }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn publishing_is_allowed_exactly_as_brute_force_says(lists in lists(), answers in any::<bool>()) {
        let mut nats = json!({ "pub": lists.to_json() });
        if answers {
            nats["resp"] = json!({});
        }
        let permissions = admit(&nats, None).unwrap();
        let has_list = lists.allow.as_ref().is_some_and(|allow| !allow.is_empty());
        let is_closed = !has_list && (answers || (lists.allow.is_some() && !lists.deny.is_empty()));
        for subject in &*SUBJECTS {
            let is_allowed = !is_closed && lists.allowed().iter().any(|entry| matches(entry, subject));
            prop_assert_eq!(permissions.may_publish(subject), is_allowed && !lists.is_denied(subject), "{}", subject);
        }
    }

    #[test]
    fn subscribing_is_allowed_exactly_as_brute_force_says(lists in lists(), subjects in vec(pattern(), 20)) {
        let permissions = admit(&json!({ "sub": lists.to_json() }), None).unwrap();
        for subject in &subjects {
            let is_within = |entry: &String| all_of(subject).all(|one| matches(entry, one));
            let is_allowed = lists.allowed().iter().any(is_within);
            let is_denied = all_of(subject).any(|one| lists.is_denied(one));
            prop_assert_eq!(permissions.may_subscribe(subject), is_allowed && !is_denied, "{}", subject);
        }
    }

    #[test]
    fn a_service_is_asked_through_an_import_exactly_as_brute_force_says(lists in lists(), renaming in renaming()) {
        let import = json!({
            "subject": renaming.subject,
            "local_subject": renaming.local,
            "type": "service",
            "account": id("acc-2"),
        });
        let export = json!({"subject": renaming.subject, "type": "service"});
        let nats = json!({ "pub": lists.to_json() });
        let own = admit(&nats, None).unwrap();
        let imported = admit(&nats, Some((&import, &export))).unwrap();
        let asked = SUBJECTS.iter().filter(|subject| own.may_publish(subject));
        let asked: Vec<_> = asked.filter_map(|subject| renaming.rename(subject)).collect();
        // What has more words on one side than on the other may be none of these subjects there.
        let (local, exported) = (renaming.local.split('.').count(), renaming.subject.split('.').count());
        for subject in SUBJECTS.iter().filter(|subject| subject.split('.').count() + local <= 4 + exported) {
            prop_assert_eq!(imported.may_publish(subject), asked.contains(subject), "{}", subject);
        }
    }
}
