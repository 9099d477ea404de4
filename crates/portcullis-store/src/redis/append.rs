//! Appends to the stream.

use std::time::Duration;

use portcullis_core::revocation::{LogError, RevocationEntry};
use redis::{Value, cmd, from_redis_value};

use super::{
    connection::{Connection, Wishes},
    error::Fault,
    layout::{Marker, Place},
    survey,
};

/// How long replicas may take to acknowledge. A connected one does so within a round trip.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(1);

/// Appends the entries, all or none, and deletes old ones.
pub(super) async fn append(
    connection: &mut Connection,
    wishes: &Wishes,
    entries: &[RevocationEntry],
) -> Result<(), Fault> {
    let layout = &wishes.layout;
    let mut commands = Vec::from(layout.register());
    commands.extend(entries.iter().map(|entry| layout.add(entry)));
    let newest = commands.len() - 1;
    commands.extend([cmd("TIME"), layout.marker()]);
    let forgettable = connection.forgettable();
    if forgettable > 0 {
        commands.push(layout.trim(forgettable));
    }
    let answers = connection.transact(commands).await?;
    learn(connection, answers.into_iter().skip(newest)).ok_or_else(|| connection.nonsense())?;
    if wishes.replicas > 0 { acknowledged(connection, wishes.replicas).await } else { Ok(()) }
}

/// Records which entries can be deleted next time, from the answers since the newest entry was appended.
fn learn(connection: &Connection, mut answers: impl Iterator<Item = Value>) -> Option<()> {
    let newest = Place::read(&answers.next()?)?;
    let now = from_redis_value(answers.next()?).ok()?;
    let marker = Marker::read(&from_redis_value(answers.next()?).ok()?).ok()?;
    connection.note(survey::milliseconds(now), newest, marker);
    Some(())
}

/// Waits until that many replicas have everything that was written on this connection.
async fn acknowledged(connection: &mut Connection, replicas: u32) -> Result<(), Fault> {
    let mut command = cmd("WAIT");
    command.arg(replicas).arg(ACKNOWLEDGEMENT.as_millis().to_string());
    let count: u32 = connection.wait_for(&command, ACKNOWLEDGEMENT).await?;
    if count >= replicas {
        return Ok(());
    }
    Err(LogError::unavailable(format!(
        "the revocation is in Redis, but {count} of {replicas} replicas have acknowledged it, so a failover may lose it: append it again"
    ))
    .into())
}
