//! The workspace as `cargo metadata` describes it, reduced to what the checks read.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::Value;

use crate::command::Run;

/// Every package of the build, ours and others'.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    /// Who depends on whom, as resolved with all features, by [`Package::id`].
    pub(crate) edges: Vec<(String, String)>,
}

/// One package.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: Option<String>,
    /// The registry it came from; none for our own.
    pub(crate) source: Option<String>,
    pub(crate) publish: bool,
    /// The oldest Rust that it says it needs; empty if it says nothing.
    pub(crate) rust_version: String,
    /// Features of ours that need a newer one, from `[package.metadata.rust-version]`.
    pub(crate) feature_rust_versions: BTreeMap<String, String>,
    pub(crate) features: Vec<String>,
    pub(crate) dependencies: Vec<Dependency>,
    /// Names of its `examples/` programs.
    pub(crate) examples: Vec<String>,
    /// Names of its benchmarks.
    pub(crate) benches: Vec<String>,
}

/// One line of a package's dependency tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) optional: bool,
    /// The version requirement; `*` when none was written.
    pub(crate) requirement: String,
}

/// The table a dependency stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Normal,
    Dev,
    Build,
}

/// The top of the repository.
pub(crate) fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

impl Workspace {
    /// Asks cargo. Only this machine's platform is resolved, so that nothing is downloaded that is never built here.
    ///
    /// # Errors
    /// When cargo fails, with its own words.
    pub(crate) fn load() -> Result<Self, String> {
        let rustc = Run::new("rustc").words("-vV").output()?;
        let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc -vV names no host")?;
        let json =
            Run::cargo("metadata --format-version 1 --all-features --filter-platform").arg(host.trim()).output()?;
        let value = serde_json::from_str(&json).map_err(|error| format!("cargo metadata: {error}"))?;
        Ok(Self::from_metadata(&value))
    }

    /// Our own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.source.is_none())
    }

    /// Our own packages that go to crates.io.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.members().filter(|package| package.publish)
    }

    /// Whether one of our own packages has this name.
    pub(crate) fn has_member(&self, name: &str) -> bool {
        self.members().any(|package| package.name == name)
    }

    /// What a package of the build says about the Rust that it needs.
    pub(crate) fn rust_version(&self, name: &str, version: &str) -> Option<String> {
        let mut packages = self.packages.iter();
        let package = packages.find(|package| package.name == name && package.version == version)?;
        (!package.rust_version.is_empty()).then(|| package.rust_version.clone())
    }

    /// The benchmarks of our package of this name; none where there is no such package.
    pub(crate) fn benches(&self, name: &str) -> impl Iterator<Item = &str> {
        let package = self.members().filter(move |package| package.name == name);
        package.flat_map(|package| &package.benches).map(String::as_str)
    }

    fn from_metadata(value: &Value) -> Self {
        let edges = array(&value["resolve"]["nodes"])
            .flat_map(|node| array(&node["deps"]).map(|dependency| (text(&node["id"]), text(&dependency["pkg"]))));
        Self { packages: array(&value["packages"]).map(Package::from_metadata).collect(), edges: edges.collect() }
    }
}

impl Package {
    fn from_metadata(value: &Value) -> Self {
        let targets = |kind: &str| {
            let targets = array(&value["targets"]).filter(|target| array(&target["kind"]).any(|of| of == kind));
            targets.map(|target| text(&target["name"])).collect()
        };
        Self {
            id: text(&value["id"]),
            name: text(&value["name"]),
            version: text(&value["version"]),
            licence: value["license"].as_str().map(str::to_owned),
            source: value["source"].as_str().map(str::to_owned),
            // absent means everywhere, an empty list nowhere
            publish: value["publish"].as_array().is_none_or(|registries| !registries.is_empty()),
            rust_version: text(&value["rust_version"]),
            feature_rust_versions: value["metadata"]["rust-version"]
                .as_object()
                .map(|map| map.iter().map(|(feature, version)| (feature.clone(), text(version))).collect())
                .unwrap_or_default(),
            features: value["features"].as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default(),
            dependencies: array(&value["dependencies"]).map(Dependency::from_metadata).collect(),
            examples: targets("example"),
            benches: targets("bench"),
        }
    }
}

impl Dependency {
    fn from_metadata(value: &Value) -> Self {
        Self {
            name: text(&value["name"]),
            kind: match value["kind"].as_str() {
                Some("dev") => Kind::Dev,
                Some("build") => Kind::Build,
                _ => Kind::Normal,
            },
            optional: value["optional"].as_bool().unwrap_or_default(),
            requirement: text(&value["req"]),
        }
    }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_metadata_that_the_checks_read() {
        let workspace = Workspace::from_metadata(&serde_json::json!({
            "packages": [{
                "id": "path#ours@0.1.0", "name": "ours", "version": "0.1.0", "license": "MIT", "source": null,
                "publish": null, "features": { "default": [], "extra": [] },
                "targets": [
                    { "kind": ["example"], "name": "quickstart" }, { "kind": ["lib"], "name": "ours" },
                    { "kind": ["bench"], "name": "cold" },
                ],
                "dependencies": [{ "name": "theirs", "kind": "dev", "optional": false, "req": "*" }],
            }, {
                "id": "reg#theirs@1.0.0", "name": "theirs", "version": "1.0.0", "source": "registry+x", "publish": [],
            }],
            "resolve": { "nodes": [{ "id": "path#ours@0.1.0", "deps": [{ "pkg": "reg#theirs@1.0.0" }] }] },
        }));
        let ours = &workspace.packages[0];
        assert!(ours.publish && !workspace.packages[1].publish);
        assert_eq!((ours.features.len(), ours.examples.as_slice()), (2, ["quickstart".to_owned()].as_slice()));
        assert_eq!(ours.dependencies[0].kind, Kind::Dev);
        assert!(workspace.benches("ours").eq(["cold"]) && workspace.benches("others").next().is_none());
        assert_eq!(workspace.members().count(), 1);
        assert_eq!(workspace.edges, [("path#ours@0.1.0".to_owned(), "reg#theirs@1.0.0".to_owned())]);
    }
}
