//! Closures as requirements.

use std::{any::type_name, borrow::Cow, fmt, future::Future, pin::Pin};

use portcullis_core::{
    Verified,
    verified::{AnyVerified, Facts},
};

use super::{Circumstances, Decision, PathParams, Requirement, leaf::Leaf};

/// Requires that `decide` accepts the token and its custom claims of type `C`.
///
/// `name` is printed for it. `decide` returns a `bool`, a [`Decision`], or a `Result` of either; an error means "could not be found out".
/// If the route's authenticator makes claims of another type than `C`, the answer is 500 and the log names both types.
///
/// ```
/// use portcullis::{Verified, requirement::check};
///
/// struct Employee {
///     grade: u8,
/// }
///
/// let senior = check("senior", |employee: &Verified<Employee>| employee.custom.grade >= 7);
/// ```
pub fn check<C, D, F>(name: impl Into<Cow<'static, str>>, decide: F) -> Requirement
where
    C: Send + Sync + 'static,
    D: Into<Decision>,
    F: Fn(&Verified<C>) -> D + Send + Sync + 'static,
{
    now(name, View::Token, move |at| at.verified.downcast().map(|verified| decide(&verified).into()), type_name::<C>)
}

/// Like [`check`], but `decide` also gets the path parameters.
pub fn check_with<C, D, F>(name: impl Into<Cow<'static, str>>, decide: F) -> Requirement
where
    C: Send + Sync + 'static,
    D: Into<Decision>,
    F: Fn(&Verified<C>, &PathParams) -> D + Send + Sync + 'static,
{
    let decide =
        move |at: Circumstances<'_>| at.verified.downcast().map(|verified| decide(&verified, at.params).into());
    now(name, View::TokenAndPath, decide, type_name::<C>)
}

/// Like [`check`], for any type of custom claims: `decide` gets only the [`Facts`].
pub fn check_facts<D, F>(name: impl Into<Cow<'static, str>>, decide: F) -> Requirement
where
    D: Into<Decision>,
    F: Fn(&Facts) -> D + Send + Sync + 'static,
{
    now(name, View::Token, move |at| Some(decide(at.verified).into()), type_name::<Facts>)
}

/// Requires that the future made by `decide` accepts the token: for a live look-up, with its state in an `Arc`.
///
/// It runs on the task of the request, only if the requirements that take no time have not decided already, and it is dropped with the
/// request. Set your own time limit in it; there is no other.
///
/// ```
/// use std::sync::Arc;
///
/// use portcullis::requirement::check_async;
/// use portcullis::verified::AnyVerified;
///
/// # struct Directory;
/// # impl Directory {
/// #     async fn is_member(&self, _: Option<&str>) -> Result<bool, std::io::Error> { Ok(true) }
/// # }
/// # let directory = Arc::new(Directory);
/// let member = check_async("member", move |caller: AnyVerified| {
///     let directory = Arc::clone(&directory);
///     async move { directory.is_member(caller.subject()).await } // an error becomes 503
/// });
/// ```
pub fn check_async<D, F, Fut>(name: impl Into<Cow<'static, str>>, decide: F) -> Requirement
where
    D: Into<Decision>,
    F: Fn(AnyVerified) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = D> + Send + 'static,
{
    later(name, View::Token, move |verified, _| decide(verified))
}

/// Like [`check_async`], but `decide` also gets the path parameters.
pub fn check_async_with<D, F, Fut>(name: impl Into<Cow<'static, str>>, decide: F) -> Requirement
where
    D: Into<Decision>,
    F: Fn(AnyVerified, PathParams) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = D> + Send + 'static,
{
    later(name, View::TokenAndPath, decide)
}

/// A closure with its name.
pub(super) struct Check {
    name: Cow<'static, str>,
    view: View,
    run: Run,
}

/// The function of a check, which decides at once or later.
pub(super) enum Run {
    Now(Box<RunNow>),
    Later(Box<RunLater>),
}

/// The values that the function receives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Token,
    TokenAndPath,
}

type RunNow = dyn Fn(Circumstances<'_>) -> Result<Decision, WrongClaims> + Send + Sync;
type RunLater = dyn Fn(AnyVerified, PathParams) -> Pin<Box<dyn Future<Output = Decision> + Send>> + Send + Sync;

/// A check expects custom claims of another type. A developer's mistake.
pub(super) struct WrongClaims {
    expected: &'static str,
    found: &'static str,
}

impl Check {
    pub(super) const fn run(&self) -> &Run {
        &self.run
    }

    pub(super) fn takes_time(&self) -> bool {
        matches!(self.run, Run::Later(_))
    }

    pub(super) fn sees_path(&self) -> bool {
        self.view == View::TokenAndPath
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "check({:?})", self.name)
    }
}

impl fmt::Display for WrongClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it expects claims of the type {}, but the authenticator makes {}", self.expected, self.found)
    }
}

fn now(
    name: impl Into<Cow<'static, str>>,
    view: View,
    decide: impl Fn(Circumstances<'_>) -> Option<Decision> + Send + Sync + 'static,
    expected: fn() -> &'static str,
) -> Requirement {
    let run = move |at: Circumstances<'_>| {
        decide(at).ok_or_else(|| WrongClaims { expected: expected(), found: at.verified.custom_type() })
    };
    Requirement::leaf(Leaf::Check(Check { name: name.into(), view, run: Run::Now(Box::new(run)) }))
}

fn later<D, Fut>(
    name: impl Into<Cow<'static, str>>,
    view: View,
    decide: impl Fn(AnyVerified, PathParams) -> Fut + Send + Sync + 'static,
) -> Requirement
where
    D: Into<Decision>,
    Fut: Future<Output = D> + Send + 'static,
{
    let run = move |verified, params| -> Pin<Box<dyn Future<Output = Decision> + Send>> {
        let answer = decide(verified, params);
        Box::pin(async move { answer.await.into() })
    };
    Requirement::leaf(Leaf::Check(Check { name: name.into(), view, run: Run::Later(Box::new(run)) }))
}
