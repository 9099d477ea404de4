//! The metrics of a key source.

use portcullis_core::metrics::{Measured, Snapshot, names};

use crate::RemoteKeys;

/// For `Telemetry::watch` of the crate `portcullis`. A watched source is kept running, because the telemetry holds a handle to it.
impl Measured for RemoteKeys {
    fn measure(&self, source: &str, snapshot: &mut Snapshot) {
        let count = |keys: usize| u32::try_from(keys).map_or(f64::from(u32::MAX), f64::from);
        snapshot.gauge(&names::KEYS, &[source], count(self.keys().len()));
        snapshot.gauge(&names::KEYS_READY, &[source], f64::from(u8::from(self.health().is_ready())));
        if let Some(age) = self.age() {
            snapshot.gauge(&names::KEYS_AGE, &[source], age.as_secs_f64());
        }
        let (succeeded, failed) = self.shared.fetches();
        snapshot.counter(&names::KEY_FETCHES, &[source, "ok"], succeeded);
        snapshot.counter(&names::KEY_FETCHES, &[source, "failed"], failed);
    }
}
