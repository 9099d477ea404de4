//! [`EnrolmentPolicy`]: which callers get a user of NATS, and with which scope.

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::{
    ConfigError, Principal,
    signing::Signer,
    verified::{CredentialKind, Facts},
};

use crate::{
    claims::Account,
    nkey::{AccountKey, PublicKey},
    token::Token,
};

/// Which callers get a user of NATS, and with which scope of the account. The first rule counts whose requirement the caller meets; without
/// one, the caller gets nothing.
#[derive(Clone, Debug)]
pub struct EnrolmentPolicy {
    account: AccountKey,
    token: Arc<Token<Account>>,
    rules: Vec<Rule>,
    pub(super) longest: Duration,
    applications: Applications,
    api_tokens: ApiTokens,
}

/// Whether applications that act for themselves, and those that act for others, get users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a question with two answers")]
pub enum Applications {
    /// They do, if they meet a requirement.
    Accept,
    /// They do not.
    Refuse,
}

/// Whether API tokens and other credentials without a login get users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a question with two answers")]
pub enum ApiTokens {
    /// They do, if they meet a requirement. The user does not end with a log-out, because there is no session.
    Accept,
    /// They do not.
    Refuse,
}

#[derive(Clone)]
pub(super) struct Rule {
    requirement: Arc<dyn Fn(&Facts) -> bool + Send + Sync>,
    pub(super) signer: Arc<dyn Signer>,
    pub(super) role: String,
}

impl EnrolmentPolicy {
    /// Returns a policy for users of this account, without a rule.
    ///
    /// # Errors
    ///
    /// None in practice: the subject of an account's token is an account.
    pub fn new(account: Token<Account>) -> Result<Self, ConfigError> {
        let id =
            AccountKey::try_from(account.registered.subject).map_err(|error| ConfigError::new(error.to_string()))?;
        Ok(Self {
            account: id,
            token: Arc::new(account),
            rules: Vec::new(),
            longest: Duration::from_secs(3600),
            applications: Applications::Refuse,
            api_tokens: ApiTokens::Refuse,
        })
    }

    /// Lets callers that meet a requirement have users in the scope of this signing key.
    ///
    /// # Errors
    ///
    /// If the signer's key is not a signing key of the account with a scope: its users could do everything.
    pub fn rule(
        mut self,
        requirement: impl Fn(&Facts) -> bool + Send + Sync + 'static,
        signer: impl Signer,
    ) -> Result<Self, ConfigError> {
        let key = signer.key_id().parse::<PublicKey>();
        let key =
            key.map_err(|error| ConfigError::new(format!("the signer's key id has to be its public nkey: {error}")))?;
        let Some(scope) = self.token.nats.signing_key(&key).and_then(|key| key.scope.as_ref()) else {
            return Err(ConfigError::new(format!(
                "{key} is not a signing key of the account {} with a scope",
                self.account
            )));
        };
        let role = scope.role.clone();
        self.rules.push(Rule { requirement: Arc::new(requirement), signer: Arc::new(signer), role });
        Ok(self)
    }

    /// Sets for how long a user lives at most. Defaults to an hour: a client asks again with the same key. No user lives longer than the caller's
    /// own credential.
    #[must_use]
    pub fn longest(self, life: Duration) -> Self {
        Self { longest: life, ..self }
    }

    /// Sets whether applications get users. Defaults to [`Applications::Refuse`].
    #[must_use]
    pub fn applications(self, applications: Applications) -> Self {
        Self { applications, ..self }
    }

    /// Sets whether API tokens get users. Defaults to [`ApiTokens::Refuse`].
    #[must_use]
    pub fn api_tokens(self, api_tokens: ApiTokens) -> Self {
        Self { api_tokens, ..self }
    }

    /// Returns the account.
    pub const fn account(&self) -> &AccountKey {
        &self.account
    }

    pub(super) fn token(&self) -> &Token<Account> {
        &self.token
    }

    /// Returns the rule that counts for a caller, or why there is none.
    pub(super) fn rule_for(&self, caller: &Facts) -> Result<&Rule, &'static str> {
        let has_login = matches!(
            caller.credential(),
            CredentialKind::Jwt | CredentialKind::Introspected | CredentialKind::Session | CredentialKind::Asserted
        );
        let is_accepted = caller.credential() == CredentialKind::ApiToken && self.api_tokens == ApiTokens::Accept;
        if !has_login && !is_accepted {
            return Err("credentials without a login, such as API tokens and users of NATS, get no user of NATS here");
        }
        if !matches!(caller.principal(), Principal::User(_)) && self.applications == Applications::Refuse {
            return Err("only users get a user of NATS here, no applications and no actors");
        }
        let rule = self.rules.iter().find(|rule| (rule.requirement)(caller));
        rule.ok_or("the caller meets no requirement for a user of NATS")
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("role", &self.role).field("signer", &self.signer).finish_non_exhaustive()
    }
}
