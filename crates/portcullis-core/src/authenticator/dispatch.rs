//! [`Dispatch`]: accepts several kinds of credentials, and chooses the authenticator for each.

use std::{fmt, sync::Arc};

use super::{
    Attempt, Authenticator, Credential, Edition, Explain, Explaining, Proven, Scheme, dispatch_branch::IntoBranch,
    token68,
};
use crate::{
    AuthError, Code, ConfigError, UnixTime, Verified,
    config_text::quoted,
    judge::{Check, Recorder},
    verified::{Conventions, NoCustom},
};

/// Asks one of several authenticators, chosen by what the credential looks like. Use it to accept, for example, API tokens and JSON Web Tokens
/// in the same `Authorization` header.
///
/// Exactly one authenticator is asked about a credential, and its answer is final; no other one is tried. A credential that matches no branch
/// is refused ([`Code::CredentialKindUnknown`]).
///
/// [`Admission::explainable`](crate::Admission::explainable) takes a dispatch, too. An explanation then names the chosen branch, and lists the
/// checks of that branch if it was added as [`explainable`](Explain::explainable): `.compact_jws(jwt.explainable())`. For any other branch it
/// lists one check, "proved".
///
/// ```
/// use portcullis_core::{Admission, Authenticator};
/// use portcullis_core::authenticator::Dispatch;
///
/// # fn service(
/// #     api_tokens: impl Authenticator<Custom = portcullis_core::verified::NoCustom>,
/// #     jwt: portcullis_core::JwtAuthenticator,
/// #     introspection: impl Authenticator<Custom = portcullis_core::verified::NoCustom>,
/// # ) -> Result<Admission, portcullis_core::ConfigError> {
/// let dispatch = Dispatch::builder()
///     .prefix("acme_", api_tokens)
///     .compact_jws(jwt)
///     .otherwise(introspection)
///     .build()?;
/// let admission = Admission::new(dispatch);
/// # Ok(admission)
/// # }
/// ```
pub struct Dispatch<C = NoCustom> {
    /// At most one of them matches a credential, apart from `otherwise`, which comes last.
    branches: Arc<[Branch<C>]>,
}

/// Builds a [`Dispatch`].
#[must_use = "it does nothing until it is built"]
pub struct DispatchBuilder<C = NoCustom> {
    branches: Vec<Branch<C>>,
}

struct Branch<C> {
    takes: Takes,
    authenticator: Arc<dyn Authenticator<Custom = C>>,
    /// The authenticator again, if it can explain.
    explain: Option<Arc<dyn Explain<Custom = C>>>,
}

/// The credentials that a branch accepts.
#[derive(Debug)]
enum Takes {
    Scheme(Scheme),
    Prefix(String),
    CompactJws,
    Rest,
}

impl<C> Dispatch<C> {
    /// Returns a builder without branches. All authenticators that are added must have the same type of custom claims.
    pub const fn builder() -> DispatchBuilder<C> {
        DispatchBuilder { branches: Vec::new() }
    }

    /// Returns the branch for this credential, and its position. The choice depends only on bytes and scheme, so the same credential always
    /// gets the same branch.
    fn pick(&self, credential: Credential<'_>) -> Result<(usize, &Branch<C>), AuthError> {
        let mut branches = self.branches.iter().enumerate();
        branches.find(|(_, branch)| branch.takes.takes(credential)).ok_or_else(|| Code::CredentialKindUnknown.into())
    }
}

