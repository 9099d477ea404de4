//! What the service is told: a TOML file, and environment variables that count before it.

mod environment;
mod file;
mod misfit;
mod problems;
mod revocation;
mod secret_list;
mod settings;
mod user_list;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use portcullis::ConfigError;
use zeroize::Zeroizing;

pub(crate) use self::{
    environment::Lookup,
    revocation::RevocationRules,
    settings::{Server, TokenRules},
};
use self::{file::File, problems::Problems};
use crate::{secrets::ListedSecret, users::Users};

/// The file that is shipped, which is also the demo.
const DEMO: &str = include_str!("../../service.example.toml");

/// Where the configuration comes from.
#[derive(Debug)]
pub(crate) enum Source {
    /// Built in, with passwords that everybody knows.
    Demo,
    File(PathBuf),
}

/// The whole configuration. Every value of this type is valid.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) token: TokenRules,
    /// How long a new file may take to reach every instance.
    pub(crate) rollout: Duration,
    pub(crate) revocation: RevocationRules,
    pub(crate) secrets: Vec<ListedSecret>,
    pub(crate) users: Users,
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// All problems at once, each with its place and how to mend it. Never with a secret in it.
    pub(crate) fn load(source: &Source, lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        match source {
            Source::Demo => {
                let config = Self::parse(DEMO, Path::new("."), lookup)?;
                if config.server.address.ip().is_loopback() {
                    return Ok(config);
                }
                let mend = "write a file of your own, or take 127.0.0.1";
                Err(ConfigError::new(format!("SERVICE_BIND: everybody knows the demo's passwords: {mend}")))
            }
            Source::File(path) => {
                let text = fs::read_to_string(path).map(Zeroizing::new);
                let text = text.map_err(|error| ConfigError::new(format!("{}: {error}", path.display())))?;
                Self::parse(&text, path.parent().unwrap_or(Path::new(".")), lookup)
            }
        }
    }

    /// Whether the other one says something else about anything but the secrets.
    pub(crate) fn differs_beyond_secrets(&self, other: &Self) -> bool {
        let beyond = |config: &Self| (config.server.clone(), config.token.clone(), config.rollout);
        beyond(self) != beyond(other) || self.revocation != other.revocation || self.users != other.users
    }

    /// `folder` is where the names of other files start from.
    fn parse(text: &str, folder: &Path, lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let mut file = File::parse(text, &mut problems);
        environment::overlay(&mut file, lookup, &mut problems);

        let server = Server::from_table(&file.server, &mut problems);
        let token = TokenRules::from_table(file.token, &mut problems);
        let rollout = settings::rollout(&file.rotation, &mut problems);
        let revocation = RevocationRules::from_table(&file.revocation, folder, &mut problems);
        let secrets = secret_list::from_tables(&file.secrets, folder, &mut problems);
        let users = user_list::from_tables(file.users, &mut problems);

        problems.check()?;
        match (server, token, revocation) {
            (Some(server), Some(token), Some(revocation)) => {
                Ok(Self { server, token, rollout, revocation, secrets, users })
            }
            _ => Err(ConfigError::new("the configuration is incomplete")),
        }
    }
}
