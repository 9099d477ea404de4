//! Ids of tokens.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::MintError;

/// Returns a new id: twelve hexadecimal digits of the time in milliseconds, so that ids sort by age, and 128 random bits.
pub(super) fn generate(now: Duration) -> Result<String, MintError> {
    let mut random = [0; 16];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| MintError::no_randomness())?;
    let mut id = format!("{:012x}", now.as_millis() & 0xffff_ffff_ffff);
    URL_SAFE_NO_PAD.encode_string(random, &mut id);
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_millisecond_differ_and_later_ones_sort_behind() {
        let ids: std::collections::HashSet<_> =
            (0..10_000).map(|_| generate(Duration::from_secs(1)).unwrap()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 34));
        let [early, late] = [9_999_999, 10_000_000].map(|millis| generate(Duration::from_millis(millis)).unwrap());
        assert!(early < late);
    }
}
