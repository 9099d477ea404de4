//! [`Signer`]: makes signatures, at once or later. Nothing in this crate signs: the trait is here for the crates that do.

mod error;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

pub use error::{SignError, SignErrorKind};

use crate::Algorithm;

/// Makes signatures with one key. Implement it for a key that lives elsewhere: in a key management service, a vault or a security module.
///
/// `portcullis_issuer::SigningKey` implements it for keys in memory, and `portcullis_nats::nkey::KeyPair` for nkeys.
///
/// ```
/// use std::sync::Arc;
///
/// use portcullis_core::Algorithm;
/// use portcullis_core::signing::{SignError, SignErrorKind, Signature, Signer, Signing};
///
/// /// A key of a key management service.
/// #[derive(Debug)]
/// struct KmsKey {
///     client: Arc<KmsClient>,
///     id: String,
/// }
///
/// impl Signer for KmsKey {
///     fn algorithm(&self) -> Algorithm {
///         Algorithm::Es256
///     }
///
///     fn key_id(&self) -> &str {
///         &self.id
///     }
///
///     fn sign(&self, input: &[u8]) -> Signing {
///         let (client, input) = (Arc::clone(&self.client), input.to_vec());
///         Signing::waiting(async move {
///             let signature = client.sign(&input).await;
///             signature.map(Signature::new).map_err(|error| SignError::new(SignErrorKind::Unavailable, "the KMS").with_source(error))
///         })
///     }
/// }
/// # #[derive(Debug)]
/// # struct KmsClient;
/// # impl KmsClient {
/// #     async fn sign(&self, _: &[u8]) -> Result<Vec<u8>, std::io::Error> { Ok(vec![]) }
/// # }
/// ```
pub trait Signer: fmt::Debug + Send + Sync + 'static {
    /// Returns the algorithm of its signatures.
    fn algorithm(&self) -> Algorithm;

    /// Returns the id under which the key is published. Both sides find it by the id, so it must be unique in the key set: the key's
    /// thumbprint (RFC 7638) is.
    fn key_id(&self) -> &str;

    /// Signs these bytes, in the form that RFC 7518 section 3 prescribes. For ECDSA, that is the two numbers one after the other, each as
    /// long as the curve, and not the DER form that many services answer with.
    fn sign(&self, input: &[u8]) -> Signing;
}

impl<T: Signer + ?Sized> Signer for Arc<T> {
    fn algorithm(&self) -> Algorithm {
        (**self).algorithm()
    }

    fn key_id(&self) -> &str {
        (**self).key_id()
    }

    fn sign(&self, input: &[u8]) -> Signing {
        (**self).sign(input)
    }
}

/// A signature that is available, or that takes time. Await it in either case.
#[non_exhaustive]
#[must_use = "a signature is made only if it is awaited"]
pub enum Signing {
    /// The signature, or why there is none.
    Done(Result<Signature, SignError>),
    /// It takes time.
    Waiting(WaitingForSignature),
}

impl Signing {
    /// Returns a signature that is the output of `future`.
    pub fn waiting(future: impl Future<Output = Result<Signature, SignError>> + Send + 'static) -> Self {
        Self::Waiting(WaitingForSignature(Box::pin(future)))
    }

    /// Returns the signature, after waiting if necessary.
    ///
    /// # Errors
    ///
    /// The signer's own.
    pub async fn outcome(self) -> Result<Signature, SignError> {
        match self {
            Self::Done(outcome) => outcome,
            Self::Waiting(waiting) => waiting.await,
        }
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(outcome) => f.debug_tuple("Done").field(outcome).finish(),
            Self::Waiting(_) => f.write_str("Waiting(..)"),
        }
    }
}

/// The future of a signature.
pub struct WaitingForSignature(Pin<Box<dyn Future<Output = Result<Signature, SignError>> + Send>>);

impl Future for WaitingForSignature {
    type Output = Result<Signature, SignError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for WaitingForSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WaitingForSignature(..)")
    }
}

/// The bytes of a signature. `Debug` does not show them: with them, a token is complete.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature(Vec<u8>);

impl Signature {
    /// Returns a signature of these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({} bytes)", self.0.len())
    }
}
