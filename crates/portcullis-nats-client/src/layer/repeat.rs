//! [`RepeatBody`]: bodies that can be sent twice.

/// Says how a body is sent a second time, when the service asks for a nonce.
///
/// [`CloneBody`] clones it. A closure does what it does, such as `|body: &reqwest::Body| body.try_clone()`, or `|_: &B| None` for bodies that are never
/// repeated: the answer that asks for a nonce is then the answer, and the next request has the nonce. To repeat a stream, read it to its end
/// first, and send what was read.
#[diagnostic::on_unimplemented(
    message = "a body of the type `{B}` cannot be repeated by `{Self}`",
    note = "if it cannot be cloned, set `ProofLayer::repeat`"
)]
pub trait RepeatBody<B>: Send + Sync + 'static {
    /// Returns the same body for a second request; `None` if that cannot be.
    fn repeat(&self, body: &B) -> Option<B>;
}

/// Clones bodies.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit that is written down by name")]
pub struct CloneBody;

impl<B: Clone> RepeatBody<B> for CloneBody {
    fn repeat(&self, body: &B) -> Option<B> {
        Some(body.clone())
    }
}

impl<B, F> RepeatBody<B> for F
where
    F: Fn(&B) -> Option<B> + Send + Sync + 'static,
{
    fn repeat(&self, body: &B) -> Option<B> {
        self(body)
    }
}
