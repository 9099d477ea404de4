//! NATS subjects, which are the topics of messages, and patterns of them. (The claim `sub` is another subject.)

mod subject_pattern;

pub use subject_pattern::{covers, is_well_formed};
