//! Tests the compiler's messages for common mistakes, and that forbidden code does not compile.
//!
//! The expected texts are those of the toolchain in CI. `TRYBUILD=overwrite cargo test` updates them.

#[test]
fn compile_errors_say_what_to_do() {
    trybuild::TestCases::new().compile_fail("tests/compile_errors/*.rs");
}
