//! The tools. They know callers by their verified tokens only.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::http::request::Parts;
use portcullis::AuthContext;
use rmcp::{
    ErrorData, ServerHandler,
    handler::server::{tool::Extension, wrapper::Parameters},
    schemars::{self, JsonSchema},
    tool, tool_handler, tool_router,
};
use serde::Deserialize;

/// The notes of all users, by issuer and subject.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<HashMap<Owner, Vec<String>>>>);

type Owner = (String, String);

#[derive(Deserialize, JsonSchema)]
struct NewNote {
    /// What the note says
    text: String,
}

#[tool_router]
impl Notes {
    #[tool(description = "Returns your notes, one a line", annotations(read_only_hint = true))]
    fn read_notes(&self, Extension(head): Extension<Parts>) -> Result<String, ErrorData> {
        let owner = owner(&head)?;
        Ok(self.lock().get(&owner).map(|notes| notes.join("\n")).unwrap_or_default())
    }

    #[tool(description = "Adds a note to yours")]
    fn add_note(
        &self,
        Parameters(note): Parameters<NewNote>,
        Extension(head): Extension<Parts>,
    ) -> Result<String, ErrorData> {
        let owner = owner(&head)?;
        let mut all = self.lock();
        let notes = all.entry(owner).or_default();
        notes.push(note.text);
        Ok(format!("you have {} notes", notes.len()))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Owner, Vec<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tool_handler]
impl ServerHandler for Notes {}

/// The user for whom the token was issued.
fn owner(head: &Parts) -> Result<Owner, ErrorData> {
    let identity = head.extensions.get::<AuthContext>().and_then(AuthContext::identity);
    let identity = identity.ok_or_else(|| ErrorData::invalid_request("the token names no user", None))?;
    Ok((identity.issuer.to_owned(), identity.subject.to_owned()))
}