impl<C: Send + Sync + 'static> DispatchBuilder<C> {
    /// Asks `authenticator` about every credential that is presented under this scheme, whatever it looks like.
    ///
    /// The branches of the other methods only accept credentials under [`Scheme::Bearer`]. A credential under any other scheme that has no
    /// branch of its own is refused.
    pub fn scheme(self, scheme: Scheme, authenticator: impl IntoBranch<Custom = C>) -> Self {
        self.add(Takes::Scheme(scheme), authenticator)
    }

    /// Asks `authenticator` about credentials that begin with `prefix`, such as `acme_`. Upper and lower case are different.
    pub fn prefix(self, prefix: impl Into<String>, authenticator: impl IntoBranch<Custom = C>) -> Self {
        self.add(Takes::Prefix(prefix.into()), authenticator)
    }

    /// Asks `authenticator` about credentials that look like a signed JSON Web Token in compact form (RFC 7515 section 7.1): three parts
    /// separated by dots, the first of which begins like a JSON object in base64url.
    pub fn compact_jws(self, authenticator: impl IntoBranch<Custom = C>) -> Self {
        self.add(Takes::CompactJws, authenticator)
    }

    /// Asks `authenticator` about all other credentials, such as opaque tokens without a prefix.
    ///
    /// Defaults to refusing them.
    pub fn otherwise(self, authenticator: impl IntoBranch<Custom = C>) -> Self {
        self.add(Takes::Rest, authenticator)
    }

    fn add(mut self, takes: Takes, authenticator: impl IntoBranch<Custom = C>) -> Self {
        let (authenticator, explain) = authenticator.into_branch().into_parts();
        self.branches.push(Branch { takes, authenticator, explain });
        self
    }

    /// Builds the authenticator.
    ///
    /// # Errors
    ///
    /// Returns all problems at once: two branches that could match the same credential, a prefix that matches none, or no branch at all.
    pub fn build(mut self) -> Result<Dispatch<C>, ConfigError> {
        let mut problems = Vec::new();
        if self.branches.is_empty() {
            problems.push("a dispatch without an authenticator would refuse every credential: add one".to_owned());
        }
        if self.branches.len() > Edition::MAX_BRANCHES {
            problems.push(format!("a dispatch has at most {} authenticators", Edition::MAX_BRANCHES));
        }
        let heard = schemes_of(&self.branches);
        for (at, branch) in self.branches.iter().enumerate() {
            problems.extend(branch.takes.problem());
            problems.extend(branch.problems_of_schemes(&heard));
            let conflicts = self.branches[..at].iter().filter(|earlier| branch.takes.overlaps(&earlier.takes));
            problems.extend(conflicts.map(|earlier| {
                format!(
                    "{} and {} could be meant by the same credential: only one authenticator can be asked about it",
                    earlier.takes, branch.takes
                )
            }));
        }
        ConfigError::check(problems)?;
        self.branches.sort_by_key(|branch| matches!(branch.takes, Takes::Rest));
        Ok(Dispatch { branches: self.branches.into() })
    }
}

impl<C: Send + Sync + 'static> Branch<C> {
    /// Returns why the authenticator would get credentials that it does not accept, or would never get some that it does. `heard` are the
    /// schemes of all branches.
    fn problems_of_schemes(&self, heard: &[Scheme]) -> Vec<String> {
        let (asked, accepted) = (self.takes.scheme(), self.authenticator.schemes());
        let mut problems = Vec::new();
        if !accepted.contains(&asked) {
            problems.push(format!(
                "{} is for credentials under {asked}, which its authenticator does not accept: see `Authenticator::schemes`",
                self.takes
            ));
        }
        let unheard = accepted.iter().filter(|scheme| !heard.contains(scheme));
        problems.extend(unheard.map(|scheme| {
            format!(
                "the authenticator of {} accepts {scheme} too, and would never get it: add `scheme({scheme})`",
                self.takes
            )
        }));
        problems
    }
}

impl Takes {
    /// Returns the scheme of the credentials that the branch is for.
    fn scheme(&self) -> Scheme {
        match self {
            Self::Scheme(scheme) => *scheme,
            Self::Prefix(_) | Self::CompactJws | Self::Rest => Scheme::Bearer,
        }
    }

    /// Whether the branch accepts this credential.
    fn takes(&self, credential: Credential<'_>) -> bool {
        match self {
            Self::Scheme(scheme) => *scheme == credential.scheme(),
            Self::Prefix(prefix) => is_bearer(credential) && credential.token().starts_with(prefix.as_str()),
            Self::CompactJws => is_bearer(credential) && is_compact_jws(credential.token()),
            Self::Rest => is_bearer(credential),
        }
    }

    /// Returns the reason why no credential can match, if there is one.
    fn problem(&self) -> Option<String> {
        let prefix = match self {
            Self::Scheme(scheme) if !is_token(scheme.as_str()) => {
                return Some(format!(
                    "{} is not the name of a scheme: use letters, digits, `-`, `_` and `.` only",
                    quoted(scheme.as_str())
                ));
            }
            Self::Prefix(prefix) => prefix,
            _ => return None,
        };
        if prefix.is_empty() {
            return Some("a prefix is empty: every credential begins with it (`otherwise` takes the rest)".to_owned());
        }
        let problem = token68::text(prefix.as_bytes()).is_err() || prefix.ends_with('=');
        problem.then(|| format!("no credential begins with the prefix {}: it is no part of a b64token", quoted(prefix)))
    }

    /// Whether one credential can match both.
    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scheme(one), Self::Scheme(other)) => one == other,
            // All other branches accept only `Bearer`.
            (Self::Scheme(scheme), _) | (_, Self::Scheme(scheme)) => *scheme == Scheme::Bearer,
            (Self::Prefix(one), Self::Prefix(other)) => begins_with(one, other),
            (Self::Prefix(prefix), Self::CompactJws) | (Self::CompactJws, Self::Prefix(prefix)) => {
                JWS_BEGINNINGS.iter().any(|beginning| begins_with(beginning, prefix))
            }
            (Self::CompactJws, Self::CompactJws) | (Self::Rest, Self::Rest) => true,
            (Self::Rest, _) | (_, Self::Rest) => false,
        }
    }
}

