//! `deny.toml`, read without `cargo deny`: licences, banned packages, registries.
//!
//! One file says what may enter the build. `cargo deny` reads it before a release, with the advisory database; this
//! module holds every change to the part that needs neither that tool nor the network.

use std::fs;

use spdx::{Expression, ParseMode};
use toml::{Table, Value};

use crate::{
    steps::{Done, StepResult},
    workspace::{Package, Workspace, root},
};

/// The parts of `deny.toml` that are checked here.
#[derive(Debug)]
struct Policy {
    licences: Vec<String>,
    registries: Vec<String>,
    bans: Vec<Ban>,
}

/// A package that only its `wrappers` may depend on.
#[derive(Debug)]
struct Ban {
    name: String,
    wrappers: Vec<String>,
    reason: String,
}

/// Checks every package of the build against `deny.toml`.
pub(crate) fn check(workspace: &Workspace) -> StepResult {
    let text = fs::read_to_string(root().join("deny.toml")).map_err(|error| format!("deny.toml: {error}"))?;
    let policy = Policy::parse(&text).map_err(|problem| format!("deny.toml: {problem}"))?;
    let problems = policy.problems(workspace);
    if problems.is_empty() {
        Ok(Done::note(format!("{} packages, {} bans", workspace.packages.len(), policy.bans.len())))
    } else {
        Err(format!("deny.toml is not kept:\n    {}", problems.join("\n    ")))
    }
}

impl Policy {
    fn parse(text: &str) -> Result<Self, String> {
        let table: Table = text.parse().map_err(|error| format!("{error}"))?;
        let section = |name: &str| table.get(name).and_then(Value::as_table).ok_or(format!("no [{name}]"));
        let bans = section("bans")?.get("deny").and_then(Value::as_array).ok_or("no `deny` in [bans]")?;
        Ok(Self {
            licences: strings(section("licenses")?, "allow")?,
            registries: strings(section("sources")?, "allow-registry")?,
            bans: bans.iter().map(Ban::parse).collect::<Result<_, _>>()?,
        })
    }

    fn problems(&self, workspace: &Workspace) -> Vec<String> {
        let packages = workspace.packages.iter();
        let mut problems: Vec<String> = packages
            .flat_map(|package| [self.licence_problem(package), self.source_problem(package)])
            .flatten()
            .collect();
        problems.extend(self.bans.iter().flat_map(|ban| ban.problems(workspace)));
        problems
    }

    fn licence_problem(&self, package: &Package) -> Option<String> {
        let Package { name, version, licence, .. } = package;
        let Some(licence) = licence else {
            return Some(format!("{name} {version} states no licence"));
        };
        match self.permits(licence) {
            Ok(true) => None,
            Ok(false) => Some(format!("{name} {version}: licence {licence} is not on the list")),
            Err(problem) => Some(format!("{name} {version}: {problem}")),
        }
    }

    /// Whether the SPDX expression can be satisfied with licences on the list. A licence with an exception has its own entry there:
    /// `Apache-2.0 WITH LLVM-exception`.
    fn permits(&self, licence: &str) -> Result<bool, String> {
        let expression = Expression::parse_mode(licence, ParseMode::LAX)
            .map_err(|error| format!("`{licence}` is not a licence expression: {}", error.reason))?;
        Ok(expression.evaluate(|needed| self.licences.contains(&needed.to_string())))
    }

    fn source_problem(&self, package: &Package) -> Option<String> {
        let source = package.source.as_ref()?;
        let known = self.registries.iter().any(|url| source.strip_prefix("registry+") == Some(url));
        (!known).then(|| format!("{} {} comes from {source}", package.name, package.version))
    }
}

impl Ban {
    fn parse(value: &Value) -> Result<Self, String> {
        let table = value.as_table().ok_or("an entry of `deny` is no table")?;
        let string = |key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
        let name = string("crate").ok_or("an entry of `deny` names no `crate`")?;
        let reason = string("reason").ok_or(format!("the ban of {name} gives no `reason`"))?;
        let wrappers = if table.contains_key("wrappers") { strings(table, "wrappers")? } else { Vec::new() };
        Ok(Self { name, wrappers, reason })
    }

