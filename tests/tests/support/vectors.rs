//! The shared conformance vectors, which are not part of this repository.

use std::{env, fs, path::PathBuf};

use serde_json::Value;

/// The vectors of that file; `None` if there are none here and nobody insists.
///
/// They are looked for in `$PORTCULLIS_VECTORS`, or else in `../shared/vectors` beside the repository.
/// `$PORTCULLIS_REQUIRE_VECTORS` makes their absence a failure.
pub(crate) fn read(name: &str) -> Option<Value> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors"));
    let path = env::var_os("PORTCULLIS_VECTORS").map_or_else(beside, PathBuf::from).join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) => {
            let missing = format!("no vectors at {}: {error}", path.display());
            assert!(env::var_os("PORTCULLIS_REQUIRE_VECTORS").is_none(), "{missing}");
            eprintln!("skipped: {missing}");
            None
        }
    }
}
