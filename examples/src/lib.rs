//! Holds nothing: each example is a file or a folder beside this one.
