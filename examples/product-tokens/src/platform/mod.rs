//! The product: instances with members, and the API tokens with which programs use it.
//!
//! A request has one credential in `Authorization`: the access token of a user who has logged in, or an API token. Which one it is, its beginning says.
//! What an API token may do is looked up when it is used, and is never more than its owner may do at that time ([`rights`]).

mod access;
mod acting;
mod import;
mod instances;
mod log_in;
mod own_token;
mod page;
mod problem;
mod rights;
mod secret_file;
mod tokens;
mod users;

use std::{fs, path::PathBuf, time::Duration};

use axum::{Router, extract::MatchedPath};
use portcullis::{
    AccessTable, Admission, Algorithm, AuthLayer, JwtAuthenticator,
    authenticator::Dispatch,
    policy::{Leeway, TokenSpec},
};
use portcullis_issuer::{
    TokenIssuer,
    api_tokens::{ApiTokenFormat, ApiTokens, Peppers, RecordingUses},
    key_ring::{KeyRing, SealingKey},
    routes::LeakReports,
    server::AuthorizationServer,
};
use portcullis_store::{RedbApiTokenStore, RedbLog, RedbRefreshStore, Revocations};

use self::{rights::Rights, users::Users};
use crate::{Failure, settings::Settings};

/// The name of this product in its tokens: API tokens and access tokens have the same, so a user is the same whichever is used.
const ISSUER: &str = "https://product.example";

/// What API tokens begin with. Secret scanners look for it.
const PREFIX: &str = "acme";

/// What the tokens of the earlier system of this product begin with, which customers still use.
const EARLIER_PREFIX: &str = "legacy_";

/// How long a user stays logged in on the page.
const LOG_IN: Duration = Duration::from_secs(900);

type Tokens = ApiTokens<RedbApiTokenStore, Rights, Revocations>;

/// What the handlers need.
#[derive(Clone, Debug)]
struct Desk {
    users: Users,
    rights: Rights,
    issuer: TokenIssuer,
    tokens: Tokens,
    server: AuthorizationServer,
}

/// The product, ready to be served.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) router: Router,
    /// The file with the token of the demo organisation.
    token_file: PathBuf,
    desk: Desk,
    recording: RecordingUses<RedbApiTokenStore, Rights>,
}

impl Platform {
    /// Opens its files, or makes them at the first start.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, Failure> {
        let folder = &settings.data;
        fs::create_dir_all(folder)?;
        let revocations = Revocations::builder(RedbLog::open(folder.join("revocations.redb"))?).start()?;
        revocations.require(Duration::from_secs(10)).await?;

        let store = RedbRefreshStore::open(folder.join("tokens.redb"))?;
        let sealing = SealingKey::new(*secret_file::bytes(&secret_file::secret(folder, "sealing.key")?)?)?;
        let ring = KeyRing::builder(store.signing_keys(), Algorithm::Es256, sealing).start().await?;
        let spec = TokenSpec::new(ISSUER).audience(ISSUER).lifetime(LOG_IN);
        let issuer = TokenIssuer::new(spec.clone(), ring.clone())?;
        let trusted = spec.trusted_at(ISSUER, ring.clone())?.leeway(Leeway::NONE);

        let rights = Rights::demo();
        let pepper = secret_file::bytes(&secret_file::secret(folder, "pepper.key")?)?;
        let format = ApiTokenFormat::new(PREFIX)?;
        let beginning = format.beginning();
        let tokens = ApiTokens::builder(ISSUER, format, Peppers::new('1', *pepper)?, store.api_tokens())
            .memberships(rights.clone())
            .revoker(revocations.clone())
            .also_recognise(EARLIER_PREFIX)
            .on_event(|event| tracing::info!(?event, "an API token"))
            .build()?;

        let kinds = Dispatch::builder()
            .prefix(beginning, tokens.authenticator())
            .prefix(EARLIER_PREFIX, tokens.authenticator())
            .compact_jws(JwtAuthenticator::new(trusted)?)
            .build()?;
        let auth = AuthLayer::new(Admission::new(kinds).revocations(&revocations)).realm("product");
        let acting = acting::server(folder, &store, &ring, &revocations, (&rights, &tokens))?;
        let desk = Desk { users: Users::demo()?, rights, issuer, tokens, server: acting.0 };
        let token_file = tokens::first(&desk, folder).await?;
        let recording = desk.tokens.keep_recording_uses();
        Ok(Self {
            router: router(&desk, auth, AuthLayer::new(acting.1).realm("reports"))?,
            token_file,
            desk,
            recording,
        })
    }

    /// Tells of tokens that expire, and forgets those that are over. It does not end, and may be dropped at any time.
    pub(crate) async fn keep_tidy(&self, every: Duration) {
        let mut turns = tokio::time::interval(every);
        loop {
            turns.tick().await;
            self.tidy().await;
        }
    }

    /// Records what only this process knows: when tokens were used. Call it before the program ends.
    pub(crate) async fn close(self) {
        if let Err(error) = self.recording.close().await {
            tracing::warn!(%error, "it could not be recorded when tokens were used");
        }
    }

    async fn tidy(&self) {
        let tokens = &self.desk.tokens;
        match tokens.warn_expiring().await {
            Ok(warned) if warned.unreadable.is_empty() => {}
            Ok(warned) => {
                tracing::warn!(unreadable = ?warned.unreadable, "the owners of tokens that cannot be read were not warned");
            }
            Err(error) => tracing::warn!(%error, "it could not be found out which tokens expire soon"),
        }
        if let Err(error) = tokens.forget_ended(Duration::from_secs(30 * 86_400)).await {
            tracing::warn!(%error, "tokens that are over could not be forgotten");
        }
        if let Err(error) = self.desk.server.forget_ended().await {
            tracing::warn!(%error, "questions to users that are over could not be forgotten");
        }
    }

    /// Returns what to try, as lines for a shell.
    pub(crate) fn try_it(&self, url: &str) -> String {
        let file = self.token_file.display();
        format!(
            r#"
The page for people is {url} (alice / wonderland, or bob / can-we-fix-it). For programs, in another terminal:

  curl -s {url}/token -H "Authorization: Bearer $(cat {file})"  # what this token is, and what it may do now
  curl -s {url}/instances -H "Authorization: Bearer $(cat {file})"
  PRODUCT_URL={url} PRODUCT_TOKEN_FILE={file} cargo run -q -p product-tokens -- client  # a program that does it all
"#
        )
    }
}

/// Lists every route with who may use it.
pub(crate) fn routes() -> AccessTable {
    access::public_access().merge(access::access())
}

fn router(desk: &Desk, auth: AuthLayer, for_reports: AuthLayer) -> Result<Router, Failure> {
    let guard = access::access().layer_with(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str))?;
    let guarded = tokens::routes()
        .merge(import::routes())
        .merge(own_token::routes())
        .merge(instances::routes())
        .merge(log_in::routes())
        .merge(acting::routes())
        .route_layer(guard.clone())
        .route_layer(auth);
    let reports = acting::reports().route_layer(guard).route_layer(for_reports);
    // Beside the layer, not behind it: who comes to log in may still send the token that has expired.
    let public = log_in::public_routes().merge(page::routes());
    // From anyone, as only one who has a token can report it.
    let public = public.route_service("/token-reports", LeakReports::new(desk.tokens.clone()));
    let public = public.merge(acting::public_routes(&desk.server));
    Ok(public.merge(guarded).merge(reports).with_state(desk.clone()))
}
