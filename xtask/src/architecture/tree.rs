//! Everything below one crate, as `cargo tree` prints it.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::{CrateRule, Never};
use crate::command::Run;

/// The normal dependencies of one crate, for this machine's platform. Packages are `name vX.Y.Z`.
#[derive(Debug, Default)]
pub(super) struct Tree {
    root: String,
    children: BTreeMap<String, BTreeSet<String>>,
}

/// What `tree` holds against `rule`, each with the way it got in.
pub(super) fn problems(rule: &CrateRule, tree: &Tree) -> Vec<String> {
    let reached = |never: &'static Never| {
        let ways = never.packages.iter().filter_map(|package| tree.way_to(package, never.unless_under));
        ways.map(|way| format!("{}: {}", way.join(" -> "), never.reason)).collect::<Vec<_>>()
    };
    rule.never.iter().flat_map(reached).collect()
}

impl Tree {
    /// Asks cargo for the tree of `name` alone, with `features` as on its command line.
    pub(super) fn load(name: &str, features: &str) -> Result<Self, String> {
        // the blank sets the depth apart from the name
        let tree = Run::cargo("tree --quiet --edges normal --prefix depth --package").arg(name).words(features);
        Ok(Self::parse(&tree.arg("--format").arg(" {p}").output()?))
    }

    /// How many packages there are, the root included; two versions of one package are two.
    pub(super) fn package_count(&self) -> usize {
        self.children.len()
    }

    /// Reads lines such as `2 serde v1.0.0 (*)`: the depth, then the package.
    fn parse(text: &str) -> Self {
        let mut tree = Self::default();
        let mut above: Vec<String> = Vec::new();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let (Some(depth), Some(name), Some(version)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let Ok(depth) = depth.parse::<usize>() else { continue };
            let package = format!("{name} {version}");
            above.truncate(depth);
            match above.last() {
                Some(parent) => tree.children.entry(parent.clone()).or_default().insert(package.clone()),
                None => std::mem::replace(&mut tree.root, package.clone()).is_empty(),
            };
            tree.children.entry(package.clone()).or_default();
            above.push(package);
        }
        tree
    }

    /// A shortest way from the root to a package called `name` that does not lead through `around`.
    fn way_to(&self, name: &str, around: Option<&str>) -> Option<Vec<&str>> {
        let called = |package: &str, name: &str| package.split(' ').next() == Some(name);
        let mut seen = BTreeSet::from([self.root.as_str()]);
        let mut ways = vec![vec![self.root.as_str()]];
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                let Some(&last) = way.last() else { continue };
                for child in self.children.get(last).into_iter().flatten() {
                    let way = [way.as_slice(), &[child]].concat();
                    if called(child, name) {
                        return Some(way);
                    }
                    if seen.insert(child) && !around.is_some_and(|around| called(child, around)) {
                        longer.push(way);
                    }
                }
            }
            ways = longer;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
0 portcullis v0.1.0 (/somewhere/with 1 blank)
1 portcullis-jwks v0.1.0
2 reqwest v0.13.0
3 hyper v1.0.0
1 serde v1.0.0
2 serde_derive v1.0.0 (proc-macro)
1 serde v2.0.0
1 reqwest-like v1.0.0
2 serde v1.0.0 (*)
";

    const RULE: CrateRule = CrateRule {
        name: "portcullis",
        uses: &[],
        uses_by_feature: &[],
        never: &[Never { packages: &["hyper"], unless_under: Some("portcullis-jwks"), reason: "why" }],
        most_packages: None,
    };

    #[test]
    fn packages_are_counted_once_a_version() {
        assert_eq!(Tree::parse(TEXT).package_count(), 8);
    }

    #[test]
    fn a_package_is_allowed_under_its_owner_only() {
        assert_eq!(problems(&RULE, &Tree::parse(TEXT)), [""; 0]);
        let also_elsewhere = format!("{TEXT}1 other v1.0.0\n2 hyper v1.0.0 (*)\n");
        assert_eq!(
            problems(&RULE, &Tree::parse(&also_elsewhere)),
            ["portcullis v0.1.0 -> other v1.0.0 -> hyper v1.0.0: why"]
        );
    }

    #[test]
    fn names_are_compared_whole() {
        assert!(Tree::parse(TEXT).way_to("serde_der", None).is_none());
        assert!(Tree::parse(TEXT).way_to("reqwest", Some("portcullis-jwks")).is_none());
        assert_eq!(Tree::parse(TEXT).way_to("hyper", None).map(|way| way.len()), Some(4));
    }
}
