#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::{Code, CodeKind};
use crate::refresh::{FamilyId, RefreshKeys, Share};

fn keys() -> RefreshKeys {
    RefreshKeys::new(1, [1; 32]).unwrap()
}

fn sealed() -> String {
    let code = Code { session: FamilyId::from_bytes([7; 16]), share: Share::new([8; 16]) };
    code.seal(CodeKind::AUTHORIZATION, keys().current()).to_string()
}

#[test]
fn a_code_says_what_it_was_made_of() {
    let text = sealed();
    let code = Code::open(CodeKind::AUTHORIZATION, &text, &keys()).unwrap();
    assert_eq!((code.session, code.share.as_bytes()), (FamilyId::from_bytes([7; 16]), &[8; 16]));
    assert!(text.starts_with("pac_") && text.len() == 71);
}

#[test]
fn any_other_text_is_no_code() {
    let text = sealed();
    for at in 0..text.len() {
        let mut other = text.clone().into_bytes();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        assert!(
            Code::open(CodeKind::AUTHORIZATION, str::from_utf8(&other).unwrap(), &keys()).is_none(),
            "changed at {at}"
        );
    }
    for other in ["", "pac_", &text[4..], &format!("{text}A"), &format!("{text}="), &text.replace("pac_", "prt_")] {
        assert!(Code::open(CodeKind::AUTHORIZATION, other, &keys()).is_none(), "{other}");
    }
    assert!(
        Code::open(CodeKind::AUTHORIZATION, &text, &RefreshKeys::new(1, [2; 32]).unwrap()).is_none(),
        "another issuer's key"
    );
    assert!(
        Code::open(CodeKind::AUTHORIZATION, &text, &RefreshKeys::new(2, [1; 32]).unwrap()).is_none(),
        "a key of another number"
    );
}

#[test]
fn a_code_of_a_device_is_no_authorization_code() {
    let code = Code { session: FamilyId::from_bytes([7; 16]), share: Share::new([8; 16]) };
    let text = code.seal(CodeKind::DEVICE, keys().current()).to_string();
    assert!(Code::open(CodeKind::DEVICE, &text, &keys()).is_some());
    assert!(Code::open(CodeKind::AUTHORIZATION, &text.replace("pdc_", "pac_"), &keys()).is_none());
    assert!(Code::open(CodeKind::DEVICE, &sealed().replace("pac_", "pdc_"), &keys()).is_none());
}
