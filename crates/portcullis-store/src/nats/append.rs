//! Appends to the stream.

use portcullis_core::revocation::{LogError, RevocationEntry};

use super::connection::Connection;

/// Appends the entries, in one message if they fit into one. They are stored when this returns.
pub(super) async fn append(connection: &Connection, entries: &[RevocationEntry]) -> Result<(), LogError> {
    for payload in payloads(entries, connection.room) {
        connection.publish(payload).await?;
    }
    Ok(())
}

/// Returns the entries as messages of at most `room` bytes: as one message, if they fit.
fn payloads(entries: &[RevocationEntry], room: usize) -> Vec<String> {
    let mut payloads: Vec<String> = Vec::new();
    for entry in entries {
        let line = entry.to_json();
        match payloads.last_mut().filter(|payload| payload.len() + 1 + line.len() <= room) {
            Some(payload) => {
                payload.push('\n');
                payload.push_str(&line);
            }
            None => payloads.push(line),
        }
    }
    payloads
}

#[cfg(test)]
mod tests {
    use portcullis_core::{UnixTime, revocation::Revocation};

    use super::*;

    #[test]
    fn entries_are_one_message_unless_they_do_not_fit() {
        let entry = |id: &str| RevocationEntry::new(Revocation::session("i", id), UnixTime::from_secs(1));
        let entries = [entry("a"), entry("b"), entry("c")];
        let line = entries[0].to_json();
        assert_eq!(payloads(&entries, 10_000).len(), 1);
        assert_eq!(payloads(&entries, 2 * line.len() + 1).len(), 2);
        assert_eq!(payloads(&entries, line.len() * 2).len(), 3);
        let all = payloads(&entries, 2 * line.len() + 1).join("\n");
        assert!(all.lines().map(RevocationEntry::from_json).map(Result::unwrap).eq(entries));
    }

    #[test]
    fn the_longest_entry_fits_where_a_message_is_allowed_to_be_smallest() {
        let worst = "\u{1}".repeat(255);
        let entry = RevocationEntry::new(Revocation::session(&worst, &worst), UnixTime::from_secs(u64::MAX));
        assert!(entry.to_json().len() < 7 * 1024);
    }
}
