//! Permissions, limits and conditions.

use super::{Members, members::quoted};
use crate::claims::{Limit, Permission, Permissions, Terms, TimeRange};

/// Which limits are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Limits {
    /// All of them: in a template, one that is absent is none.
    All,
    /// All but those that let nothing pass: in the token of a user, one that is absent is zero.
    UnlessNothing,
}

pub(super) fn write(terms: &Terms, limits: Limits, object: &mut Members) {
    write_permissions(&terms.permissions, object);
    object.texts("src", &terms.sources);
    object.list("times", terms.times.iter().map(time_range));
    object.text("times_location", &terms.times_location);
    for (name, limit) in [("subs", terms.subscriptions), ("data", terms.data), ("payload", terms.payload)] {
        if limits == Limits::All || limit != Limit::NOTHING {
            object.any_number(name, limit.to_claim());
        }
    }
    object.flag("bearer_token", terms.bearer);
    object.flag("proxy_required", terms.proxy_required);
    object.texts("allowed_connection_types", &terms.connection_types);
}

pub(super) fn write_permissions(permissions: &Permissions, object: &mut Members) {
    object.object("pub", permission(&permissions.publish));
    object.object("sub", permission(&permissions.subscribe));
    if let Some(responses) = permissions.responses {
        let mut written = Members::default();
        written.any_number("max", responses.max);
        written.any_number("ttl", responses.valid_for);
        object.object("resp", written);
    }
}

/// An empty list of allowed subjects is written, because it does not always mean the same as an absent one.
fn permission(permission: &Permission) -> Members {
    let mut object = Members::default();
    if let Some(allow) = &permission.allow {
        object.any_list("allow", allow.iter().map(|entry| quoted(entry)));
    }
    object.texts("deny", &permission.deny);
    object
}

fn time_range(range: &TimeRange) -> String {
    let mut object = Members::default();
    object.text("start", &range.start);
    object.text("end", &range.end);
    object.finish()
}