    /// Every package that depends on the banned one and is not a wrapper of it.
    fn problems(&self, workspace: &Workspace) -> Vec<String> {
        let find = |id: &String| workspace.packages.iter().find(|package| package.id == *id);
        let users = workspace.edges.iter().filter_map(|(from, to)| Some((find(from)?, find(to)?)));
        users
            .filter(|(user, used)| used.name == self.name && !self.wrappers.contains(&user.name))
            .map(|(user, _)| format!("{} depends on {}: {}", user.name, self.name, self.reason))
            .collect()
    }
}

fn strings(table: &Table, key: &str) -> Result<Vec<String>, String> {
    let array = table.get(key).and_then(Value::as_array).ok_or(format!("no list `{key}`"))?;
    array.iter().map(|item| item.as_str().map(str::to_owned).ok_or(format!("`{key}` holds more than text"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        [licenses]
        allow = ["MIT"]
        [sources]
        allow-registry = ["https://registry"]
        [bans]
        deny = [{ crate = "client", wrappers = ["wrapper"], reason = "one place talks HTTP" }]
    "#;

    fn package(name: &str, licence: &str, source: Option<&str>) -> Package {
        Package {
            id: name.to_owned(),
            name: name.to_owned(),
            licence: Some(licence.to_owned()),
            source: source.map(str::to_owned),
            ..Package::default()
        }
    }

    fn problems(packages: Vec<Package>, edges: &[(&str, &str)]) -> Vec<String> {
        let edges = edges.iter().map(|&(from, to)| (from.to_owned(), to.to_owned())).collect();
        Policy::parse(TEXT).unwrap().problems(&Workspace { packages, edges })
    }

    #[test]
    fn licences_and_sources() {
        let from = Some("registry+https://registry");
        assert_eq!(problems(vec![package("good", "MIT", from), package("ours", "MIT", None)], &[]), [""; 0]);
        assert!(problems(vec![package("bad", "GPL-3.0", from)], &[])[0].contains("GPL-3.0"));
        assert!(problems(vec![package("bad", "MIT", Some("git+https://elsewhere"))], &[])[0].contains("elsewhere"));
        let unstated = Package { licence: None, ..package("bad", "", None) };
        assert!(problems(vec![unstated], &[])[0].contains("no licence"));
    }

    #[test]
    fn expressions_of_licences_are_evaluated() {
        let policy = Policy {
            licences: ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).to_vec(),
            registries: Vec::new(),
            bans: Vec::new(),
        };
        let permitted = ["MIT", "MIT OR GPL-3.0", "GPL-3.0/MIT", "ISC AND (GPL-3.0 OR MIT)", "GPL-3.0 OR MIT AND ISC"];
        for expression in permitted.into_iter().chain(["Apache-2.0 WITH LLVM-exception OR Apache-2.0"]) {
            assert_eq!(policy.permits(expression), Ok(true), "{expression}");
        }
        for expression in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "Apache-2.0"] {
            assert_eq!(policy.permits(expression), Ok(false), "{expression}");
        }
        for text in ["", "MIT OR", "(MIT", "MIT ISC", "AND", "MIT WITH", "MIT WITH odd", "()", "Odd"] {
            assert!(policy.permits(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_wrappers_use_a_banned_package() {
        let packages = || ["wrapper", "client", "other"].map(|name| package(name, "MIT", None)).to_vec();
        assert_eq!(problems(packages(), &[("wrapper", "client")]), [""; 0]);
        assert_eq!(problems(packages(), &[("other", "client")]), ["other depends on client: one place talks HTTP"]);
    }

    #[test]
    fn a_ban_without_a_reason_is_refused() {
        assert!(Policy::parse(&TEXT.replace("reason", "because")).unwrap_err().contains("no `reason`"));
        assert!(Policy::parse("[licenses]").is_err());
    }

    #[test]
    fn our_own_file_can_be_read() {
        let policy = Policy::parse(include_str!("../../deny.toml")).unwrap();
        assert!(policy.licences.iter().any(|licence| licence == "MIT"));
        assert!(policy.bans.iter().any(|ban| ban.name == "redb" && ban.wrappers == ["portcullis-store"]));
    }
}