/// The beginnings of `{"` in base64url, and of `{` followed by a space or a line break. Only two letters, because a third depends on more bytes.
const JWS_BEGINNINGS: [&str; 2] = ["ey", "ew"];

fn is_compact_jws(token: &str) -> bool {
    let begins = JWS_BEGINNINGS.iter().any(|beginning| token.starts_with(beginning));
    begins && token.bytes().filter(|&byte| byte == b'.').count() == 2
}

/// Whether one of the two texts begins with the other.
fn begins_with(one: &str, other: &str) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// Returns the schemes of all branches, each once.
fn schemes_of<C>(branches: &[Branch<C>]) -> Vec<Scheme> {
    let mut schemes = Vec::new();
    for scheme in branches.iter().map(|branch| branch.takes.scheme()) {
        if !schemes.contains(&scheme) {
            schemes.push(scheme);
        }
    }
    schemes
}

/// Whether the text is a `token` (RFC 9110 section 5.6.2), as the name of a scheme has to be.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn is_bearer(credential: Credential<'_>) -> bool {
    credential.scheme() == Scheme::Bearer
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme(scheme) => write!(f, "`scheme({scheme})`"),
            Self::Prefix(prefix) => write!(f, "`prefix({})`", quoted(prefix)),
            Self::CompactJws => f.write_str("`compact_jws`"),
            Self::Rest => f.write_str("`otherwise`"),
        }
    }
}

impl<C: Send + Sync + 'static> Authenticator for Dispatch<C> {
    type Custom = C;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven<C>> {
        match self.pick(credential) {
            Ok((at, branch)) => branch.authenticator.verify(credential).map(move |proven| proven.on_branch(at)),
            Err(error) => Attempt::Done(Err(error)),
        }
    }

    fn is_current(&self, edition: Edition, now: UnixTime) -> bool {
        let branch = edition.branch().and_then(|(at, edition)| Some((self.branches.get(at)?, edition)));
        branch.is_some_and(|(branch, edition)| branch.authenticator.is_current(edition, now))
    }

    fn check_proof(&self, credential: Credential<'_>, verified: &Verified<C>) -> Result<(), AuthError> {
        self.pick(credential)?.1.authenticator.check_proof(credential, verified)
    }

    fn max_len(&self) -> usize {
        self.branches.iter().map(|branch| branch.authenticator.max_len()).max().unwrap_or_default()
    }

    /// If several branches trust the issuer, prefers one that reads the client's id, so that tokens can be revoked by client.
    fn conventions(&self, issuer: &str) -> Option<Arc<Conventions>> {
        let known = self.branches.iter().filter_map(|branch| branch.authenticator.conventions(issuer));
        known.max_by_key(|conventions| conventions.client_place().is_some())
    }

    /// Returns the schemes of all branches. Branches without a scheme of their own accept [`Scheme::Bearer`].
    fn schemes(&self) -> Vec<Scheme> {
        schemes_of(&self.branches)
    }

    fn issuers(&self) -> Vec<Arc<Conventions>> {
        self.branches.iter().flat_map(|branch| branch.authenticator.issuers()).collect()
    }
}

impl<C: Send + Sync + 'static> Explain for Dispatch<C> {
    fn explain<'a>(&'a self, credential: Credential<'a>, recorder: &'a mut Recorder) -> Explaining<'a, C> {
        let picked = self.pick(credential);
        let kinds = || self.branches.iter().map(|branch| branch.takes.to_string()).collect::<Vec<_>>().join(" or ");
        recorder.chosen(&picked, picked.as_ref().map_or_else(|_| kinds(), |(_, branch)| branch.takes.to_string()));
        Box::pin(async move {
            let (at, branch) = picked?;
            let proven = if let Some(explain) = &branch.explain {
                explain.explain(credential, recorder).await
            } else {
                let outcome = branch.authenticator.verify(credential).outcome().await;
                recorder.note(Check::Proved, &outcome);
                outcome
            };
            proven.map(|proven| proven.on_branch(at))
        })
    }
}

impl<C> Clone for Dispatch<C> {
    fn clone(&self) -> Self {
        Self { branches: Arc::clone(&self.branches) }
    }
}

impl<C> fmt::Debug for Dispatch<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.branches.iter()).finish()
    }
}

impl<C> fmt::Debug for DispatchBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.branches.iter()).finish()
    }
}

impl<C> fmt::Debug for Branch<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Branch")
            .field("takes", &self.takes)
            .field("authenticator", &self.authenticator)
            .finish_non_exhaustive()
    }
}
