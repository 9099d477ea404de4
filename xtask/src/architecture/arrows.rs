//! Arrows between our own crates, as their manifests declare them.

use super::rules::{CrateRule, RULES, TEST_KIT};
use crate::workspace::{Dependency, Kind, Package};

/// Everything wrong with the dependency tables of `members`.
pub(super) fn problems(members: &[&Package]) -> Vec<String> {
    let ours = |dependency: &&Dependency| members.iter().any(|member| member.name == dependency.name);
    let arrows = |member: &Package| -> Vec<String> {
        member.dependencies.iter().filter(ours).filter_map(|arrow| problem(member, arrow)).collect()
    };
    let mut problems: Vec<String> = members.iter().flat_map(|member| arrows(member)).collect();
    let unknown = members.iter().filter(|member| member.publish && rule(&member.name).is_none());
    problems.extend(unknown.map(|member| format!("{} has no row in xtask/src/architecture/rules.rs", member.name)));
    problems
}

/// What is wrong with one arrow from `from` to another crate of ours.
fn problem(from: &Package, to: &Dependency) -> Option<String> {
    let arrow = format!("{} -> {}", from.name, to.name);
    if to.kind == Kind::Dev {
        // A crate and its dev-dependency may need each other; with a version, neither could be published first.
        let circular = from.publish && to.requirement != "*";
        return circular.then(|| format!("{arrow}: as a dev-dependency, give the path alone, no version"));
    }
    if to.name == TEST_KIT {
        return Some(format!("{arrow}: the test kit is only ever a dev-dependency"));
    }
    let rule = rule(&from.name)?;
    if rule.uses.contains(&to.name.as_str()) {
        return None;
    }
    match (rule.uses_by_feature.contains(&to.name.as_str()), to.optional) {
        (true, true) => None,
        (true, false) => Some(format!("{arrow}: only behind a cargo feature")),
        (false, _) => Some(format!("{arrow}: no such arrow in the architecture")),
    }
}

fn rule(name: &str) -> Option<&'static CrateRule> {
    RULES.iter().find(|rule| rule.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(name: &str) -> Dependency {
        Dependency { name: name.to_owned(), requirement: "^0.1".to_owned(), ..Dependency::default() }
    }

    fn check(from: &str, to: Dependency) -> Vec<String> {
        let package = |name: &str| Package { name: name.to_owned(), publish: true, ..Package::default() };
        let to_package = package(&to.name);
        let from_package = Package { dependencies: vec![to], ..package(from) };
        problems(&[&from_package, &to_package])
    }

    #[test]
    fn arrows_of_the_picture() {
        assert_eq!(check("portcullis", dependency("portcullis-core")), [""; 0]);
        let jwks = Dependency { optional: true, ..dependency("portcullis-jwks") };
        assert_eq!(check("portcullis", jwks), [""; 0]);
    }

    #[test]
    fn arrows_that_are_not_in_it() {
        assert!(check("portcullis-core", dependency("portcullis"))[0].contains("no such arrow"));
        assert!(check("portcullis", dependency("portcullis-jwks"))[0].contains("behind a cargo feature"));
        assert!(check("portcullis", dependency("portcullis-issuer"))[0].contains("no such arrow"));
    }

    #[test]
    fn the_test_kit_is_a_dev_dependency_by_path() {
        assert!(check("portcullis", dependency(TEST_KIT))[0].contains("only ever a dev-dependency"));
        let with_version = Dependency { kind: Kind::Dev, ..dependency(TEST_KIT) };
        assert!(check("portcullis", with_version)[0].contains("no version"));
        let by_path = Dependency { kind: Kind::Dev, requirement: "*".to_owned(), ..dependency(TEST_KIT) };
        assert_eq!(check("portcullis", by_path), [""; 0]);
    }

    #[test]
    fn a_crate_needs_a_row() {
        assert!(check("portcullis-new", dependency("portcullis-core"))[0].contains("no row"));
    }
}
