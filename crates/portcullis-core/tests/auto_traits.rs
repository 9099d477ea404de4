//! Tests that types are `Send` and `Sync`, and that handles are small.

use std::mem::size_of;

use portcullis_core::{
    Admission, AuthError, ConfigError, KeyRing, KeySet, Secret, TrustedIssuer, Verified,
    authenticator::Attempt,
    keys::VerifyingKey,
    subjects::{SubjectError, SubjectPattern},
    verified::{AnyVerified, Facts},
};

#[test]
fn public_types_are_send_and_sync() {
    fn shared<T: Send + Sync + 'static>() {}
    fn sent<T: Send + 'static>() {}
    shared::<AnyVerified>();
    shared::<AuthError>();
    shared::<ConfigError>();
    shared::<Facts>();
    shared::<Admission>();
    shared::<KeyRing>();
    shared::<KeySet>();
    shared::<Secret>();
    shared::<SubjectError>();
    shared::<SubjectPattern>();
    shared::<TrustedIssuer>();
    shared::<Verified<String>>();
    shared::<VerifyingKey>();
    sent::<Attempt<Verified>>();
}

#[test]
fn types_that_are_moved_often_are_small() {
    assert_eq!(size_of::<Verified>(), size_of::<usize>());
    assert_eq!(size_of::<AnyVerified>(), 2 * size_of::<usize>());
    assert!(size_of::<AuthError>() <= 2 * size_of::<usize>());
}
