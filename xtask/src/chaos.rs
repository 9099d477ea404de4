//! Servers and instances are killed under load; see `examples/service-api/tests/chaos.rs`.

use crate::{
    command::Run,
    steps::{Done, Steps, Stopped},
    tools,
};

/// How long it may take unless told otherwise. Under load, 13 minutes were not enough for 200 kills of each.
pub(crate) const DEFAULT_MINUTES: u32 = 15;

/// Adds the steps. The test ends what it has started, also when it is interrupted, and fails if an acknowledged revocation was lost or
/// late, a request was not answered, or valid tokens were served again too slowly.
pub(crate) fn add(steps: &mut Steps, minutes: u32, log: Option<&str>) -> Result<(), Stopped> {
    steps.step("servers", |_| {
        tools::require(match log {
            Some("redis") => &[tools::REDIS],
            Some("nats") => &[tools::NATS],
            Some("postgres") => &[tools::POSTGRES],
            Some(_) => &[],
            None => &[tools::REDIS, tools::NATS, tools::POSTGRES],
        })?;
        Ok(Done::quietly())
    })?;
    steps.step("chaos", |_| {
        let test = "nothing_acknowledged_is_lost_by_hundreds_of_kills";
        let run = Run::cargo("test -p service-api --features redis,nats,postgres --test chaos --").arg(test);
        let run = run.words("--exact --ignored --nocapture").env("PORTCULLIS_CHAOS_MINUTES", &minutes.to_string());
        let run = if let Some(log) = log { run.env("PORTCULLIS_CHAOS_LOG", log) } else { run };
        run.run()?;
        Ok(Done::quietly())
    })
}
