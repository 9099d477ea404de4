//! Contract tests: the rules of a trait, as tests for any implementation.

#[cfg(feature = "nats")]
mod account_resolver;
#[cfg(feature = "api-tokens")]
mod api_token_store;
mod expiry;
mod faults;
mod floor_store;
mod foreign;
mod impossible;
mod instance;
mod life;
mod nonce_issuer;
mod order;
mod place;
mod reader;
#[cfg(feature = "issuer")]
mod record_store;
#[cfg(feature = "issuer")]
mod refresh_store;
mod replay_store;
mod revocation_log;
#[cfg(feature = "issuer")]
mod signer;
#[cfg(feature = "issuer")]
mod signing_keys;

#[cfg(feature = "nats")]
pub use account_resolver::{AccountPlace, AccountResolverContract, AccountSwitch};
#[cfg(feature = "api-tokens")]
pub use api_token_store::{ApiTokenPlace, ApiTokenStoreContract, ApiTokenSwitch};
pub use floor_store::{FloorPlace, FloorStoreContract, FloorSwitch};
pub use nonce_issuer::NonceIssuerContract;
pub use place::{LogPlace, Possible, Switch};
pub use reader::LogReader;
#[cfg(feature = "issuer")]
pub use record_store::{RecordPlace, RecordStoreContract, RecordSwitch};
#[cfg(feature = "issuer")]
pub use refresh_store::{RefreshPlace, RefreshStoreContract, RefreshSwitch};
pub use replay_store::{ReplayPlace, ReplayStoreContract, ReplaySwitch};
pub use revocation_log::RevocationLogContract;
#[cfg(feature = "issuer")]
pub use signer::SignerContract;
#[cfg(feature = "issuer")]
pub use signing_keys::{SigningKeysContract, SigningKeysPlace, SigningKeysSwitch};
