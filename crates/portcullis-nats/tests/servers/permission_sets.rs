//! Generated permissions: a server decides about each subject as we do, but for what is documented.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fastrand::Rng;
use portcullis_core::{Clock, UnixTime, clock::SystemClock};
use portcullis_nats::{
    chain::{Chain, Circumstances, EffectivePermissions, Operators, Policy, VerifiedAccount},
    claims::{Account, Operator, Permission, Permissions, Responses, Terms},
    mint::Mint,
    nkey::{AccountKey, KeyPair, OperatorKey, Role, UserKey},
    server_config::ServerConfig,
};
use real_servers::{NatsProgram, NatsServer};

use crate::raw::Raw;

const SETS: usize = 500;

/// Half of the subjects of a set are published to, and the other half is subscribed to.
const SUBJECTS: usize = 40;

/// An account whose users have what is tried.
struct Tenant {
    now: UnixTime,
    account: KeyPair,
    verified: VerifiedAccount,
    chain: Chain,
    config: ServerConfig,
}

impl Tenant {
    async fn new() -> Self {
        let now = SystemClock.now();
        let [operator, account, system] =
            [Role::Operator, Role::Account, Role::Account].map(|role| KeyPair::generate(role).unwrap());
        let operator_key = OperatorKey::try_from(*operator.public_key()).unwrap();
        let [id, system_id] = [&account, &system].map(|pair| AccountKey::try_from(*pair.public_key()).unwrap());
        let mut claims = Operator::default();
        claims.system_account = Some(system_id);
        let trusted = Mint::operator(operator_key, "op", claims).sign(&operator, now).await.unwrap();
        let admitted = Mint::account(id, "acct", Account::default()).sign(&operator, now).await.unwrap();
        let of_servers = Mint::account(system_id, "SYS", Account::default()).sign(&operator, now).await.unwrap();
        let accounts = [admitted.as_str(), of_servers.as_str()].into_iter();
        let config = ServerConfig::new(trusted.as_str()).unwrap();
        let policy = Policy::new().danger_unrestricted_users();
        let chain = Chain::new(Operators::new().token(trusted.as_str()).unwrap(), policy);
        Self {
            now,
            verified: chain.account(&id, admitted.as_str(), &Circumstances::at(now)).unwrap(),
            config: accounts.fold(config, |config, account| config.account(account, now).unwrap()),
            account,
            chain,
        }
    }

    /// A user with these permissions: a connection to the server, and what we make of the token.
    async fn user(&self, server: &NatsServer, permissions: Permissions) -> (Raw, EffectivePermissions) {
        let key = KeyPair::generate(Role::User).unwrap();
        let mut terms = Terms::default();
        terms.permissions = permissions;
        let draft = Mint::user(UserKey::try_from(*key.public_key()).unwrap(), "alice").terms(terms);
        let token = draft.sign(&self.account, self.now).await.unwrap().into_string();
        let mut raw = Raw::open(server.port());
        let signature = URL_SAFE_NO_PAD.encode(key.sign(raw.nonce().as_bytes()));
        raw.connect(&token, Some(&signature)).unwrap();
        let at = Circumstances::at(self.now);
        let user = self.chain.screen(&token, &at).unwrap();
        (raw, self.chain.admit(&user, &self.verified, &at).unwrap().permissions)
    }
}

/// A word, of so few that permissions and subjects often meet.
fn word(random: &mut Rng) -> &'static str {
    ["a", "b", "c"][random.usize(..3)]
}

fn literal(random: &mut Rng) -> String {
    let words: Vec<_> = (0..random.usize(1..4)).map(|_| word(random)).collect();
    words.join(".")
}

fn pattern(random: &mut Rng) -> String {
    let len = random.usize(1..4);
    let mut one = |at: usize| match random.usize(..8) {
        0 | 1 => "*",
        2 | 3 if at == len - 1 => ">",
        _ => word(random),
    };
    (0..len).map(&mut one).collect::<Vec<_>>().join(".")
}

fn list(random: &mut Rng, has_queues: bool) -> Vec<String> {
    let entry = |random: &mut Rng| {
        let queue = if has_queues && random.usize(..6) == 0 { " q" } else { "" };
        format!("{}{queue}", pattern(random))
    };
    (0..random.usize(..4)).map(|_| entry(random)).collect()
}

fn permission(random: &mut Rng, has_queues: bool) -> Permission {
    let mut permission = Permission::default();
    permission.allow = random.bool().then(|| list(random, has_queues));
    permission.deny = if random.bool() { list(random, has_queues) } else { Vec::new() };
    permission
}

fn permissions(random: &mut Rng) -> Permissions {
    let mut permissions = Permissions::default();
    permissions.publish = permission(random, false);
    permissions.subscribe = permission(random, true);
    permissions.responses = (random.usize(..8) == 0).then(Responses::default);
    permissions
}

/// Why a server may allow a subscription that we refuse (both M3).
fn documented(ours: &EffectivePermissions, subject: &str) -> Option<&'static str> {
    let mut without = ours.clone();
    without.subscribe.deny.clear();
    if without.may_subscribe(subject) {
        // It holds back the messages of that part.
        return Some("a part is denied");
    }
    // To the server, the `>` of a subscription is a word, which an allowed `*` stands for.
    let word = subject.strip_suffix('>').map(|start| format!("{start}word"));
    word.is_some_and(|subject| without.may_subscribe(&subject)).then_some("> is taken for a word")
}

#[tokio::test]
async fn a_server_and_we_decide_alike_about_generated_permissions() {
    let Some(program) = NatsProgram::recent() else { return };
    let seed =
        std::env::var("PORTCULLIS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("PORTCULLIS_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let tenant = Tenant::new().await;
    let server = program.start_with(&tenant.config.memory().unwrap());
    let (mut exceptions, mut allowed_count) = (BTreeMap::<_, usize>::new(), 0);
    for _ in 0..SETS {
        let set = permissions(&mut random);
        let (mut raw, ours) = tenant.user(&server, set.clone()).await;
        for at in 0..SUBJECTS {
            let is_publishing = at % 2 == 0;
            let subject = if is_publishing { literal(&mut random) } else { pattern(&mut random) };
            let (line, is_ours) = if is_publishing {
                (format!("PUB {subject} 0\r\n\r\n"), ours.may_publish(&subject))
            } else {
                (format!("SUB {subject} {at}\r\n"), ours.may_subscribe(&subject))
            };
            let theirs = raw.send(&line);
            assert!(theirs.as_ref().err().is_none_or(|error| error.contains("Permissions Violation")), "{theirs:?}");
            allowed_count += usize::from(is_ours);
            if theirs.is_ok() != is_ours {
                let why = if is_ours || is_publishing { None } else { documented(&ours, &subject) };
                let why =
                    why.unwrap_or_else(|| panic!("{line}: {theirs:?} at the server, {is_ours} here, for {set:?}"));
                *exceptions.entry(why).or_default() += 1;
            }
        }
    }
    println!(
        "{SETS} sets of {SUBJECTS} subjects, {allowed_count} allowed; the server decides otherwise: {exceptions:?}"
    );
    assert!(allowed_count > SETS * SUBJECTS / 10 && allowed_count < SETS * SUBJECTS * 9 / 10, "{allowed_count}");
    assert!(exceptions.values().sum::<usize>() < SETS * SUBJECTS / 5, "{exceptions:?}");
}
