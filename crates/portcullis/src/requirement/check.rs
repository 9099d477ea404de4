//! Closures as requirements.

use std::{any::type_name, borrow::Cow, fmt, future::Future, pin::Pin};

use portcullis_core::{
    Verified,
    verified::{AnyVerified, Facts},
};

use super::{Circumstances, Decision, PathParams, Requirement, leaf::Leaf};

/// Whatever `decide` says about the token and its custom claims of the type `C`.
///
/// The name stands for it in print. `decide` gives a `bool`, a [`Decision`], or a `Result` of either, whose error means
/// "could not be found out". If the route's authenticator makes claims of another type than `C`, the request is
/// answered by 500 and the log names both types.
///
/// ```
/// use portcullis::{Verified, requirement::check};
///
/// struct Employee {
///     grade: u8,
/// }
///
/// let senior = check("senior", |employee: &Verified<Employee>| employee.custom().grade >= 7);
/// ```
pub fn check<C, D, F>(name: impl Into<Cow<'static, str>>, decide: F) -> Requirement
where
    C: Send + Sync + 'static,
    D: Into<Decision>,
    F: Fn(&Verified<C>) -> D + Send + Sync + 'static,
{
    now(name, View::Token, move |at| at.verified.downcast().map(|verified| decide(&verified).into()), type_name::<C>)
}

/// As [`check`], and `decide` sees the path parameters, too.
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

/// As [`check`], for whatever custom claims: `decide` sees the [`Facts`] only.
pub fn check_facts<D, F>(name: impl Into<Cow<'static, str>>, decide: F) -> Requirement
where
    D: Into<Decision>,
    F: Fn(&Facts) -> D + Send + Sync + 'static,
{
    now(name, View::Token, move |at| Some(decide(at.verified).into()), type_name::<Facts>)
}

/// Whatever the future made by `decide` says: a live look-up, with its state captured in an `Arc`.
///
/// It runs on the task of the request, only if what can be answered at once leaves the question open, and it is dropped
/// with the request. Set a time limit in it: nothing else does.
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

/// As [`check_async`], and `decide` gets the path parameters, too.
pub fn check_async_with<D, F, Fut>(name: impl Into<Cow<'static, str>>, decide: F) -> Requirement
where
    D: Into<Decision>,
    F: Fn(AnyVerified, PathParams) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = D> + Send + 'static,
{
    later(name, View::TokenAndPath, decide)
}

/// A named closure.
pub(super) struct Check {
    name: Cow<'static, str>,
    view: View,
    run: Run,
}

/// How long it takes to run.
pub(super) enum Run {
    Now(Box<RunNow>),
    Later(Box<RunLater>),
}

/// What it looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Token,
    TokenAndPath,
}

type RunNow = dyn Fn(Circumstances<'_>) -> Result<Decision, WrongClaims> + Send + Sync;
type RunLater = dyn Fn(AnyVerified, PathParams) -> Pin<Box<dyn Future<Output = Decision> + Send>> + Send + Sync;

/// A check looks at custom claims of another type than there are. A mistake of the developer.
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
        write!(f, "it looks at claims of the type {}, the authenticator makes {}", self.expected, self.found)
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
