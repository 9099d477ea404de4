//! What the dashboard's identity provider is made of.

use std::{fs, time::Duration};

use portcullis::{Admission, Algorithm, JwtAuthenticator, policy::TokenSpec};
use portcullis_issuer::{
    TokenIssuer,
    documents::GrantType,
    key_ring::{KeyRing, SealingKey},
    refresh::{LogOutDelivery, LogOutEvent, RefreshKeys, RefreshPolicy, Sessions},
    server::{AuthorizationServer, Client, ClientList, ClientSecret, Clients, MetadataDocuments, ServerEvent},
};
use portcullis_jwks::{HttpClient, OutsideDocuments};
use portcullis_store::{RedbLog, RedbRefreshStore, Revocations};

use super::{IdentityProvider, Users, data, limit, users::NOTES};
use crate::{Failure, settings::Settings};

/// What goes on next to the routes, and ends with them.
pub(super) struct Upkeep {
    server: AuthorizationServer,
    /// Tells the second service which sessions have ended.
    delivery: LogOutDelivery<RedbRefreshStore, Revocations, Users, HttpClient>,
}

impl Upkeep {
    pub(super) async fn run(self) {
        tokio::join!(self.delivery.run(), forget_ended(&self.server));
    }
}

/// Forgets sessions, codes and other records that are over, once an hour: their file would grow without an end.
async fn forget_ended(server: &AuthorizationServer) {
    let mut hours = tokio::time::interval(Duration::from_secs(3600));
    loop {
        hours.tick().await;
        match server.forget_ended().await {
            Ok(count) => tracing::debug!(count, "forgot what is over"),
            Err(error) => tracing::warn!(%error, "what is over could not be forgotten: try again in an hour"),
        }
    }
}

/// Starts the provider. Returns how the dashboard's own API decides about tokens, too. `log_out_at` is where the second service is told of log-outs.
pub(super) async fn start(
    url: &str,
    log_out_at: &str,
    settings: &Settings,
) -> Result<(IdentityProvider, Admission, Upkeep), Failure> {
    let folder = &settings.data;
    fs::create_dir_all(folder)?;
    let spec = TokenSpec::new(url)
        .audience(&settings.dashboard_audience)
        .audience(&settings.orders_audience)
        .audience(&settings.mcp_resource)
        .audience(&settings.desk_audience)
        .lifetime(settings.access_token_lifetime);

    // Sessions, signing keys, codes and consents are in one file, revocations in another.
    let store = RedbRefreshStore::open(folder.join("sessions.redb"))?;
    let revocations = Revocations::builder(RedbLog::open(folder.join("revocations.redb"))?).start()?;
    revocations.require(Duration::from_secs(10)).await?;
    let sealing = SealingKey::new(*data::bytes(&data::secret(folder, "sealing.key")?)?)?;
    let ring = KeyRing::builder(store.signing_keys(), Algorithm::Es256, sealing).start().await?;
    let refresh_keys = RefreshKeys::new(1, *data::bytes(&data::secret(folder, "refresh.key")?)?)?;

    let users = Users::demo()?;
    let issuer = TokenIssuer::new(spec.clone(), ring.clone())?;
    let records = store.records(); // codes, consents, and log-outs to be told
    let sessions = Sessions::new(issuer, store, refresh_keys, revocations.clone(), users.clone());
    let sessions = sessions.tell_clients(records.clone())?;
    let delivery = sessions.log_out_delivery(HttpClient::new()?, log)?;
    let worker_secret = data::secret(folder, "worker.secret")?;
    // Clients of the Model Context Protocol are not registered: the id of each is the URL of a document about it.
    let documents = OutsideDocuments::new(HttpClient::new()?);
    let agents = MetadataDocuments::new(documents).scope(&NOTES.join(" ")).resource(&settings.mcp_resource);
    let clients = ClientList::new(clients(url, log_out_at, settings, &worker_secret)?)?.or(agents);
    let server = AuthorizationServer::builder(sessions.clone(), ring.clone(), records, clients)
        .authorization_endpoint(format!("{url}/authorize"))
        .verification_page(format!("{url}/device"))
        .advertised_scope("orders:read orders:write")
        .rate_limit(limit::of_each_minute(settings.requests_per_minute))
        .on_event(log_server)
        .build()?;

    let trusted = spec.trusted_at(&settings.dashboard_audience, ring)?;
    let admission = Admission::new(JwtAuthenticator::new(trusted)?).revocations(&revocations);
    let browser = server.browser("dashboard").await?;
    let upkeep = Upkeep { server: server.clone(), delivery };
    Ok((IdentityProvider { server, sessions, browser, users, settings: settings.clone() }, admission, upkeep))
}

/// For the operator: a service that could not be told goes on accepting access tokens until they expire.
fn log(event: &LogOutEvent) {
    match event {
        LogOutEvent::Told { client_id, .. } => tracing::debug!(client_id, "a service was told of a log-out"),
        // It is told again, and is perhaps being started.
        LogOutEvent::Failed { client_id, attempts: 2.., why, .. } => {
            tracing::debug!(client_id, why, "a service was not told of a log-out again");
        }
        event => tracing::warn!(?event, "a service was not told of a log-out"),
    }
}

/// For the operator: why requests have failed, which clients are not told, and what may be an attack.
fn log_server(event: &ServerEvent) {
    match event {
        ServerEvent::Failed { endpoint, error } => {
            tracing::error!(endpoint, error = error as &dyn std::error::Error, "a request has failed");
        }
        ServerEvent::Granted { .. } | ServerEvent::Exchanged { .. } => {
            tracing::info!(?event, "the authorization server");
        }
        event => tracing::warn!(?event, "the authorization server"),
    }
}

/// The dashboard's own page, applications of other companies, and a program that acts for itself.
fn clients(url: &str, log_out_at: &str, settings: &Settings, worker_secret: &str) -> Result<Vec<Client>, Failure> {
    let page = Client::public("dashboard")
        .name("Dashboard")
        .redirect_uri(format!("{url}/"))
        .scope("account orders:read orders:write")
        .resource(&settings.dashboard_audience)
        .resource(&settings.orders_audience)
        .refresh_policy(RefreshPolicy::new().grace(settings.grace))
        .back_channel_logout_uri(log_out_at)
        .first_party();
    let report = Client::public("report")
        .name("Monthly report")
        .grants([GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode])
        .redirect_uri("http://127.0.0.1/callback")
        .scope("orders:read orders:write")
        .resource(&settings.orders_audience)
        .back_channel_logout_uri(log_out_at);
    let worker = Client::confidential("worker", ClientSecret::from_secret(worker_secret)?)
        .grants([GrantType::ClientCredentials])
        .scope("orders:read")
        .resource(&settings.orders_audience);
    // A client of the Model Context Protocol that publishes no document.
    let agent = Client::public("agent")
        .name("Agent")
        .redirect_uri("http://127.0.0.1/callback")
        .scope(&NOTES.join(" "))
        .resource(&settings.mcp_resource);
    // Gives users of this provider users of NATS: see `examples/decentralized`.
    let desk = Client::public("acme-desk")
        .name("Desk of acme")
        .redirect_uri(format!("{}/", settings.desk_url))
        .scope("orders:read")
        .resource(&settings.desk_audience)
        .back_channel_logout_uri(format!("{}/log-out", settings.desk_url));
    Ok(vec![page, report, worker, agent, desk])
}
