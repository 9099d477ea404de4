//! What stores of tokens do when there are many.

use std::{ops::Range, sync::Arc, time::Instant};

use portcullis_benches::{Budgets, Options};
use portcullis_issuer::{
    api_tokens::{
        ApiTokenDigest, ApiTokenId, ApiTokenKind, ApiTokenRow, ApiTokenStore, ApiTokenUse, Changed, Grant, LastUse,
        Owner, PepperId, RevokedReason,
    },
    refresh::Millis,
};
use tokio::{runtime::Runtime, task::JoinSet};

use crate::{
    log::Counted,
    micros,
    places::{Place, Store},
    tokens,
};

/// How many tokens an owner has.
const OF_AN_OWNER: u32 = 20;

/// How many were derived from the first token.
const BELOW: u32 = 10_000;

/// How many uses come at once.
const USES: u32 = 1_000;

struct Row {
    find: f64,
    list: f64,
    revoke: f64,
    revoke_root: f64,
}

/// Measures at both sizes: what depends on the number of tokens by more than the depth of an index shows.
pub fn grow(options: &Options, runtime: &Runtime, budgets: &mut Budgets, place: &mut Place, sizes: [u32; 2]) {
    let (name, store) = (place.name(), Arc::new(place.store()));
    let (mut made, mut rows) = (0, Vec::new());
    for size in sizes {
        let started = Instant::now();
        runtime.block_on(fill(&store, made..size));
        eprintln!("{name}: {size} tokens, after {} s", started.elapsed().as_secs());
        made = size;
        rows.push(measure(options, runtime, place, &store, size));
    }
    let [few, many] = &rows[..] else { return };
    let mut judge = |what: &str, before: f64, after: f64| {
        // A call within the process takes less than the clock can tell apart.
        let is_met = after <= before * 2.0 || after < 5.0;
        budgets.judge(&format!("{name}: {what} takes {:.2} times as long (budget 2)", after / before), is_met);
    };
    judge("finding one of many tokens", few.find, many.find);
    // The list of the store in memory, which is for tests, reads all tokens.
    if name != "memory" {
        judge("listing an owner's of many tokens", few.list, many.list);
    }
    judge("revoking one of many tokens", few.revoke, many.revoke);
    judge("revoking a root instead of a token", many.revoke, many.revoke_root);
}

async fn fill(store: &Arc<Store>, numbers: Range<u32>) {
    let mut under_way = JoinSet::new();
    for number in numbers {
        if under_way.len() >= 512 {
            under_way.join_next().await;
        }
        let store = Arc::clone(store);
        under_way.spawn(async move {
            let _ = store.insert(&row(number)).await.expect("a token is added");
        });
    }
    under_way.join_all().await;
}

/// Returns the row of this number: a usual one.
fn row(number: u32) -> ApiTokenRow {
    let owner = Owner::organisation(format!("organisation-{}", number / OF_AN_OWNER));
    let mut row = ApiTokenRow::new(id(number), digest(number), ApiTokenKind::ServiceAccount, owner);
    row.pepper = PepperId::new('1');
    row.last_four = "x7Qz".to_owned();
    row.environment = "live".to_owned();
    row.name = format!("continuous integration {number}");
    row.grants = [Grant::scope("orders:read"), Grant::scope("orders:write")].into_iter().collect();
    row.created_at = Millis::new(1_800_000_000_000);
    row.created_by = "alice@example.com".to_owned();
    row.until = Some(Millis::new(4_100_000_000_000 + u64::from(number)));
    if (1..=BELOW).contains(&number) {
        row.path = vec![id(0)];
    }
    row
}

fn id(number: u32) -> ApiTokenId {
    // A time, and what looks random.
    let spread = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c) & ((1 << 80) - 1);
    ApiTokenId::from_bytes(((u128::from(1_800_000_000_000_u64 + u64::from(number)) << 80) | spread).to_be_bytes())
}

fn digest(number: u32) -> ApiTokenDigest {
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = (u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (at % 8 * 8)) as u8 ^ at as u8;
    }
    ApiTokenDigest::from_bytes(bytes)
}

fn measure(options: &Options, runtime: &Runtime, place: &Place, store: &Arc<Store>, size: u32) -> Row {
    let rounds = if options.quick { 50 } else { 1_000 };
    let number = |at: usize| at as u32 * 7_919 % size;
    let bytes = place.bytes() / u64::from(size);
    let find = micros(runtime, rounds, |at| {
        let digest = digest(number(at));
        async move { assert!(store.find(&digest).await.expect("the store answers").is_some()) }
    });
    let list = micros(runtime, rounds, |at| async move {
        let owner = row(number(at)).owner;
        let page = store.list(&owner, None, 100).await.expect("the store answers");
        assert_eq!(page.rows.len() as u32, OF_AN_OWNER);
    });
    // None but the first one has any below it.
    let one = revoke(runtime, place, store, rounds / 5, |at| 1 + number(at) % (size - 1));
    let root = revoke(runtime, place, store, rounds / 5, |_| 0);
    let preview = preview(runtime, place, size, rounds / 50);
    let started = Instant::now();
    let at = LastUse::new(Millis::new(1_800_000_000_000 + u64::from(size)), Some("192.0.2.0/24".to_owned()));
    let uses: Vec<_> = (0..USES).map(|use_| ApiTokenUse::new(id(number(use_ as usize)), at.clone())).collect();
    runtime.block_on(store.record_uses(&uses)).expect("uses are recorded");
    let uses = f64::from(USES) / started.elapsed().as_secs_f64();
    println!(
        "| {} | {size} | {bytes} | {find:.1} | {list:.1} | {one:.1} | {root:.1} | {preview:.1} | {uses:.0} |",
        place.name()
    );
    let all = [("find", find), ("list", list), ("revoke", one), ("revoke a root", root), ("preview a root", preview)];
    for (what, micros) in all {
        options.record_ns("api_tokens", &format!("{} of {size}", place.name()), what, micros * 1e3, 0);
    }
    Row { find, list, revoke: one, revoke_root: root }
}

/// Microseconds of revoking a token, as the middle of many. However many were derived from it, the log gets one entry.
fn revoke(runtime: &Runtime, place: &Place, store: &Store, rounds: usize, number: impl Fn(usize) -> u32) -> f64 {
    let log = Counted::default();
    let tokens = tokens(place.store(), log.clone());
    let times = (0..rounds).map(|at| {
        let id = id(number(at));
        let started = Instant::now();
        runtime.block_on(tokens.revoke(id, RevokedReason::Asked)).expect("it is revoked");
        let micros = started.elapsed().as_secs_f64() * 1e6;
        assert_eq!(log.take(), 1, "entries");
        // The next round finds what this one found.
        runtime.block_on(revive(store, id));
        micros
    });
    portcullis_benches::median(times.collect())
}

async fn revive(store: &Store, id: ApiTokenId) {
    let mut row = store.find_by_id(id).await.expect("the store answers").expect("the row");
    assert!(row.revoked.take().is_some(), "it was revoked");
    row.version += 1;
    assert_eq!(store.replace(&row, None).await.expect("the store answers"), Changed::Stored);
}

/// Microseconds of showing what would end with the root: all that were derived from it are read.
fn preview(runtime: &Runtime, place: &Place, size: u32, rounds: usize) -> f64 {
    let tokens = &tokens(place.store(), Counted::default());
    micros(runtime, rounds, |_| async move {
        let impact = tokens.preview_revocation(id(0)).await.expect("the store answers");
        assert_eq!(impact.derived as u32, BELOW.min(size - 1));
    })
}
