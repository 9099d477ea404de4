//! Rules about the ancestors of a token.

use portcullis_issuer::{
    api_tokens::{ApiTokenId, ApiTokenRow, ApiTokenStore, Changed},
    refresh::Millis,
};
use tokio::task::JoinSet;

use super::{ApiTokenPlace, ApiTokenStoreContract, FAR, TIME, changes::superseded, id, ids, next, revoked};
use crate::must::must;

/// How often an ancestor is changed while its descendant is read.
const CHANGES: usize = 40;

/// How often each reads at most.
const READS: usize = 20_000;

/// How many instances read at the same time.
const READERS: usize = 4;

impl<P: ApiTokenPlace> ApiTokenStoreContract<P> {
    pub(super) async fn ancestors_come_with_the_token_in_the_order_of_its_path(&mut self) {
        let mut ancestors = Vec::new();
        for _ in 0..ApiTokenRow::ANCESTOR_LIMIT {
            ancestors.push(self.inserted().await);
        }
        // Not in the order of their ids.
        ancestors.rotate_left(3);
        ancestors.swap(1, 6);
        let mut row = self.new_row();
        row.path = ancestors.iter().map(|ancestor| ancestor.id).collect();
        self.insert(&row).await;
        assert_eq!(self.with_ancestors(&row).await.ancestors, ancestors, "ancestors");
        // What happens to an ancestor is seen at once.
        ancestors[4] = revoked(&ancestors[4], TIME);
        assert_eq!(self.replace(&ancestors[4], None).await, Changed::Stored);
        assert_eq!(self.with_ancestors(&row).await.ancestors, ancestors, "ancestors after one was revoked");
        // One that does not exist is left out.
        let mut orphan = self.new_row();
        orphan.path = vec![ancestors[0].id, id(FAR), ancestors[7].id];
        self.insert(&orphan).await;
        let expected = [ancestors[0].clone(), ancestors[7].clone()];
        assert_eq!(self.with_ancestors(&orphan).await.ancestors, expected, "ancestors of which one does not exist");
        // Those of an ancestor are no ancestors.
        let mut below = self.new_row();
        below.path = vec![row.id];
        self.insert(&below).await;
        let found = self.with_ancestors(&below).await;
        assert_eq!(found.ancestors, [row], "ancestors of a token whose path has one");
        assert!(self.with_ancestors(&ancestors[0]).await.ancestors.is_empty(), "a token without a path has ancestors");
    }

    /// An ancestor is changed, and another one appears, in one step: no reader sees one without the other.
    pub(super) async fn ancestors_are_read_in_one_step(&mut self) {
        for round in 0..CHANGES {
            let (ancestor, successor, mut row) = (self.inserted().await, self.new_row(), self.new_row());
            row.path = vec![ancestor.id, successor.id];
            self.insert(&row).await;
            let mut readers = JoinSet::new();
            for _ in 0..READERS {
                let (store, digest) = (self.store().await, row.digest);
                readers.spawn(async move {
                    for _ in 0..READS {
                        let found = must(store.find(&digest).await, "a token cannot be found");
                        let versions: Vec<_> =
                            found.iter().flat_map(|found| &found.ancestors).map(|row| row.version).collect();
                        assert!(versions == [0] || versions == [1, 0], "half of a change was seen: {versions:?}");
                        if versions.len() == 2 {
                            return;
                        }
                        tokio::task::yield_now().await;
                    }
                    super::present::<()>(None, "the change of an ancestor is not seen");
                });
            }
            // Until they read.
            for _ in 0..=round % 8 {
                tokio::task::yield_now().await;
            }
            let outcome = self.replace(&superseded(&ancestor, &successor), Some(&successor)).await;
            assert_eq!(outcome, Changed::Stored, "a successor cannot be added");
            readers.join_all().await;
        }
    }

    pub(super) async fn descendants_are_listed_at_any_depth(&mut self) {
        let (root, other) = (self.inserted().await, self.inserted().await);
        let mut path = vec![root.id];
        let mut below = Vec::new();
        for depth in 0..5 {
            for _ in 0..3 {
                let mut row = self.new_row();
                row.path.clone_from(&path);
                self.insert(&row).await;
                below.push(row);
            }
            path.push(below[3 * depth].id);
        }
        let expected: Vec<_> = below.iter().map(|row| row.id).collect();
        self.has_below(&root, &expected).await;
        self.has_below(&below[0], &expected[3..]).await;
        self.has_below(&below[9], &expected[12..]).await;
        self.has_below(&below[1], &[]).await;
        self.has_below(&other, &[]).await;
        // A change of one does not change the list.
        let changed = next(&below[4], |row| row.warned_at = Some(Millis::new(TIME)));
        assert_eq!(self.replace(&changed, None).await, Changed::Stored);
        self.has_below(&root, &expected).await;
    }

    /// Makes sure that these are below, page by page.
    pub(super) async fn has_below(&self, ancestor: &ApiTokenRow, expected: &[ApiTokenId]) {
        let store = self.store().await;
        for most in [1, 4, 100] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = must(store.derived_from(ancestor.id, after, most).await, "descendants cannot be listed");
                assert!(page.rows.len() <= most, "a page has more tokens than were asked for");
                found.extend(ids(&page));
                after = super::onwards(after, page.next);
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "the tokens that were derived from one, {most} at a time");
        }
    }
}
