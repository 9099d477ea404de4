//! Rules about ids and digests.

use portcullis_issuer::api_tokens::{ApiTokenStore, Changed, Inserted};

use super::{ApiTokenPlace, ApiTokenStoreContract, next};
use crate::must::must;

impl<P: ApiTokenPlace> ApiTokenStoreContract<P> {
    pub(super) async fn an_id_and_a_digest_belong_to_one_row(&mut self) {
        let (row, mut same_id, mut same_digest) = (self.inserted().await, self.new_row(), self.new_row());
        (same_id.id, same_digest.digest) = (row.id, row.digest);
        for taken in [&row, &same_id, &same_digest] {
            let inserted = must(self.store().await.insert(taken).await, "a token cannot be added");
            assert_eq!(inserted, Inserted::Exists, "a second token of the same id or digest was added");
            self.is_found(&row).await;
        }
        self.is_absent(&same_digest).await;
        // The new digest of the first one finds nothing.
        let found = must(self.store().await.find(&same_id.digest).await, "a token cannot be found");
        assert!(found.is_none(), "a refused token is found by its digest");
        let listed = must(self.store().await.list(&same_id.owner, None, 10).await, "tokens cannot be listed");
        assert!(listed.rows.is_empty(), "a refused token is listed");
    }

    /// As an imported token's is at its first use.
    pub(super) async fn a_digest_can_be_replaced_but_not_taken(&mut self) {
        let (row, other, unused) = (self.inserted().await, self.inserted().await, self.new_row());
        let takes = next(&row, |row| row.digest = other.digest);
        assert_eq!(self.replace(&takes, None).await, Changed::Conflict, "a row took the digest of another one");
        self.is_found(&row).await;
        self.is_found(&other).await;
        let changed = next(&row, |row| row.digest = unused.digest);
        assert_eq!(self.replace(&changed, None).await, Changed::Stored, "a digest cannot be replaced");
        self.is_found(&changed).await;
        let old = must(self.store().await.find(&row.digest).await, "a token cannot be found");
        assert!(old.is_none(), "a digest that was replaced still finds the token");
        // The old one is free, and the new one is taken.
        let mut free = self.new_row();
        free.digest = row.digest;
        self.insert(&free).await;
        let mut taken = self.new_row();
        taken.digest = changed.digest;
        let inserted = must(self.store().await.insert(&taken).await, "a token cannot be added");
        assert_eq!(inserted, Inserted::Exists, "a digest that was put in the place of another one is free");
        self.is_found(&changed).await;
    }
}
