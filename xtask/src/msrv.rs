//! The oldest Rust that each crate says it needs: whether that is true of what it brings along, and a build with it.
//!
//! A feature may need a newer one; the crate's `[package.metadata.rust-version]` says so. What our own code needs,
//! clippy's `incompatible_msrv` looks after.

use std::fmt;

use crate::{
    command::Run,
    steps::{Done, StepResult},
    tools,
    workspace::{Package, Workspace},
};

/// A version of Rust, such as `1.88`; a patch release counts for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(str::parse);
        Some(Self(parts.next()?.ok()?, parts.next().map_or(Some(0), Result::ok)?))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Compares what each published crate says with what its dependencies say, each feature by itself.
pub(crate) fn check(workspace: &Workspace) -> StepResult {
    let (mut problems, mut said) = (Vec::new(), Vec::new());
    for package in workspace.published() {
        for set in feature_sets(package) {
            let tree = Run::cargo("tree --quiet --edges normal,build --prefix none --format {p} --package");
            let tree = set.apply(tree.arg(&package.name)).output()?;
            let needed = newest(&tree, |name, version| workspace.rust_version(name, version));
            problems.extend(problem(package, &set, needed));
        }
        said.push(format!("{} {}", package.name, package.rust_version));
    }
    if problems.is_empty() { Ok(Done::note(said.join(", "))) } else { Err(problems.join("\n    ")) }
}

/// Builds a crate with each version that it names, where that toolchain is installed.
pub(crate) fn build(package: &Package) -> StepResult {
    let (mut built, mut missing) = (Vec::new(), Vec::new());
    for set in feature_sets(package) {
        let Some(version) = said(package, &set) else { continue };
        if !tools::has_toolchain(&version.to_string()) {
            missing.push(version.to_string());
            continue;
        }
        let check = Run::cargo(&format!("+{version} check --target-dir target/msrv --package")).arg(&package.name);
        set.apply(check).run()?;
        built.push(format!("{set} with {version}"));
    }
    missing.sort();
    missing.dedup();
    if missing.is_empty() {
        return Ok(Done::note(built.join(", ")));
    }
    let install = missing.iter().map(|version| format!("rustup toolchain install {version}")).collect::<Vec<_>>();
    let built = if built.is_empty() { String::new() } else { format!("; built: {}", built.join(", ")) };
    Ok(Done::skipped(format!("no toolchain {} ({}){built}", missing.join(", "), install.join(" && "))))
}

/// What is built together: the defaults, or one feature.
#[derive(Debug, PartialEq, Eq)]
struct FeatureSet(Option<String>);

impl FeatureSet {
    fn apply(&self, run: Run) -> Run {
        match &self.0 {
            None => run,
            Some(feature) => run.words("--no-default-features --features").arg(feature),
        }
    }
}

impl fmt::Display for FeatureSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("default"))
    }
}

fn feature_sets(package: &Package) -> Vec<FeatureSet> {
    let own = package.features.iter().filter(|feature| *feature != "default").cloned().map(Some);
    [None].into_iter().chain(own).map(FeatureSet).collect()
}

/// What the crate says that it needs with these features.
fn said(package: &Package, set: &FeatureSet) -> Option<Version> {
    let of_feature = set.0.as_ref().and_then(|feature| package.feature_rust_versions.get(feature));
    Version::parse(of_feature.unwrap_or(&package.rust_version))
}

/// The newest version that any package in the output of `cargo tree` needs, and which package that is.
fn newest(tree: &str, rust_version: impl Fn(&str, &str) -> Option<String>) -> (Version, String) {
    let needed = tree.lines().filter_map(|line| {
        let (name, version) = line.split_once(" v")?;
        let version = version.split(' ').next()?;
        Some((Version::parse(&rust_version(name, version)?)?, format!("{name} {version}")))
    });
    needed.max().unwrap_or_default()
}

fn problem(package: &Package, set: &FeatureSet, (needed, by): (Version, String)) -> Option<String> {
    let name = &package.name;
    let Some(said) = said(package, set) else { return Some(format!("{name}: states no rust-version")) };
    if needed > said {
        return Some(format!("{name}, {set}: says {said}, and {by} needs {needed}: raise one or hold back the other"));
    }
    let is_needless =
        needed < said && set.0.as_ref().is_some_and(|name| package.feature_rust_versions.contains_key(name));
    is_needless.then(|| format!("{name}, {set}: says {said}, and {needed} would do"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package() -> Package {
        let feature_rust_versions = [("file".to_owned(), "1.90".to_owned())].into();
        let features = ["default", "file", "net"].map(str::to_owned).to_vec();
        Package { rust_version: "1.88".to_owned(), features, feature_rust_versions, ..Package::default() }
    }

    #[test]
    fn the_newest_that_is_needed_is_found() {
        let tree = "ours v0.1.0 (/somewhere)\ndep v1.2.3\nmacro v0.1.0 (proc-macro)\ndep v1.2.3 (*)\n";
        let versions = |name: &str, _: &str| Some(if name == "dep" { "1.90.1" } else { "1.88" }.to_owned());
        assert_eq!(newest(tree, versions), (Version(1, 90), "dep 1.2.3".to_owned()));
        assert_eq!(newest(tree, |_, _| None).0, Version::default());
    }

    #[test]
    fn what_is_said_has_to_be_enough_and_an_exception_to_be_needed() {
        let problem = |feature: Option<&str>, needed| {
            problem(&package(), &FeatureSet(feature.map(str::to_owned)), (needed, "dep 1.0.0".to_owned()))
        };
        assert_eq!(problem(None, Version(1, 85)), None);
        assert!(problem(None, Version(1, 89)).unwrap().contains("dep 1.0.0 needs 1.89"));
        assert_eq!(problem(Some("file"), Version(1, 90)), None);
        assert!(problem(Some("file"), Version(1, 91)).unwrap().contains("says 1.90"));
        assert!(problem(Some("file"), Version(1, 88)).unwrap().contains("1.88 would do"));
        assert!(problem(Some("net"), Version(1, 90)).unwrap().contains("says 1.88"));
    }

    #[test]
    fn the_defaults_and_each_feature_are_looked_at() {
        let sets: Vec<_> = feature_sets(&package()).iter().map(ToString::to_string).collect();
        assert_eq!(sets, ["default", "file", "net"]);
    }
}
