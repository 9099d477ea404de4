//! Where in the making of a token a fault sets in.

use crate::token::stages::{Draft, Encoded, Signed, Texts};

/// What to spoil, and at which stage. All that comes after is done right, the signature included.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// Members of header or claims, or who signs.
    Draft(fn(&mut Draft)),
    /// The JSON text.
    Texts(fn(&mut Texts)),
    /// The encoded text; the signature is over it as it is then.
    Encoded(fn(&mut Encoded)),
    /// Anything, now that the signature is made.
    Signed(fn(&mut Signed)),
    /// The compact token.
    Token(fn(&mut String)),
}
