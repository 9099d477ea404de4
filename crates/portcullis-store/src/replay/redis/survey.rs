//! Checks a server before it is used, and evaluates the answers.

use portcullis_core::revocation::LogError;
use redis::{Pipeline, RedisResult, Value};

use crate::redis::{
    error::Fault,
    survey::{Condition, Eviction, server_condition, server_questions},
};

/// Returns what is asked of a server before it is used.
pub(super) fn questions(prefix: &str) -> Pipeline {
    server_questions(prefix)
}

/// Refuses a server that must not be used. Returns warnings.
pub(super) fn read(answers: Vec<RedisResult<Value>>, place: &str, eviction: Eviction) -> Result<Vec<String>, Fault> {
    let condition = server_condition(answers, place)?;
    match refusal(&condition, eviction) {
        Some(refusal) => Err(refusal.into()),
        None => Ok(warnings(&condition, eviction)),
    }
}

fn refusal(condition: &Condition, eviction: Eviction) -> Option<LogError> {
    if eviction == Eviction::Trusted {
        return None;
    }
    let sentence = match condition.setting("maxmemory_policy", "maxmemory-policy") {
        Some("noeviction") => return None,
        Some(policy) => format!(
            "the Redis server forgets which proofs were used when its memory is full: its maxmemory-policy is {policy}, and has to be \
             noeviction, because ids have an expiry; a server that is a cache is no place for them"
        ),
        None => "the maxmemory-policy of the Redis server cannot be seen, so it may forget which proofs were used when its memory is full: \
                 allow its user INFO or CONFIG GET, or see `danger_trust_eviction_policy`"
            .to_owned(),
    };
    Some(LogError::misconfigured(sentence))
}

fn warnings(condition: &Condition, eviction: Eviction) -> Vec<String> {
    let mut warnings = Vec::new();
    if eviction == Eviction::Trusted {
        warnings
            .push("Redis: that the server evicts no ids of proofs when its memory is full was not checked".to_owned());
    }
    let lost = match condition.setting("aof_enabled", "appendonly") {
        Some("0" | "no") => Some("appendonly is off, so after a crash of the server, proofs"),
        _ => match condition.setting("", "appendfsync") {
            Some("everysec") => {
                Some("appendfsync is everysec, so after a power loss of the server, proofs of a second or two")
            }
            Some("no") => Some("appendfsync is no, so after a power loss of the server, proofs of up to half a minute"),
            _ => None,
        },
    };
    warnings.extend(lost.map(|lost| {
        format!("Redis: {lost} can be used a second time until their nonces end; set `appendonly yes` and `appendfsync always`")
    }));
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(info: &str, config: &[(&str, &str)]) -> Condition {
        Condition::new(info, config.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn only_a_server_that_evicts_nothing_is_accepted() {
        let of = |policy: &str| condition(&format!("maxmemory_policy:{policy}\r\n"), &[]);
        assert!(refusal(&of("noeviction"), Eviction::Checked).is_none());
        for policy in ["volatile-lru", "volatile-ttl", "allkeys-lru", "something-new"] {
            let refused = refusal(&of(policy), Eviction::Checked);
            assert!(refused.is_some_and(|error| error.to_string().contains(policy)), "{policy}");
            assert!(refusal(&of(policy), Eviction::Trusted).is_none(), "{policy}");
        }
        let unseen = refusal(&condition("", &[]), Eviction::Checked);
        assert!(unseen.is_some_and(|error| error.to_string().contains("danger_trust_eviction_policy")));
    }

    #[test]
    fn settings_that_lose_ids_are_warned_about() {
        for (info, fsync, warning) in [
            ("aof_enabled:1", "always", None),
            ("aof_enabled:1", "everysec", Some("a second or two")),
            ("aof_enabled:1", "no", Some("half a minute")),
            ("aof_enabled:0", "always", Some("appendonly is off")),
        ] {
            let warnings = warnings(&condition(info, &[("appendfsync", fsync)]), Eviction::Checked);
            assert_eq!(warnings.len(), usize::from(warning.is_some()), "{info} {fsync}: {warnings:?}");
            assert!(warning.is_none_or(|part| warnings.concat().contains(part)), "{info} {fsync}: {warnings:?}");
        }
        assert_eq!(warnings(&condition("", &[]), Eviction::Trusted).len(), 1);
    }
}
