//! The task that appends what no caller waits for.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};

use super::{feed::back_off, shared::Shared};
use crate::telemetry;

/// How often to look for keys whose entries the log would forget, and for expired entries to drop.
const UPKEEP: Duration = Duration::from_secs(60);

/// Appends what callers could not append, what the log has lost, and what must be renewed before the log forgets it:
/// one batch after the other, until it is dropped. The task that reads never waits for this one.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut next_upkeep = Instant::now() + UPKEEP;
    let (mut failures, mut written) = (0, 0);
    loop {
        if Instant::now() >= next_upkeep {
            next_upkeep = Instant::now() + UPKEEP;
            let keys = shared.view_writer.keys_to_renew();
            let mut own = shared.own();
            own.forget(shared.view_writer.trusted_now());
            own.renew(keys);
        }
        let (id, batch) = {
            let now = shared.view_writer.trusted_now();
            let mut own = shared.own();
            let id = own.next_append();
            (id, own.next_batch(id, now))
        };
        if batch.is_empty() {
            telemetry::appended(std::mem::take(&mut written));
            let _ = timeout_at(next_upkeep, shared.wake.notified()).await;
            continue;
        }
        if shared.attempt(&batch).await.is_ok() {
            shared.own().acknowledged(id, &batch);
            (failures, written) = (0, written + batch.len());
        } else {
            shared.own().failed(id, &batch);
            failures += 1;
            sleep(back_off(failures)).await;
        }
    }
}
