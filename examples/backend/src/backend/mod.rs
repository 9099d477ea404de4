//! The backend: users with sessions, what they keep here, and the administrator's key.
//!
//! Three credentials open the same routes, each in an HTTP header of its own, so that none is taken for another:
//!
//! | HTTP header | credential | as whom |
//! |---|---|---|
//! | `Authorization` | access token of a session | the user, in person |
//! | `X-Backend-JWT` | JWT that a user has minted | the user, with less |
//! | `X-Backend-Key` | API key | the administrator, within the key's scopes |
//!
//! A request with two of them is refused with 400.

mod access;
mod account;
mod admin;
mod caller;
mod documents;
mod keys;
mod log_in;
mod problem;
mod secret_file;
mod sessions;
mod user_jwt;
mod users;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{Router, extract::MatchedPath};
use portcullis::{
    AccessTable, Admission, Algorithm, AuthLayer, JwtAuthenticator,
    location::HttpHeader,
    policy::{Leeway, TokenSpec},
};
use portcullis_issuer::{
    TokenIssuer,
    api_tokens::RecordingUses,
    key_ring::{KeyRing, SealingKey},
    refresh::{RefreshKeys, RefreshPolicy, Sessions},
};
use portcullis_store::{RedbApiTokenStore, RedbLog, RedbRefreshStore, Revocations};

use self::{
    documents::Documents,
    keys::{Keys, Operators},
    sessions::UserSessions,
    user_jwt::UserJwts,
    users::Users,
};
use crate::{Failure, settings::Settings};

/// The name of this backend in its tokens.
const ISSUER: &str = "https://backend.example";

/// What access tokens of sessions are for.
const SESSION_AUDIENCE: &str = "https://backend.example/session";

/// What users' JWTs are for. A token for one of the two is not accepted in the HTTP header of the other.
const USER_JWT_AUDIENCE: &str = "https://backend.example/as-user";

/// The one application of this backend.
const CLIENT: &str = "app";

/// What the handlers need.
#[derive(Clone, Debug)]
struct Desk {
    users: Users,
    sessions: UserSessions,
    user_jwts: UserJwts,
    documents: Documents,
    keys: Keys,
}

/// The backend, ready to be served.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) router: Router,
    /// The file with a key that may do everything.
    pub(crate) admin_key: PathBuf,
    /// The file with the key of the functions.
    pub(crate) functions_key: PathBuf,
    desk: Desk,
    recording: RecordingUses<RedbApiTokenStore, Operators>,
}

impl Backend {
    /// Opens its files, or makes them at the first start.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, Failure> {
        let folder = &settings.data;
        fs::create_dir_all(folder)?;
        let store = RedbRefreshStore::open(folder.join("sessions.redb"))?;
        let revocations = Revocations::builder(RedbLog::open(folder.join("revocations.redb"))?).start()?;
        revocations.require(Duration::from_secs(10)).await?;
        let sealing = SealingKey::new(*secret_file::bytes(&secret_file::secret(folder, "sealing.key")?)?)?;
        let ring = KeyRing::builder(store.signing_keys(), Algorithm::Es256, sealing).start().await?;

        let [session_spec, user_jwt_spec] = specs(settings);
        let users = Users::demo()?;
        let sessions = Sessions::new(
            TokenIssuer::new(session_spec.clone(), ring.clone())?,
            store.clone(),
            refresh_keys(folder)?,
            revocations.clone(),
            users.clone(),
        );
        let policy = RefreshPolicy::new().idle(settings.session_idle).absolute(settings.session_absolute);
        let user_jwts =
            UserJwts::new(TokenIssuer::new(user_jwt_spec.clone(), ring.clone())?, settings.user_jwt_minutes_max);
        let keys = Keys::open(folder, &store, &revocations).await?;
        let [admin_key, functions_key] = ["admin", "functions"].map(|name| keys.file(name));
        let auth = AuthLayer::new(admission(&session_spec, SESSION_AUDIENCE, &ring, &revocations)?)
            .or_at(
                HttpHeader::new("X-Backend-JWT")?,
                admission(&user_jwt_spec, USER_JWT_AUDIENCE, &ring, &revocations)?,
            )?
            .or_at(HttpHeader::new("X-Backend-Key")?, keys.admission(&revocations))?
            .realm("backend");
        let sessions = UserSessions::new(sessions, store, policy);
        let recording = keys.keep_recording_uses();
        let desk = Desk { users, sessions, user_jwts, documents: Documents::demo(), keys };
        Ok(Self { router: router(&desk, auth)?, admin_key, functions_key, desk, recording })
    }

    /// Forgets what is over, every 15 minutes. It does not end, and may be dropped at any time.
    pub(crate) async fn keep_tidy(&self) {
        let mut quarters = tokio::time::interval(Duration::from_secs(900));
        loop {
            quarters.tick().await;
            self.desk.sessions.forget_ended().await;
            self.desk.user_jwts.forget_quiet_users();
            self.desk.keys.keep_tidy().await;
        }
    }

    /// Records what only this process knows: when keys were used. Call it before the program ends.
    pub(crate) async fn close(self) {
        if let Err(error) = self.recording.close().await {
            tracing::warn!(%error, "it could not be recorded when keys were used");
        }
    }
}

/// Lists every route with who may use it.
pub(crate) fn routes() -> AccessTable {
    access::public_access().merge(access::access())
}

/// The two kinds of tokens: one issuer and one ring of keys.
fn specs(settings: &Settings) -> [TokenSpec; 2] {
    let ceiling = Duration::from_secs(settings.user_jwt_minutes_max * 60);
    [
        TokenSpec::new(ISSUER).audience(SESSION_AUDIENCE),
        TokenSpec::new(ISSUER).audience(USER_JWT_AUDIENCE).lifetime(ceiling),
    ]
}

fn refresh_keys(folder: &Path) -> Result<RefreshKeys, Failure> {
    Ok(RefreshKeys::new(1, *secret_file::bytes(&secret_file::secret(folder, "refresh.key")?)?)?)
}

/// What is asked of the tokens of one kind. The clock that wrote them reads them, so they end to the second.
fn admission(
    spec: &TokenSpec,
    audience: &str,
    ring: &KeyRing,
    revocations: &Revocations,
) -> Result<Admission, Failure> {
    let trusted = spec.trusted_at(audience, ring.clone())?.leeway(Leeway::NONE);
    Ok(Admission::new(JwtAuthenticator::new(trusted)?).revocations(revocations))
}

fn router(desk: &Desk, auth: AuthLayer) -> Result<Router, Failure> {
    let guard = access::access().layer_with(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str))?;
    let guarded = log_in::routes()
        .merge(account::routes())
        .merge(user_jwt::routes())
        .merge(documents::routes())
        .merge(admin::routes())
        .merge(keys::routes())
        .route_layer(guard)
        .route_layer(auth);
    // Beside the layer, not behind it: a client that comes to log in may still send the token that has expired.
    let public = log_in::public_routes().route_service("/token-reports", desk.keys.leak_reports());
    Ok(public.merge(guarded).with_state(desk.clone()))
}
