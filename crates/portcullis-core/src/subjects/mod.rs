//! NATS subjects and patterns of them: [`SubjectPattern`].
//!
//! A NATS subject is the topic of a message, not the claim `sub`. It consists of words separated by dots: `orders.new`.
//!
//! # Rules
//!
//! 1. A word is not empty, and contains neither white space nor control characters. Words are compared byte by byte, so case matters.
//! 2. The word `*` stands for exactly one word, whatever it is.
//! 3. The word `>` stands for one or more words. It can only be the last one.
//! 4. Within a longer word, `*` and `>` are ordinary characters: `a*` stands for itself alone.
//!
//! These are the rules of nats-server since 2.10.27, with one exception: it accepts white space that is not ASCII in a word.
//!
//! ```
//! use portcullis_core::subjects::{SubjectErrorKind, SubjectPattern};
//!
//! let allowed: SubjectPattern = "orders.*.read".parse()?;
//! let denied: SubjectPattern = "orders.secret.>".parse()?;
//!
//! // accepted
//! assert!(allowed.covers(&SubjectPattern::parse("orders.7.read")?));
//! assert!(denied.overlaps(&allowed)); // both stand for `orders.secret.read`
//!
//! // refused
//! assert!(!allowed.covers(&SubjectPattern::parse("orders.7.read.all")?));
//! assert!(!allowed.covers(&SubjectPattern::parse("orders.>")?)); // which also stands for `orders.7.write`
//! assert_eq!(SubjectPattern::parse("orders..read").map_err(|error| error.kind()), Err(SubjectErrorKind::EmptyWord));
//! # Ok::<(), portcullis_core::subjects::SubjectError>(())
//! ```

mod subject_error;
mod subject_pattern;

pub use subject_error::{SubjectError, SubjectErrorKind};
pub use subject_pattern::SubjectPattern;
