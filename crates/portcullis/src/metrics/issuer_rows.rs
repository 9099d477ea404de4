//! [`IssuerRows`]: finds the counters for a request's issuer.

use std::{collections::HashMap, sync::Arc};

use portcullis_core::verified::Conventions;

/// Issuers with their own row, and two rows for all others.
#[derive(Debug)]
pub(super) struct IssuerRows {
    /// Rows by the address of the issuer's name. A token of a configured issuer refers to that same text, so comparing addresses finds
    /// its row.
    by_address: Vec<(usize, usize)>,
    by_name: HashMap<Box<str>, usize>,
    /// Kept alive, so that their addresses stay valid.
    issuers: Vec<Arc<Conventions>>,
}

/// Up to this number, issuers are searched one after the other.
const SCANNED: usize = 8;

impl IssuerRows {
    /// Makes a row for each of these issuers, up to `limit`.
    pub(super) fn new(issuers: Vec<Arc<Conventions>>, limit: usize) -> Self {
        let mut rows = Self { by_address: Vec::new(), by_name: HashMap::new(), issuers: Vec::new() };
        for conventions in issuers {
            let name = conventions.issuer();
            let next = rows.by_name.len();
            let row = match rows.by_name.get(name) {
                Some(row) => *row,
                None if next < limit => next,
                None => continue,
            };
            rows.by_name.insert(name.into(), row);
            rows.by_address.push((address(name), row));
            rows.issuers.push(conventions);
        }
        rows.by_address.sort_unstable();
        rows
    }

    /// Returns the number of rows.
    pub(super) fn len(&self) -> usize {
        self.by_name.len() + 2
    }

    /// Returns how many rows belong to a single issuer; these come first.
    pub(super) fn named(&self) -> usize {
        self.by_name.len()
    }

    /// Returns the row of a trusted issuer.
    #[inline]
    pub(super) fn of(&self, issuer: &str) -> usize {
        let wanted = address(issuer);
        let found = if self.by_address.len() <= SCANNED {
            self.by_address.iter().find(|(address, _)| *address == wanted)
        } else {
            let at = self.by_address.binary_search_by_key(&wanted, |(address, _)| *address);
            at.ok().map(|at| &self.by_address[at])
        };
        // An issuer that was replaced at run time has its name at another address.
        found.map(|(_, row)| *row).or_else(|| self.by_name.get(issuer).copied()).unwrap_or(self.dynamic())
    }

    /// Returns the row for trusted issuers without their own row.
    fn dynamic(&self) -> usize {
        self.by_name.len()
    }

    /// Returns the row for requests without a known issuer.
    pub(super) fn unknown(&self) -> usize {
        self.by_name.len() + 1
    }

    /// Returns the label of each row.
    pub(super) fn labels(&self) -> Vec<&str> {
        let mut labels = vec![""; self.len()];
        self.by_name.iter().for_each(|(name, row)| labels[*row] = name);
        labels[self.dynamic()] = "dynamic";
        labels[self.unknown()] = "none";
        labels
    }
}

fn address(name: &str) -> usize {
    name.as_ptr().addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuers(count: usize) -> Vec<Arc<Conventions>> {
        (0..count).map(|number| Arc::new(Conventions::new(format!("https://{number}.test")))).collect()
    }

    #[test]
    fn an_issuer_is_found_by_its_own_name_and_by_an_equal_one() {
        for count in [0, 1, 3, SCANNED, SCANNED + 1, 100] {
            let issuers = issuers(count);
            let rows = IssuerRows::new(issuers.clone(), 100);
            for (row, conventions) in issuers.iter().enumerate() {
                assert_eq!(rows.of(conventions.issuer()), row, "of {count}");
                let copy = String::from(conventions.issuer());
                assert_eq!(rows.of(&copy), row, "of {count}");
                assert_eq!(rows.labels()[row], conventions.issuer());
            }
            assert_eq!(rows.labels()[rows.of("https://elsewhere.test")], "dynamic");
            assert_eq!(rows.labels()[rows.unknown()], "none");
        }
    }

    #[test]
    fn issuers_beyond_the_limit_share_a_row() {
        let issuers = issuers(5);
        let rows = IssuerRows::new(issuers.clone(), 3);
        let labels = rows.labels();
        assert_eq!(labels, ["https://0.test", "https://1.test", "https://2.test", "dynamic", "none"]);
        assert_eq!(labels[rows.of(issuers[4].issuer())], "dynamic");
    }

    #[test]
    fn an_issuer_of_two_authenticators_has_one_row() {
        let (one, two) = (issuers(1), issuers(1));
        let rows = IssuerRows::new([one.clone(), two.clone()].concat(), 1);
        assert_eq!([rows.of(one[0].issuer()), rows.of(two[0].issuer()), rows.len()], [0, 0, 3]);
    }
}
