//! How long a key set is fresh.

use std::{ops::RangeInclusive, time::Duration};

use http::{
    HeaderMap,
    header::{AGE, CACHE_CONTROL},
};

/// The limits for the issuer's value. At least a minute, so that `max-age=0` does not make us fetch constantly; at most a day, so that a
/// withdrawn key is not used for longer.
const BOUNDS: RangeInclusive<Duration> = Duration::from_secs(60)..=MAX_FRESHNESS;

/// The longest time that a key set is fresh.
pub(crate) const MAX_FRESHNESS: Duration = Duration::from_secs(24 * 60 * 60);

/// The default, if the issuer gives no value. Providers that give one use five minutes to a day.
pub(crate) const DEFAULT_FRESHNESS: Duration = Duration::from_secs(10 * 60);

/// Returns how long a response stays fresh by its `Cache-Control` and `Age` (RFC 9111 section 4.2), within the limits.
pub(crate) fn freshness(headers: &HeaderMap) -> Duration {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let directives: Vec<_> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let names = |wanted: &str| directives.iter().any(|directive| directive.eq_ignore_ascii_case(wanted));
    if names("no-store") || names("no-cache") {
        return *BOUNDS.start();
    }
    // Uses the smallest of several values, and zero for a value that cannot be read (RFC 9111 section 4.2.1).
    let Some(max_age) = directives.iter().filter_map(|directive| max_age(directive)).min() else {
        return DEFAULT_FRESHNESS;
    };
    let age = headers.get(AGE).and_then(|value| value.to_str().ok()).map_or(Duration::ZERO, seconds);
    max_age.saturating_sub(age).clamp(*BOUNDS.start(), *BOUNDS.end())
}

fn max_age(directive: &str) -> Option<Duration> {
    let (name, value) = directive.split_once('=')?;
    name.trim().eq_ignore_ascii_case("max-age").then(|| seconds(value.trim().trim_matches('"')))
}

/// Reads digits as seconds; too many digits as a very long time (RFC 9111 section 1.2.2), anything else as zero.
fn seconds(text: &str) -> Duration {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Duration::ZERO;
    }
    Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(cache_control: &'static str) -> u64 {
        let headers = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static(cache_control))]);
        freshness(&headers).as_secs()
    }

    #[test]
    fn what_the_issuer_asks_for_is_kept_within_bounds() {
        for (cache_control, expected) in [
            ("max-age=300", 300),
            ("public, MAX-AGE=300, must-revalidate", 300),
            ("max-age=\"300\"", 300),
            ("max-age = 300", 300),
            ("max-age=0", 60),
            ("max-age=59", 60),
            ("max-age=86400", 86_400),
            ("max-age=31536000", 86_400),
            ("max-age=99999999999999999999999", 86_400),
            ("max-age=-1", 60),
            ("max-age=", 60),
            ("max-age=1e9", 60),
            ("max-age=300, max-age=7200", 300),
            ("no-store", 60),
            ("no-cache, max-age=3600", 60),
            ("s-maxage=120", 600),
            ("public", 600),
            ("", 600),
        ] {
            assert_eq!(of(cache_control), expected, "{cache_control}");
        }
        assert_eq!(freshness(&HeaderMap::new()), DEFAULT_FRESHNESS);
    }

    #[test]
    fn time_spent_in_a_cache_on_the_way_counts() {
        for (age, expected) in [("100", 500), ("599", 60), ("4000", 60), ("-3", 600), ("x", 600)] {
            let headers = HeaderMap::from_iter([
                (CACHE_CONTROL, HeaderValue::from_static("max-age=600")),
                (AGE, HeaderValue::from_static(age)),
            ]);
            assert_eq!(freshness(&headers).as_secs(), expected, "{age}");
        }
    }
}
