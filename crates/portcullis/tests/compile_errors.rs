//! What the compiler says to mistakes that people make, and what must not compile at all.
//!
//! The texts are those of the toolchain that CI has; `TRYBUILD=overwrite cargo test` renews them.

#[test]
fn mistakes_are_answered_with_what_to_do() {
    trybuild::TestCases::new().compile_fail("tests/compile_errors/*.rs");
}
