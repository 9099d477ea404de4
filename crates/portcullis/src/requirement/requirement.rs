//! [`Requirement`]: what a route demands of a caller.

use std::{borrow::Cow, fmt, ops::Not, sync::Arc};

use portcullis_core::{ConfigError, authenticator::Attempt};

use super::{Circumstances, RequirementExplanation, evaluation, leaf::Leaf};

/// What a route demands of a verified caller, as data that can be combined, named, printed and evaluated for a request.
///
/// See the [module docs](super) for the constructors and rules. Cheap to clone.
#[doc(alias = "permission")]
#[doc(alias = "policy")]
#[doc(alias = "rbac")]
#[derive(Clone)]
#[must_use = "a requirement protects nothing until a guard enforces it"]
pub struct Requirement(Arc<Inner>);

struct Inner {
    node: Node,
    takes_time: bool,
    sees_path: bool,
    has_mistake: bool,
}

/// The structure of a requirement.
pub(super) enum Node {
    Leaf(Leaf),
    All(Vec<Requirement>),
    Any(Vec<Requirement>),
    Not(Requirement),
    Named { name: Cow<'static, str>, requirement: Requirement },
}

/// Requires all of these. An empty list admits every authenticated caller, like [`authenticated`].
pub fn all(requirements: impl IntoIterator<Item = Requirement>) -> Requirement {
    Requirement::new(Node::All(requirements.into_iter().collect()))
}

/// Requires at least one of these. An empty list refuses every caller.
pub fn any(requirements: impl IntoIterator<Item = Requirement>) -> Requirement {
    Requirement::new(Node::Any(requirements.into_iter().collect()))
}

/// Requires that this is not met. An undecided requirement stays undecided. The same as `!requirement`.
pub fn not(requirement: Requirement) -> Requirement {
    Requirement::new(Node::Not(requirement))
}

/// Requires only that the caller is authenticated.
pub fn authenticated() -> Requirement {
    all([])
}

impl Requirement {
    /// Requires both.
    pub fn and(self, other: Self) -> Self {
        match &self.0.node {
            Node::All(parts) => all(parts.iter().cloned().chain([other])),
            _ => all([self, other]),
        }
    }

    /// Requires at least one of the two.
    pub fn or(self, other: Self) -> Self {
        match &self.0.node {
            Node::Any(parts) => any(parts.iter().cloned().chain([other])),
            _ => any([self, other]),
        }
    }

