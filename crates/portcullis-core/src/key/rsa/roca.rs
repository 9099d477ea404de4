//! Detects RSA keys made by a broken library in smart cards and security chips (ROCA, CVE-2017-15361).
//!
//! The primes of such keys have the form `k * M + (65537^a mod M)`, where `M` is the product of the first primes: 126 of them for keys of
//! 2048 bits, more for longer ones. So the modulus is a power of 65537 modulo each of those primes, which has a chance of one in 2^167
//! for any other key. Published with the attack: Nemec, Sys, Svenda, Klinec, Matyas, "The Return of Coppersmith's Attack", CCS 2017.

/// Whether the big-endian modulus has this form.
pub(super) fn is_suspect(modulus: &[u8]) -> bool {
    odd_primes().all(|prime| is_power_of_65537(remainder(modulus, prime), prime))
}

/// Returns the odd ones among the first 126 primes.
fn odd_primes() -> impl Iterator<Item = u32> {
    const LAST: u32 = 701;
    (3..=LAST).step_by(2).filter(|&number| (3..number).take_while(|d| d * d <= number).all(|d| number % d != 0))
}

fn remainder(modulus: &[u8], prime: u32) -> u32 {
    modulus.iter().fold(0, |rest, &byte| (rest * 256 + u32::from(byte)) % prime)
}

/// Walks the powers of 65537 modulo the prime until they return to 1.
fn is_power_of_65537(number: u32, prime: u32) -> bool {
    let mut power = 1;
    loop {
        if power == number {
            return true;
        }
        power = power * 65537 % prime;
        if power == 1 {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_126_primes_with_2() {
        assert_eq!(odd_primes().count(), 125);
    }

    #[test]
    fn the_smallest_number_without_the_mark_is_found() {
        // 1 and 65537 are powers of 65537 modulo everything, 2 is not: modulo 11 they are 1 and 10.
        assert!(is_suspect(&[1]));
        assert!(is_suspect(&[1, 0, 1]));
        assert!(!is_suspect(&[2]));
    }
}
