//! Waits until the server has new entries.

use std::time::Duration;

use portcullis_core::revocation::Cursor;
use redis::{Value, cmd};

use super::{
    connection::Connection,
    error::Fault,
    layout::{self, Layout, PAGE, Place},
};

/// How long the server waits in one command. After that, its role is checked again. A server that hangs is noticed in
/// this way, even if the reader would wait longer.
pub(super) const WAIT: Duration = Duration::from_secs(2);

/// Returns the entries after `after` as soon as there are any; none if it takes longer than `patience`.
pub(super) async fn wait(
    connection: &mut Connection,
    layout: &Layout,
    after: Cursor,
    patience: Duration,
) -> Result<Vec<Value>, Fault> {
    let mut command = cmd("XREAD");
    let id = Place::from_position(after.position()).id();
    command.arg("COUNT").arg(PAGE).arg("BLOCK").arg(patience.as_millis().to_string());
    command.arg("STREAMS").arg(&layout.stream).arg(id);
    let answer = connection.wait_for(&command, patience).await?;
    layout::of_one_stream(answer).ok_or_else(|| connection.nonsense())
}
