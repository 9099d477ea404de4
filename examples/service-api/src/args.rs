//! The command line.

use std::{ffi::OsString, path::PathBuf};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
A service API whose bearer tokens are signed with a shared secret.

Usage:
  service-api                  a demo: public passwords, a random secret, this machine only
  service-api CONFIG.toml      the service that the file describes (or the one that SERVICE_CONFIG names)
  service-api --new-secret     prints a random secret for the file
  service-api --hash-password  reads a password from standard input, prints its hash for the file
  service-api --help

SIGHUP reads the file again and applies what has changed in [[secrets]]: see README.md for the runbook.
SIGTERM and SIGINT end the service once the requests that are under way have been answered. Streams of events end.

These environment variables count before the file:
  PORT, SERVICE_BIND, SERVICE_LOG, SERVICE_ISSUER, SERVICE_AUDIENCE, SERVICE_LIFETIME_SECONDS,
  SERVICE_REVOCATION_LOG";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Serve as this file says; the demo if there is none.
    Serve(Option<PathBuf>),
    NewSecret,
    HashPassword,
    Help,
}

impl Command {
    /// Takes the arguments without the program's name, and what `SERVICE_CONFIG` says.
    ///
    /// # Errors
    ///
    /// If the arguments are none of those that [`HELP`] lists.
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
        config: Option<OsString>,
    ) -> Result<Self, String> {
        let mut arguments = arguments.into_iter();
        let first = arguments.next();
        if let Some(more) = arguments.next() {
            return Err(format!("one argument at most, `{}` is the second", more.display()));
        }
        let Some(first) = first else {
            return Ok(Self::Serve(config.map(PathBuf::from)));
        };
        match first.to_str() {
            Some("--help" | "-h") => Ok(Self::Help),
            Some("--new-secret") => Ok(Self::NewSecret),
            Some("--hash-password") => Ok(Self::HashPassword),
            Some(option) if option.starts_with('-') => Err(format!("there is no option `{option}`")),
            _ => Ok(Self::Serve(Some(first.into()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str], config: Option<&str>) -> Result<Command, String> {
        Command::parse(arguments.iter().map(OsString::from), config.map(OsString::from))
    }

    #[test]
    fn the_argument_counts_before_the_variable() {
        assert_eq!(parse(&[], None), Ok(Command::Serve(None)));
        assert_eq!(parse(&[], Some("a.toml")), Ok(Command::Serve(Some("a.toml".into()))));
        assert_eq!(parse(&["b.toml"], Some("a.toml")), Ok(Command::Serve(Some("b.toml".into()))));
        assert_eq!(parse(&["--help"], Some("a.toml")), Ok(Command::Help));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert!(parse(&["--new-secrets"], None).is_err());
        assert!(parse(&["a.toml", "b.toml"], None).is_err());
    }
}
