//! The shared secrets that the file lists.

use std::{collections::BTreeSet, fs, io, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis::{Algorithm, Secret};
use zeroize::Zeroizing;

use super::{file::SecretTable, problems::Problems};
use crate::secrets::{ListedSecret, ListedState, Material};

/// Reads every secret, from the file itself or from one of its own in `folder`.
pub(super) fn from_tables(tables: &[SecretTable], folder: &Path, problems: &mut Problems) -> Vec<ListedSecret> {
    let mut ids = BTreeSet::new();
    let mut secrets = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        let place = format!("secrets#{}", at + 1);
        if table.id.as_ref().is_some_and(|id| !ids.insert(id)) {
            problems.add(&format!("{place}.id"), "used before in this file: each secret has an id of its own");
        }
        secrets.extend(from_table(table, &place, folder, problems));
    }
    // What could not be read may have been the active one.
    let active = tables.iter().filter(|table| table.state.as_deref() == Some("active")).count();
    if active != 1 && secrets.len() == tables.len() {
        problems.add("secrets", &format!("{active} are `active`: exactly one is, and it signs"));
    }
    secrets
}

fn from_table(table: &SecretTable, place: &str, folder: &Path, problems: &mut Problems) -> Option<ListedSecret> {
    let id_place = format!("{place}.id");
    let state_place = format!("{place}.state");
    let id = problems.require(&id_place, table.id.clone(), "give it an id, such as the month it was made in");
    let state = problems.require(&state_place, table.state.as_deref(), "one of standby, active, retiring, revoked");
    let state = state.and_then(|state| {
        let known = ListedState::from_name(state).ok_or("expected standby, active, retiring or revoked");
        problems.accept(&state_place, known)
    });
    let material = material(table, place, folder, problems);
    let (id, state, material) = (id?, state?, material?);
    if let Material::Given(bytes) = &material {
        // Also says what is wrong with an id.
        let checked = Secret::new(id.as_str(), Algorithm::Hs256, bytes.to_vec());
        problems.accept(&format!("{place} (`{}`)", id.escape_debug()), checked)?;
    }
    Some(ListedSecret { id, state, material })
}

fn material(table: &SecretTable, place: &str, folder: &Path, problems: &mut Problems) -> Option<Material> {
    match (&table.secret, &table.secret_file, table.random) {
        (Some(text), None, None) => problems.accept(&format!("{place}.secret"), decode(text.text())),
        (None, Some(name), None) => {
            let path = folder.join(name);
            let text = read(&path).map_err(|error| format!("{}: {error}", path.display()));
            let material = text.and_then(|text| decode(text.trim_end()).map_err(str::to_owned));
            problems.accept(&format!("{place}.secret_file"), material)
        }
        (None, None, Some(true)) => Some(Material::Random),
        _ => {
            problems.add(place, "expected exactly one of `secret`, `secret_file` and `random = true`");
            None
        }
    }
}

/// The decoder's own message would show a part of the secret.
fn decode(text: &str) -> Result<Material, &'static str> {
    let bytes = URL_SAFE_NO_PAD.decode(text);
    bytes
        .map(|bytes| Material::Given(Zeroizing::new(bytes)))
        .map_err(|_| "expected base64url without padding: make one with `service-api --new-secret`")
}

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    fs::read_to_string(path).map(Zeroizing::new)
}
