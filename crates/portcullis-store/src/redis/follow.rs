//! Being told by the server that something was appended.

use std::time::Duration;

use portcullis_core::revocation::Cursor;
use redis::{Value, cmd};

use super::{
    connection::Connection,
    error::Fault,
    layout::{self, Layout, PAGE, Place},
};

/// How long the server is asked to wait at once. After that it is asked again whether it is still the one to ask; and one that hangs is
/// noticed, however patient the reader is.
pub(super) const WAIT: Duration = Duration::from_secs(2);

/// What comes behind `after`, as soon as it does; nothing if that takes longer than `patience`.
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
