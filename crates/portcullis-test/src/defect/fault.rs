//! [`Fault`]: the stage at which a defect is put into a token.

use crate::token::stages::{Draft, Encoded, Signed, Texts};

/// The change, and its stage. Everything after it is done correctly, including the signature.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// Changes members of header or claims, or the signer.
    Draft(fn(&mut Draft)),
    /// Changes the JSON text.
    Texts(fn(&mut Texts)),
    /// Changes the encoded text, which is signed afterwards.
    Encoded(fn(&mut Encoded)),
    /// Changes anything after signing.
    Signed(fn(&mut Signed)),
    /// Changes the compact token.
    Token(fn(&mut String)),
}
