//! Appends to the table.

use portcullis_core::revocation::{LogError, RevocationEntry};
use tokio_postgres::types::Type;

use super::{
    connection::{Connection, Work},
    layout::Layout,
};

/// Appends the entries, all or none. They are on the server's disk when this returns.
pub(super) async fn append(
    connection: &Connection,
    layout: &Layout,
    entries: &[RevocationEntry],
) -> Result<(), LogError> {
    let texts: Vec<String> = entries.iter().map(RevocationEntry::to_json).collect();
    let until = |entry: &RevocationEntry| i64::try_from(entry.until().as_secs()).unwrap_or(i64::MAX);
    let untils: Vec<i64> = entries.iter().map(until).collect();
    let parameters = [(&texts as _, Type::TEXT_ARRAY), (&untils as _, Type::INT8_ARRAY)];
    connection.ask(Work::Writes, &layout.append(), &parameters).await.map(drop)
}
