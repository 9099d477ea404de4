//! Checks JSON pointers (RFC 6901) that people write, and corrects them.

/// Returns the pointer to a member of the outermost object.
pub(crate) fn of_name(name: &str) -> String {
    // `~` first, because otherwise the `~` of `~1` would be escaped again (RFC 6901 section 4).
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Whether the claim there is a name, so that an empty string counts as absent.
pub(crate) fn leads_to_name(pointer: &str) -> bool {
    matches!(pointer, "/sub" | "/jti" | "/sid" | "/client_id")
}

/// Returns what is wrong with a text that should be a pointer to a claim, with the pointer to write instead; `None` if there is no
/// problem.
///
/// A URL as a pointer, `/https://ns/roles`, is formally valid but leads nowhere: it was meant as a name.
pub(crate) fn problem(text: &str) -> Option<String> {
    let shown = text.escape_debug();
    let trimmed = text.trim();
    if trimmed != text {
        return Some(format!("`{shown}` has white space around it: write `{}`", trimmed.escape_debug()));
    }
    let Some(inner) = text.strip_prefix('/') else {
        return Some(format!("`{shown}` is no JSON pointer (RFC 6901): write {}", begun_right(text)));
    };
    if let Some(url) = url_in(inner) {
        let (steps, name) = inner.split_at(url);
        return Some(format!(
            "`{shown}` has a URL in it, and each `/` of a pointer leads into another object: write `/{}{}` for the claim \
             `{}`: a `/` in a name is `~1` (RFC 6901)",
            steps.escape_debug(),
            of_name(name)[1..].escape_debug(),
            name.escape_debug()
        ));
    }
    let is_escaped = |step: &str| step.split('~').skip(1).all(|behind| behind.starts_with(['0', '1']));
    (!inner.split('/').all(is_escaped)).then(|| {
        let right = text.replace("~0", "~").replace('~', "~0");
        format!("`{shown}` has a `~` that is neither `~0` nor `~1`: write `{}` (RFC 6901)", right.escape_debug())
    })
}

/// Returns where a URL begins in the steps of a pointer.
fn url_in(steps: &str) -> Option<usize> {
    let scheme_end = steps.find("://")?;
    Some(steps[..scheme_end].rfind('/').map_or(0, |slash| slash + 1))
}

/// Returns what a text without a leading slash was probably meant to be.
fn begun_right(text: &str) -> String {
    let text = text.strip_prefix("$.").or_else(|| text.strip_prefix('#')).unwrap_or(text);
    if text.is_empty() {
        return "the claim's name with a slash before it, as in `/tenant`".to_owned();
    }
    if text.starts_with('/') {
        return format!("`{}`", text.escape_debug());
    }
    let name = of_name(text);
    let name = name.escape_debug();
    let steps = format!("/{}", text.replace('.', "/"));
    if text.contains("://") || steps[1..] == *text && !text.contains('/') {
        return format!("`{name}`");
    }
    let steps = if text.contains('/') { format!("/{text}") } else { steps };
    format!("`{}` for a member within a claim, or `{name}` for one claim of that name", steps.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pointer_to_write_is_shown() {
        for (text, right) in [
            ("https://ns/roles", "`/https:~1~1ns~1roles`"),
            ("https://ns.example.com/a~b", "`/https:~1~1ns.example.com~1a~0b`"),
            ("/https://ns/roles", "`/https:~1~1ns~1roles`"),
            ("/resource_access/https://ns/eu", "`/resource_access/https:~1~1ns~1eu`"),
            ("tenant", "`/tenant`"),
            ("cognito:groups", "`/cognito:groups`"),
            ("realm_access/roles", "`/realm_access/roles`"),
            ("realm_access.roles", "`/realm_access/roles`"),
            ("realm_access.roles", "`/realm_access.roles`"),
            ("$.realm_access.roles", "`/realm_access/roles`"),
            ("#/roles", "`/roles`"),
            ("", "`/tenant`"),
            (" /roles", "`/roles`"),
            ("/roles\u{a0}", "`/roles`"),
            ("/a~b", "`/a~0b`"),
            ("/a~", "`/a~0`"),
        ] {
            let problem = problem(text).expect(text);
            assert!(problem.contains(right), "{text:?}: {problem}");
        }
    }

    #[test]
    fn what_is_a_pointer_has_no_problem() {
        for text in ["/", "/a//b", "/a~1b~0", "/https:~1~1ns~1roles", "/urn:zitadel:roles", "/a b", "/{x}"] {
            assert_eq!(problem(text), None, "{text}");
        }
    }
}
