use super::*;
use crate::key::testing;

fn modulus() -> Vec<u8> {
    pkcs1::RsaPublicKeyRef::try_from(testing::rsa().raw()).unwrap().modulus.as_bytes().to_vec()
}

fn refusal(n: &[u8], e: &[u8]) -> KeyErrorKind {
    prepare(n, e, AlgorithmSet::ALL).err().unwrap().kind()
}

const F4: &[u8] = &[1, 0, 1];

/// Returns an odd number with this many bits, which is all that can be checked of a modulus.
fn odd(bits: usize) -> Vec<u8> {
    let mut number = vec![0x5a; bits.div_ceil(8)];
    let top = (bits - 1) % 8;
    number[0] = 1 << top;
    *number.last_mut().unwrap() |= 1;
    number
}

#[test]
fn a_modulus_has_2048_to_8192_bits() {
    for bits in [2048, 2049, 3072, 8192] {
        assert!(prepare(&odd(bits), F4, AlgorithmSet::ALL).is_ok(), "{bits}");
    }
    for bits in [512, 1024, 2047] {
        assert_eq!(refusal(&odd(bits), F4), KeyErrorKind::Weak, "{bits}");
    }
    assert_eq!(refusal(&odd(8193), F4), KeyErrorKind::Unsupported);
    assert_eq!(refusal(b"", F4), KeyErrorKind::Weak);
    assert_eq!(refusal(&[0; 256], F4), KeyErrorKind::Weak);
}

#[test]
fn leading_zero_bytes_change_nothing() {
    let padded = [&[0, 0], &*modulus()].concat();
    assert!(prepare(&padded, &[0, 1, 0, 1], AlgorithmSet::ALL).is_ok());
    // Zeros do not make a short modulus long.
    assert_eq!(refusal(&[&[0; 128], &*odd(1024)].concat(), F4), KeyErrorKind::Weak);
}

#[test]
fn an_even_modulus_is_refused() {
    let mut even = modulus();
    *even.last_mut().unwrap() &= 0xfe;
    assert_eq!(refusal(&even, F4), KeyErrorKind::Invalid);
}

#[test]
fn an_exponent_is_odd_and_from_3_to_33_bits() {
    let n = modulus();
    for good in [&[3][..], &[17], F4, &[1, 0, 0, 0, 1]] {
        assert!(prepare(&n, good, AlgorithmSet::ALL).is_ok(), "{good:?}");
    }
    for (bad, kind) in [
        (&b""[..], KeyErrorKind::Weak),
        (&[0], KeyErrorKind::Weak),
        (&[1], KeyErrorKind::Weak),
        (&[0, 1], KeyErrorKind::Weak),
        (&[2], KeyErrorKind::Weak),
        (&[4], KeyErrorKind::Invalid),
        (&[1, 0, 0], KeyErrorKind::Invalid),
        (&[2, 0, 0, 0, 1], KeyErrorKind::Unsupported),
    ] {
        assert_eq!(refusal(&n, bad), kind, "{bad:?}");
    }
}

#[test]
fn only_the_algorithms_wanted_are_prepared() {
    let key = prepare(&modulus(), F4, AlgorithmSet::of(&[Algorithm::Ps256, Algorithm::Es256])).ok().unwrap();
    assert_eq!(key.algorithms(), Algorithm::Ps256.into());
    assert!(prepare(&modulus(), F4, Algorithm::Es256.into()).is_err());
}

#[test]
fn the_mark_of_the_broken_generator_is_refused() {
    // A power of 65537 is also one modulo every prime.
    let mut marked = vec![1_u8];
    while marked.len() < 257 {
        marked = times_65537(&marked);
    }
    assert_eq!(refusal(&marked, F4), KeyErrorKind::Weak);
    assert!(prepare(&modulus(), F4, AlgorithmSet::ALL).is_ok());
}

/// Returns `n * 2^16 + n`, big-endian.
fn times_65537(n: &[u8]) -> Vec<u8> {
    let shifted = [n, &[0, 0]].concat();
    let mut sum = vec![0; shifted.len() + 1];
    let mut carry = 0;
    for at in 0..sum.len() {
        let digit = |number: &[u8]| number.len().checked_sub(at + 1).map_or(0, |index| u32::from(number[index]));
        carry += digit(&shifted) + digit(n);
        let index = sum.len() - 1 - at;
        sum[index] = u8::try_from(carry % 256).unwrap();
        carry /= 256;
    }
    sum.into_iter().skip_while(|&byte| byte == 0).collect()
}
