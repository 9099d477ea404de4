//! Strict JSON for what crosses the wire: objects only, no member twice, bounded nesting.
//!
//! `serde_json` checks the grammar, UTF-8 and numbers. What it leaves open, and what two parsers in one system may
//! therefore read differently, is closed here (RFC 8725 section 2.4, RFC 7519 section 4):
//!
//! - a struct may be read from a JSON *array* by position: only visitors that accept nothing but an object
//!   are used;
//! - a repeated member may win first or last: [`MemberNames`] refuses it, at every level, also in parts that nobody
//!   reads;
//! - `serde_json` gives two member names a meaning of their own (those of its private number and raw value types),
//!   so that a member of some object may turn into something else: they are refused. (With its feature
//!   `arbitrary_precision` it hands numbers over under one of them; that name is not part of the text.);
//! - nesting is limited by the stack alone: [`MAX_DEPTH`] is far below.

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

/// How deep objects and arrays may nest, the outermost counted.
///
/// Identity providers nest three or four levels (`resource_access.<client>.roles`); 32 leaves room for any real
/// claims object and keeps the walk within a few KiB of stack.
pub(crate) const MAX_DEPTH: usize = 32;

/// What is said of a text that breaks one of the rules above.
const TOO_DEEP: &str = "it nests too deep: 32 levels are the limit";
const TWICE: &str = "an object in it has a member twice";
const RESERVED: &str = "a member in it has a name that serde_json keeps to itself";

/// Which of the rules above an error of reading is about; `None` if it is about another one.
pub(crate) fn violation_in(error: &impl std::fmt::Display) -> Option<&'static str> {
    let message = error.to_string();
    [TOO_DEEP, TWICE, RESERVED].into_iter().find(|rule| message.starts_with(rule))
}
