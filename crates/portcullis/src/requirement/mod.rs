//! Requirements: what a route demands of a verified caller, as data.
//!
//! | requirement | met if | refused with |
//! |---|---|---|
//! | [`scope`] | the token grants the scope | 403 `scope_missing` |
//! | [`role`], [`role_at`] | the caller has the role, there | 403 `role_missing` |
//! | [`claim`] with [`eq`], [`one_of`], [`contains`], [`present`], [`covers`] | the claim matches | 403 `requirement_not_met` |
//! | [`user`], [`application`], [`acting`] | the [principal](crate::Principal) is of that kind | 403 `requirement_not_met` |
//! | [`actor`], [`actor_of`] | that party acts for the subject | 403 `requirement_not_met` |
//! | [`credential`] | the credential is of that kind | 403 `requirement_not_met` |
//! | [`publish`], [`subscribe`] | the NATS user has the permission | 403 `requirement_not_met` |
//! | [`check`], [`check_facts`], [`check_with`] | the closure accepts it | 403 `requirement_not_met` |
//! | [`check_async`], [`check_async_with`] | the future accepts it | 403 `requirement_not_met` |
//! | [`fresh`] | the login is recent enough | 401 `authentication_too_old` |
//! | [`acr`] | the login was of one of these kinds | 401 `authentication_too_weak` |
//! | [`authenticated`] | always | |
//! | [`all`], [`any`], [`not`], `.and()`, `.or()`, `!` | depends on the parts | see the rules below |
//!
//! # Rules
//!
//! 1. Every requirement has three possible answers: yes, no, and "could not be found out". One "no" decides an `and`, and one "yes"
//!    decides an `or`. The negation of "could not be found out" is "could not be found out" (Kleene's logic).
//! 2. "Could not be found out" is answered with 503 `requirement_undecided`: never with 403, and the request never passes.
//! 3. A developer's mistake counts as "could not be found out" and is answered with 500 `service_misconfigured`: a [`check`] for other
//!    custom claims than the authenticator makes, a [`param`] that the route's template does not have, an invalid pointer. [`fresh`] and
//!    [`acr`] on a claim of the wrong type count as "could not be found out" too, and are answered with 401 `claims_malformed`. So are
//!    [`user`], [`application`], [`acting`] and [`actor`] on a malformed `act` or client id; on a token that names neither a subject nor
//!    a client, the answer is 401 `claim_missing`.
//! 4. Parts that can be answered at once are evaluated first, then those that take time, each in the order in which they were written.
//!    Evaluation stops once the answer is known: a caller without the scope causes no look-up.
//! 5. If several parts of an `and` are not met, 403 takes precedence over 401, because another login does not help a caller who lacks a
//!    scope. Otherwise the first part counts. For an `or`, the refusal of the first alternative counts.
//! 6. `scope_missing` names all scopes that the whole requirement needs (of alternatives, those of the first), because a token with only
//!    the missing scope would be refused the next time. In the same way, the 401s name both `max_age` and `acr_values`, so that one login
//!    is enough.
//! 7. The log names the part that was not met, and the requirement that it belongs to. It never contains claim values or path parameters.
//!
//! [`Requirement::explain`] reports the outcome of every part, for people who want to know why a request is refused.
//! [`Explainer`](crate::explain::Explainer) also reports the checks of the credential.
//!
//! A requirement by itself guards nothing: hand it to a [`RequireLayer`](crate::RequireLayer), an
//! [`AccessTable`](crate::AccessTable), or a [`Guard`](crate::Guard).
//!
//! # Streams
//!
//! A requirement is decided when a request comes in. If the response is a stream, the handler has to end it: at
//! [`expires_at`](crate::verified::Facts::expires_at) at the latest, as in the recipe "A stream that ends with its token".
//!
//! Credentials of NATS users often have no expiry, and the owner of an account can revoke a user, or take permissions away, at any time. So
//! also end such a stream after a time of your own choice, such as five minutes. The client then sends its request again, and the credential
//! and the requirement are checked by what the account says at that time. To evaluate the requirement again with the same
//! [`Verified`](crate::Verified) would not notice a change. (`Revocations::end_of` of the crate `portcullis-store` ends a stream at a
//! revocation in your own log, which does not contain the revocations of NATS accounts.)
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//!
//! use portcullis::requirement::{claim, eq, param, role, scope};
//! use portcullis::{Code, Verified};
//! use portcullis::clock::UnixTime;
//! use portcullis::requirement::{Circumstances, PathParams};
//! use portcullis::verified::{Conventions, Facts, NoCustom};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let own_orders = scope("orders:read").and(role("admin").or(claim("/tenant", eq(param("tenant"))))).named("own orders");
//! assert_eq!(
//!     own_orders.to_string(),
//!     r#"own orders (scope("orders:read") and (role("admin") or claim("/tenant") == param("tenant")))"#,
//! );
//!
//! let claims = r#"{"scope": "orders:read", "tenant": "acme"}"#;
//! let facts = Facts::assertion(claims, Conventions::new("https://issuer.example"))?;
//! let verified = Verified::assertion(facts, NoCustom).into();
//! let now = UnixTime::from_secs(1_800_000_000);
//!
//! // accepted
//! let params = PathParams::from_iter([("tenant", "acme")]);
//! assert!(own_orders.evaluate(Circumstances::new(&verified, &params, now)).outcome().await.is_ok());
//!
//! // refused
//! let params = PathParams::from_iter([("tenant", "globex")]);
//! let refused = own_orders.evaluate(Circumstances::new(&verified, &params, now)).outcome().await;
//! assert_eq!(refused.map_err(|error| error.code()), Err(Code::RoleMissing));
//! # Ok(())
//! # }
//! ```

mod caller;
mod check;
mod circumstances;
mod decision;
mod evaluation;
pub(crate) mod explanation;
mod kleene;
mod leaf;
mod matcher;
mod operand;
mod path_params;
mod permission;
pub(crate) mod placeholders;
mod pointer;
mod refusal;
#[expect(clippy::module_inception, reason = "a file is named by the noun that it defines")]
mod requirement;
mod subject_template;
mod watch;

pub use caller::{acting, actor, actor_of, application, credential, user};
pub use check::{check, check_async, check_async_with, check_facts, check_with};
pub use circumstances::Circumstances;
pub use decision::{Decision, Undecided};
pub use explanation::RequirementExplanation;
pub use leaf::{acr, claim, fresh, role, role_at, scope};
pub use matcher::{Matcher, contains, covers, eq, one_of, present};
pub use operand::{Operand, param};
pub use path_params::PathParams;
pub use permission::{publish, subscribe};
pub use requirement::{Requirement, all, any, authenticated, not};
