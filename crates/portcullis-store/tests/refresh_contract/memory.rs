//! The store in memory, which the contract of `portcullis-issuer` checks, with the log of this crate.

use portcullis_issuer::refresh::MemoryRefreshStore;

use super::*;

#[derive(Default)]
struct InMemory(MemoryRefreshStore);

impl RefreshPlace for InMemory {
    type Store = MemoryRefreshStore;

    async fn open(&self) -> MemoryRefreshStore {
        self.0.clone()
    }

    async fn age(&mut self, family: FamilyId, by: Duration) {
        let families = self.0.dump().into_iter();
        self.0.restore(families.map(|found| if found.id == family { older(found, by) } else { found }));
    }

    async fn overwrite(&mut self, _: FamilyId, _: &str) -> Possible {
        Possible::No
    }

    async fn crash(&mut self) -> Possible {
        Possible::No
    }

    async fn save(&mut self) -> Possible {
        Possible::No
    }

    async fn roll_back(&mut self) -> Possible {
        Possible::No
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pitfall_1_a_thousand_refreshes_of_one_token_rotate_it_once_in_memory() {
    crowd::rotates_once(InMemory::default(), Duration::from_secs(60)).await;
}
