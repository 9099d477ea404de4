//! Rules about when tokens were used.

use portcullis_issuer::{
    api_tokens::{ApiTokenRow, ApiTokenStore, ApiTokenUse, LastUse},
    refresh::Millis,
};

use super::{ApiTokenPlace, ApiTokenStoreContract, TIME, revoked};
use crate::must::must;

/// More than a store may write in one piece.
const MANY: u64 = 1100;

impl<P: ApiTokenPlace> ApiTokenStoreContract<P> {
    pub(super) async fn the_latest_use_is_kept(&mut self) {
        let (one, other, absent) = (self.inserted().await, self.inserted().await, self.new_row());
        let mut over = self.inserted().await;
        over = revoked(&over, TIME);
        let _ = self.replace(&over, None).await;
        // A batch may have a token twice, in any order, and tokens that do not exist.
        let uses = [used(&one, 7, Some("b")), used(&absent, 9, None), used(&one, 3, Some("a")), used(&over, 2, None)];
        self.record(&uses).await;
        self.was_used(&one, 7, Some("b")).await;
        self.was_used(&over, 2, None).await;
        self.is_found(&other).await;
        self.is_absent(&absent).await;
        // An earlier use, and one at the same time, change nothing.
        self.record(&[used(&one, 6, None), used(&other, 1, Some("192.0.2.0/24"))]).await;
        self.record(&[used(&one, 7, Some("c"))]).await;
        self.was_used(&one, 7, Some("b")).await;
        self.was_used(&other, 1, Some("192.0.2.0/24")).await;
        // A later one may have no source.
        self.record(&[used(&one, 8, None)]).await;
        self.was_used(&one, 8, None).await;
        self.record(&[]).await;
        // Many at once, and those of tokens that do exist are recorded.
        let mut many: Vec<_> = (0..MANY).map(|_| used(&self.new_row(), 9, None)).collect();
        many.push(used(&other, 9, Some("last")));
        many.insert(0, used(&one, 9, Some("first")));
        self.record(&many).await;
        self.was_used(&one, 9, Some("first")).await;
        self.was_used(&other, 9, Some("last")).await;
    }

    async fn record(&self, uses: &[ApiTokenUse]) {
        must(self.store().await.record_uses(uses).await, "uses cannot be recorded");
    }

    async fn was_used(&self, row: &ApiTokenRow, after: u64, source: Option<&str>) {
        let mut expected = row.clone();
        expected.last_used = Some(last_use(after, source));
        self.is_found(&expected).await;
    }
}

fn used(row: &ApiTokenRow, after: u64, source: Option<&str>) -> ApiTokenUse {
    ApiTokenUse::new(row.id, last_use(after, source))
}

fn last_use(after: u64, source: Option<&str>) -> LastUse {
    LastUse::new(Millis::new(TIME + after), source.map(str::to_owned))
}
