//! Tests rules that no other test would notice being weakened. See `cargo xtask weaken`.

use portcullis_core::{
    UnixTime,
    keys::{KeyErrorKind, KeyState, VerifyingKey},
    verified::{Conventions, Facts},
};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

#[test]
fn only_a_whole_scope_is_granted() {
    let facts = Facts::assertion(r#"{"scope":"orders:read bills"}"#, Conventions::new("https://issuer.test")).unwrap();
    assert!(facts.scopes().contains("orders:read") && facts.scopes().contains("bills"));
    for other in ["orders", "orders:", "orders:read:all", "read", "orders:read bills", "bill", ""] {
        assert!(!facts.scopes().contains(other), "{other}");
    }
}

#[test]
fn a_revoked_key_never_verifies() {
    for now in [UnixTime::EPOCH, NOW, UnixTime::MAX] {
        assert!(KeyState::Active.verifies(now) && KeyState::Standby.verifies(now));
        assert!(!KeyState::Revoked.verifies(now));
    }
}

#[test]
fn a_compressed_point_is_refused_as_a_key() {
    for pem in [
        "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgADN5JNZRMrwuvLyDy4H7ob2quJubwRenJoz2hYXdx2hm0=",
        "MEYwEAYHKoZIzj0CAQYFK4EEACIDMgADWDcvEAozjagTXz4fEfoLc13PaQrj0PddVnkcO3+9wCDJbctozJIynzEiowZuMT5s",
    ] {
        let error = VerifyingKey::from_pem(&format!("-----BEGIN PUBLIC KEY-----\n{pem}\n-----END PUBLIC KEY-----\n"));
        let error = error.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::Invalid);
        assert!(error.to_string().contains("uncompressed"), "{error}");
    }
}
