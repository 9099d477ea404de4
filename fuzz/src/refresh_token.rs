//! Refresh tokens: octets as what a client presents, and as what a token says, under the right MAC.

use std::sync::{
    LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis::{Algorithm, policy::TokenSpec};
use portcullis_issuer::{
    SigningKey, TokenIssuer,
    refresh::{
        DangerUncheckedSubjects, EndReason, Family, FamilyId, MemoryRefreshStore, Millis, NotAccepted, Opened, Outcome,
        RefreshError, RefreshKeys, RefreshPolicy, RefreshStore, Sessions, Step, StoreError,
    },
};
use portcullis_test::FixedClock;

use super::{
    desk::NoLog,
    now::now,
    scene::NOW,
    sealed::{self, Form, KEYS, key_for},
};

const FORM: Form = Form { prefix: "prt_", version: 1, context: b"portcullis rt 1" };

/// What an issuer makes, or does not accept.
pub fn check(octets: &[u8]) {
    if let Ok(text) = str::from_utf8(octets) {
        check_text(text);
    }
    check_text(&FORM.seal(octets, key_for(octets)));
}

/// The store is asked exactly for a token that the issuer may have made, and the answer is the one successor.
fn check_text(text: &str) {
    let token = read(text);
    let store = Counted::default();
    store.families.restore(token.as_ref().map(Token::family));
    let outcome = now(SCENE.sessions(&store).refresh(text, "web", &RefreshPolicy::new()));
    let calls = store.calls.load(Ordering::SeqCst);
    match (token, outcome) {
        (None, Err(RefreshError::InvalidGrant(NotAccepted::NotOurs))) => assert_eq!(calls, 0, "{text}"),
        (Some(token), Ok(tokens)) => {
            assert!(calls > 0, "{text}");
            assert_eq!(tokens.refresh_token(), token.successor(), "{text}");
        }
        (token, outcome) => panic!("{text}: {outcome:?}, and it is one of ours: {}", token.is_some()),
    }
}

/// What a token says, by a reader that compares it with the one way of writing it.
struct Token {
    family: [u8; 16],
    generation: u64,
    share: [u8; 16],
}

fn read(text: &str) -> Option<Token> {
    let signed = FORM.open(text)?;
    let [_, id, family @ ..] = signed.as_slice() else { return None };
    let (family, rest) = family.split_first_chunk::<16>()?;
    let (number, share) = rest.split_last_chunk::<16>()?;
    let generation =
        number.iter().rev().try_fold(0_u64, |sum, octet| sum.checked_mul(128)?.checked_add(u64::from(octet & 0x7f)))?;
    let token = Token { family: *family, generation, share: *share };
    (generation <= 1 << 53 && token.write(*id, key_for(&signed)) == text).then_some(token)
}

impl Token {
    fn write(&self, id: u8, key: &[u8; 32]) -> String {
        let mut octets = vec![1, id];
        octets.extend(self.family);
        let mut rest = self.generation;
        loop {
            let group = (rest % 128) as u8;
            rest /= 128;
            octets.push(if rest > 0 { group + 128 } else { group });
            if rest == 0 {
                break;
            }
        }
        octets.extend(self.share);
        FORM.seal(&octets, key)
    }

    fn successor(&self) -> String {
        let next = Self { generation: self.generation + 1, ..*self };
        next.write(KEYS[0].0, &KEYS[0].1)
    }

    /// A session whose current token it is.
    fn family(&self) -> Family {
        let text = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        let digest = digest::digest(&digest::SHA256, &self.share);
        let row = serde_json::json!({
            "v": 1,
            "id": text(&self.family),
            "share": text(&digest.as_ref()[..16]),
            "generation": self.generation,
            "key_id": KEYS[0].0,
            "rotated_at": null,
            "idle_until": (NOW + 60) * 1000,
            "absolute_until": (NOW + 3600) * 1000,
            "ended": null,
            "log_in": { "subject": "alice", "client_id": "web", "at": NOW },
        });
        Family::from_json(&row.to_string()).expect("a row")
    }
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let spec = TokenSpec::new("https://id.test").audience("https://orders.test");
    let key = SigningKey::secret("1", Algorithm::Hs256, &[5; 32]).unwrap();
    Scene { issuer: TokenIssuer::new(spec, key).unwrap().clock(FixedClock::default()), keys: sealed::keys() }
});

struct Scene {
    issuer: TokenIssuer,
    keys: RefreshKeys,
}

impl Scene {
    fn sessions(&self, store: &Counted) -> Sessions<Counted, NoLog, DangerUncheckedSubjects> {
        Sessions::new(self.issuer.clone(), store.clone(), self.keys.clone(), NoLog, DangerUncheckedSubjects)
    }
}

/// A store that counts what it is asked.
#[derive(Clone, Debug)]
struct Counted {
    families: MemoryRefreshStore,
    calls: std::sync::Arc<AtomicUsize>,
}

impl Default for Counted {
    fn default() -> Self {
        Self { families: MemoryRefreshStore::with_clock(FixedClock::default()), calls: std::sync::Arc::default() }
    }
}

impl Counted {
    fn count(&self) -> &MemoryRefreshStore {
        self.calls.fetch_add(1, Ordering::SeqCst);
        &self.families
    }
}

impl RefreshStore for Counted {
    async fn now(&self) -> Result<Millis, StoreError> {
        self.count().now().await
    }

    async fn open(&self, family: Family) -> Result<Opened, StoreError> {
        panic!("{family:?} is opened");
    }

    async fn find(&self, family: FamilyId) -> Result<(Option<Family>, Millis), StoreError> {
        self.count().find(family).await
    }

    async fn rotate(&self, step: Step<'_>) -> Result<Outcome, StoreError> {
        self.count().rotate(step).await
    }

    async fn end(&self, family: FamilyId, reason: EndReason) -> Result<(), StoreError> {
        panic!("{family:?} ends: {reason:?}");
    }

    async fn end_all_of(&self, _: &str, _: Option<FamilyId>, reason: EndReason) -> Result<Vec<FamilyId>, StoreError> {
        panic!("all end: {reason:?}");
    }

    async fn families_of(&self, _: &str) -> Result<Vec<Family>, StoreError> {
        panic!("nothing is listed");
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        panic!("forgotten before {before:?}");
    }
}
