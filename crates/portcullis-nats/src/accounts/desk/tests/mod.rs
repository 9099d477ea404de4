//! Tests of the desk, under virtual time.

mod flights;
mod floors;
mod freshness;
mod scene;
mod staples;
mod updates;
