//! What is shared between threads can be, and handles are small.

use std::mem::size_of;

use portcullis_core::{
    Admission, AuthError, ConfigError, KeyRing, KeySet, Secret, TrustedIssuer, Verified,
    authenticator::Attempt,
    keys::VerifyingKey,
    verified::{AnyVerified, Facts},
};

#[test]
fn everything_can_be_sent_and_shared() {
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
    shared::<TrustedIssuer>();
    shared::<Verified<String>>();
    shared::<VerifyingKey>();
    sent::<Attempt<Verified>>();
}

#[test]
fn what_is_passed_around_is_small() {
    assert_eq!(size_of::<Verified>(), size_of::<usize>());
    assert_eq!(size_of::<AnyVerified>(), 2 * size_of::<usize>());
    assert!(size_of::<AuthError>() <= 2 * size_of::<usize>());
}
