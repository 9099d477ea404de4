//! Checks a server before it is used, and evaluates the answers.

use portcullis_core::revocation::LogError;
use redis::{Pipeline, RedisResult, Value};

use super::layout::Layout;
use crate::redis::{
    error::Fault,
    survey::{Condition, Eviction, server_condition, server_questions},
};

/// Returns what is asked of a server before it is used.
pub(super) fn questions(layout: &Layout) -> Pipeline {
    server_questions(&layout.families())
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
            "the Redis server logs users out when its memory is full: its maxmemory-policy is {policy}, and has to be noeviction, because \
             sessions have an expiry; a server that is a cache is no place for them"
        ),
        None => "the maxmemory-policy of the Redis server cannot be seen, so it may log users out when its memory is full: allow its user \
                 INFO or CONFIG GET, or see `danger_trust_eviction_policy`"
            .to_owned(),
    };
    Some(LogError::misconfigured(sentence))
}

fn warnings(condition: &Condition, eviction: Eviction) -> Vec<String> {
    let mut warnings = Vec::new();
    if eviction == Eviction::Trusted {
        warnings.push("Redis: that the server evicts no sessions when its memory is full was not checked".to_owned());
    }
    let lost = match condition.setting("aof_enabled", "appendonly") {
        Some("0" | "no") => {
            Some("appendonly is off, so a crash of the server loses all sessions since its last snapshot")
        }
        _ => match condition.setting("", "appendfsync") {
            Some("everysec") => {
                Some("appendfsync is everysec, so a power loss of the server loses log-ins of a second or two")
            }
            Some("no") => Some("appendfsync is no, so a power loss of the server loses log-ins of up to half a minute"),
            _ => None,
        },
    };
    warnings.extend(lost.map(|lost| format!("Redis: {lost}; set `appendonly yes` and `appendfsync always`")));
    warnings
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn condition(policy: &str) -> Condition {
        Condition::new(&format!("maxmemory_policy:{policy}\r\n"), HashMap::new())
    }

    #[test]
    fn only_a_server_that_evicts_nothing_is_accepted() {
        assert!(refusal(&condition("noeviction"), Eviction::Checked).is_none());
        for policy in ["volatile-lru", "volatile-ttl", "allkeys-lru", "something-new"] {
            let refused = refusal(&condition(policy), Eviction::Checked);
            assert!(refused.is_some_and(|error| error.to_string().contains(policy)), "{policy}");
            assert!(refusal(&condition(policy), Eviction::Trusted).is_none(), "{policy}");
        }
        let unseen = refusal(&Condition::new("", HashMap::new()), Eviction::Checked);
        assert!(unseen.is_some_and(|error| error.to_string().contains("danger_trust_eviction_policy")));
    }
}
