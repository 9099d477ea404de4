//! What the environment sets instead of the file.

use std::str::FromStr;

use super::{file::File, problems::Problems};

/// Looks a variable up; the process's environment, or a test's.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Puts what the variables say in place of what the file says.
pub(super) fn overlay(file: &mut File, lookup: Lookup<'_>, problems: &mut Problems) {
    let mut variables = Variables { lookup, problems };
    variables.set("PORT", &mut file.server.port, "a port number, 0 to 65535");
    variables.set("SERVICE_BIND", &mut file.server.bind, "an IP address");
    variables.set("SERVICE_LOG", &mut file.server.log, "a level");
    variables.set("SERVICE_ISSUER", &mut file.token.issuer, "text");
    variables.set("SERVICE_AUDIENCE", &mut file.token.audience, "text");
    variables.set("SERVICE_LIFETIME_SECONDS", &mut file.token.lifetime_seconds, "a number of seconds");
    variables.set("SERVICE_REVOCATION_LOG", &mut file.revocation.log, "text");
}

struct Variables<'a> {
    lookup: Lookup<'a>,
    problems: &'a mut Problems,
}

impl Variables<'_> {
    fn set<T: FromStr>(&mut self, name: &str, slot: &mut Option<T>, expected: &str) {
        let Some(text) = (self.lookup)(name) else { return };
        match text.parse() {
            Ok(value) => *slot = Some(value),
            Err(_) => self.problems.add(&format!("environment variable {name}"), &format!("expected {expected}")),
        }
    }
}
