//! The library of npm, as a process of this test.

use std::{path::Path, process::Command};

use real_servers::{is_missing, skip};
use serde_json::{Value, json};

use crate::world::{DOCUMENT, World};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node");

#[tokio::test]
async fn version_1_of_the_library_of_npm_asks_the_user_for_each_scope_when_a_tool_needs_it() {
    walk("version 1").await;
}

#[tokio::test]
async fn version_2_of_the_library_of_npm_asks_the_user_for_each_scope_though_it_could_refresh() {
    let version = Command::new("node").arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major < 20) {
        return skip("Node.js 20", &format!("@modelcontextprotocol/client needs it, and here is {version}"));
    }
    walk("version 2").await;
}

async fn walk(library: &str) {
    let packages = Path::new(FOLDER).join("node_modules");
    if !packages.is_dir() {
        let why = format!("{} is not there (`cargo xtask test servers` installs it)", packages.display());
        return skip("@modelcontextprotocol/sdk", &why);
    }
    if is_missing("node") {
        return;
    }
    let world = World::start().await;
    let mut client = Command::new("node");
    client.args(["client.mjs", library, &world.resource, DOCUMENT]).current_dir(FOLDER);
    // The client calls the servers of this test meanwhile.
    let output = tokio::task::spawn_blocking(move || client.output()).await.unwrap().unwrap();
    let [out, error] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{error}");
    let seen: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(seen["tools"], json!(["add_note", "read_notes"]));
    assert_eq!([&seen["before"], &seen["added"], &seen["after"]], ["", "you have 1 notes", "buy oranges"]);
    let asked = seen["asked"].as_array().unwrap();
    let scopes: Vec<&Value> = asked.iter().map(|each| &each["scope"]).collect();
    assert_eq!(scopes, ["notes:list", "notes:list notes:read", "notes:list notes:read notes:write"]);
    for each in asked {
        assert_eq!([&each["client_id"], &each["resource"]], [DOCUMENT, &*world.resource]);
        assert_eq!(each["code_challenge_method"], "S256");
    }
}
