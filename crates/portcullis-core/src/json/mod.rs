//! Strict JSON for untrusted input: objects only, no repeated members, bounded nesting.
//!
//! `serde_json` checks the grammar, UTF-8 and numbers. This module closes the gaps that it leaves, which two parsers in one system may
//! treat differently (RFC 8725 section 2.4, RFC 7519 section 4):
//!
//! - A struct may be read from a JSON *array* by position: only visitors that accept nothing but an object are used.
//! - A repeated member may win first or last: [`MemberNames`] refuses it, at every level, even in parts that are not used.
//! - `serde_json` gives two member names a special meaning (those of its private number and raw value types), so a member of some object
//!   may turn into something else: these names are refused. (With its feature `arbitrary_precision` it passes numbers under one of them;
//!   that name is not part of the text.)
//! - Nesting is limited only by the stack: [`MAX_DEPTH`] is far below.

mod kind;
mod loose;
mod members;
mod scan;
mod subtree;
mod text;
mod text_at;
mod tree;

pub(crate) use kind::Kind;
pub(crate) use loose::{Loose, LooseSeed};
pub(crate) use members::{MemberName, MemberNames};
pub(crate) use scan::Scan;
pub(crate) use subtree::subtree;
pub(crate) use text::{Source, Text, TextSeed};
pub(crate) use text_at::text_at;
pub(crate) use tree::tree;

/// The maximum nesting of objects and arrays, including the outermost one.
///
/// Identity providers nest three or four levels (`resource_access.<client>.roles`); 32 leaves room for any real
/// claims object and keeps the walk within a few KiB of stack.
pub(crate) const MAX_DEPTH: usize = 32;

/// The messages for texts that break one of the rules above.
const TOO_DEEP: &str = "it nests too deep: 32 levels are the limit";
const TWICE: &str = "an object in it has a member twice";
const RESERVED: &str = "a member in it has a name that serde_json keeps to itself";

/// Returns which of the rules above an error of reading is about; `None` if it is about another one.
pub(crate) fn violation_in(error: &impl std::fmt::Display) -> Option<&'static str> {
    let message = error.to_string();
    [TOO_DEEP, TWICE, RESERVED].into_iter().find(|rule| message.starts_with(rule))
}