    /// Names the requirement; the name is printed before it.
    pub fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Node::Named { name: name.into(), requirement: self })
    }

    /// Whether the caller meets it, or why not. The answer comes at once, unless a [`check_async`](super::check_async) is part of the
    /// requirement.
    ///
    /// The error's code follows the rules in the [module docs](super).
    pub fn evaluate(&self, circumstances: Circumstances<'_>) -> Attempt<()> {
        evaluation::evaluate(self, circumstances)
    }

    /// Decides like [`evaluate`](Self::evaluate), and reports the outcome of every part. The result is available at once, unless a
    /// [`check_async`](super::check_async) has to be called.
    ///
    /// The verdict is the same. Parts that can no longer change it are decided too, so that everything that is missing is reported at once.
    /// Therefore, the closure of a [`check`](super::check) may be called where `evaluate` would not call it. A `check_async` is called only
    /// where `evaluate` calls it.
    ///
    /// ```
    /// use portcullis::explain::Outcome;
    /// use portcullis::requirement::{Circumstances, PathParams, claim, eq, role, scope};
    /// use portcullis::Code;
    /// # use portcullis::clock::UnixTime;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let now = UnixTime::from_secs(1_800_000_000);
    /// let ship = scope("orders:write").and(role("admin").or(claim("/tenant", eq("acme"))));
    /// let caller = portcullis_test::MockIssuer::new().token().claim("tenant", "acme").any_verified();
    ///
    /// let explanation = ship.explain(Circumstances::new(&caller, &PathParams::new(), now)).await;
    /// assert_eq!(explanation.verdict.as_ref().unwrap_err().code(), Code::ScopeMissing);
    /// let [write, alternatives] = &explanation.finding.parts[..] else { unreachable!() };
    /// assert!(write.is_failed() && alternatives.outcome == Outcome::Passed);
    /// println!("{explanation}");
    /// // FAILED    requirement: scope_missing (expected: scope("orders:write") and (role("admin") or claim("/tenant") == "acme"))
    /// //   FAILED    scope("orders:write"): scope_missing
    /// //   passed    role("admin") or claim("/tenant") == "acme"
    /// //     FAILED    role("admin"): role_missing
    /// //     passed    claim("/tenant") == "acme"
    /// // refused: scope_missing: not met: scope("orders:write"), of: scope("orders:write") and (role("admin") or claim("/tenant") == "acme")
    /// # }
    /// ```
    pub async fn explain(&self, circumstances: Circumstances<'_>) -> RequirementExplanation {
        evaluation::explain(self, circumstances).await
    }

    /// Returns the requirement, if it has no mistake that can be seen without a request, such as a malformed pointer, or a scope that cannot
    /// be granted.
    ///
    /// An [`AccessTable`](crate::AccessTable) checks this itself. A requirement with such a mistake admits no caller: the answer is 500,
    /// even under a `not`.
    ///
    /// # Errors
    ///
    /// If there are mistakes; the error lists all of them.
    pub fn checked(self) -> Result<Self, ConfigError> {
        ConfigError::check(self.problems()).map(|()| self)
    }

    /// Returns the scopes that it needs, each once, in the order in which they were written. Use them, for example, for a route's entry
    /// in an OpenAPI document.
    ///
    /// For alternatives, it returns the scopes of each. Scopes below a [`not`] are left out.
    pub fn scopes(&self) -> Vec<&str> {
        self.asked_for(|leaf| match leaf {
            Leaf::Scope(name) => Some(name),
            _ => None,
        })
    }

    /// Returns the scopes that every caller who meets it has, each once. Of alternatives, these are the scopes that are in each of them.
    pub fn needed_scopes(&self) -> Vec<&str> {
        let parts = || self.node().parts().iter().map(Self::needed_scopes);
        match self.node() {
            Node::Leaf(Leaf::Scope(name)) => vec![name],
            Node::Leaf(_) | Node::Not(_) => Vec::new(),
            Node::All(_) | Node::Named { .. } => parts().fold(Vec::new(), |mut all, part| {
                all.extend(part.into_iter().filter(|scope| !all.contains(scope)).collect::<Vec<_>>());
                all
            }),
            Node::Any(_) => parts()
                .reduce(|mut common, part| {
                    common.retain(|scope| part.contains(scope));
                    common
                })
                .unwrap_or_default(),
        }
    }

    /// Returns the roles that it needs, at any place, each once, in the order in which they were written.
    ///
    /// For alternatives, it returns the roles of each. Roles below a [`not`] are left out.
    pub fn roles(&self) -> Vec<&str> {
        self.asked_for(|leaf| match leaf {
            Leaf::Role { name, .. } => Some(name),
            _ => None,
        })
    }

    fn asked_for<'r>(&'r self, name: fn(&'r Leaf) -> Option<&'r String>) -> Vec<&'r str> {
        let mut names: Vec<&str> = Vec::new();
        self.visit_leaves(false, &mut |leaf, is_negated| {
            if let Some(name) = name(leaf)
                && !is_negated
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        });
        names
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        self.leaves().into_iter().filter_map(Leaf::problem).collect()
    }

    /// Returns the names of the path parameters that it compares with.
    pub(crate) fn parameters(&self) -> Vec<&str> {
        self.leaves().into_iter().flat_map(Leaf::parameters).collect()
    }

    /// Whether it needs the path.
    pub(crate) fn sees_path(&self) -> bool {
        self.0.sees_path
    }

    pub(super) fn takes_time(&self) -> bool {
        self.0.takes_time
    }

    /// Whether a part of it is wrong in a way that is visible without a request. Such a requirement admits no caller, however the part is
    /// combined with others.
    pub(super) fn has_mistake(&self) -> bool {
        self.0.has_mistake
    }

    pub(super) fn leaf(leaf: Leaf) -> Self {
        Self::new(Node::Leaf(leaf))
    }

    pub(super) fn node(&self) -> &Node {
        &self.0.node
    }

    fn new(node: Node) -> Self {
        let (takes_time, sees_path, has_mistake) = match &node {
            Node::Leaf(leaf) => (leaf.takes_time(), leaf.sees_path(), leaf.problem().is_some()),
            node => {
                let parts = node.parts();
                (
                    parts.iter().any(Self::takes_time),
                    parts.iter().any(Self::sees_path),
                    parts.iter().any(Self::has_mistake),
                )
            }
        };
        Self(Arc::new(Inner { node, takes_time, sees_path, has_mistake }))
    }

    fn leaves(&self) -> Vec<&Leaf> {
        let mut leaves = Vec::new();
        self.visit_leaves(false, &mut |leaf, _| leaves.push(leaf));
        leaves
    }

    /// Visits each leaf, and says whether an odd number of `not` is around it.
    fn visit_leaves<'r>(&'r self, is_negated: bool, visit: &mut impl FnMut(&'r Leaf, bool)) {
        let is_negated = is_negated ^ matches!(self.node(), Node::Not(_));
        match self.node() {
            Node::Leaf(leaf) => visit(leaf, is_negated),
            node => node.parts().iter().for_each(|part| part.visit_leaves(is_negated, visit)),
        }
    }
}

impl Node {
    /// Returns its parts.
    fn parts(&self) -> &[Requirement] {
        match self {
            Self::Leaf(_) => &[],
            Self::All(parts) | Self::Any(parts) => parts,
            Self::Not(part) | Self::Named { requirement: part, .. } => std::slice::from_ref(part),
        }
    }
}

impl Not for Requirement {
    type Output = Self;

    fn not(self) -> Self {
        not(self)
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node() {
            Node::Leaf(leaf) => leaf.fmt(f),
            Node::All(parts) => write_list(f, parts, " and ", "authenticated"),
            Node::Any(parts) => write_list(f, parts, " or ", "no caller"),
            Node::Not(part) if part.is_phrase() => write!(f, "not ({part})"),
            Node::Not(part) => write!(f, "not {part}"),
            Node::Named { name, requirement } => write!(f, "{name} ({requirement})"),
        }
    }
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Requirement({self})")
    }
}

impl Requirement {
    /// Whether it is printed as several parts.
    fn is_list(&self) -> bool {
        matches!(self.node(), Node::All(parts) | Node::Any(parts) if parts.len() > 1)
    }

    /// Whether it is printed as more than one word, so that a `not` before it could be misread.
    fn is_phrase(&self) -> bool {
        match self.node() {
            Node::Leaf(Leaf::Caller(caller)) => caller.is_phrase(),
            Node::Leaf(leaf) => matches!(leaf, Leaf::Claim { .. } | Leaf::Role { at: Some(_), .. }),
            _ => self.is_list(),
        }
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, parts: &[Requirement], between: &str, none: &str) -> fmt::Result {
    if parts.is_empty() {
        return f.write_str(none);
    }
    for (place, part) in parts.iter().enumerate() {
        let between = if place == 0 { "" } else { between };
        if part.is_list() && parts.len() > 1 {
            write!(f, "{between}({part})")?;
        } else {
            write!(f, "{between}{part}")?;
        }
    }
    Ok(())
}
