//! Vectors that are not part of this repository: those of Project Wycheproof, and the original of the HTTP corpus.

use std::{env, fs, path::PathBuf};

use real_servers::skip;
use serde_json::Value;

/// The vectors of that file; `None` if there are none here, and then the running test is left out.
///
/// They are looked for in `$PORTCULLIS_VECTORS`, or else in `../shared/vectors` beside the repository.
pub(crate) fn read(name: &str) -> Option<Value> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors"));
    let path = env::var_os("PORTCULLIS_VECTORS").map_or_else(beside, PathBuf::from).join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) => {
            let place =
                if env::var_os("PORTCULLIS_VECTORS").is_some() { "$PORTCULLIS_VECTORS" } else { "../shared/vectors" };
            let how = "https://github.com/C2SP/wycheproof, the files of testvectors_v1 for JWS and JWK";
            skip("Wycheproof", &format!("no {name} in {place} ({how}): {error}"));
            None
        }
    }
}
