//! The issuer: what minting adds to the bare signature, what junk costs that is presented as a refresh token, and how many refreshes a
//! store takes.

mod bare;
mod minting;
mod refresh;

use std::{
    pin::pin,
    process::ExitCode,
    task::{Context, Poll, Waker},
};

use portcullis_benches::{Budgets, Options};

fn main() -> ExitCode {
    let options = Options::from_args();
    let mut budgets = Budgets::new(&options);
    let minted = minting::rows(&options);
    let junk = refresh::junk_rows(&options);
    refresh::rows(&options);
    println!();
    for row in minted {
        row.judge(&mut budgets);
    }
    for (what, ns) in junk {
        budgets.judge_ns(&format!("a refresh token that is {what}"), ns, 1000.0);
    }
    budgets.close()
}

/// Runs a future that has nothing to wait for.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}
