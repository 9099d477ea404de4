//! Made-up tokens, and the orders in which they come.

/// Of a token with a handful of claims, signed with RSA.
const LENGTH: usize = 600;

/// Prime, and prime to every number of tokens here: steps of this length visit all of them.
const STRIDE: usize = 7919;

/// Tokens in one piece of memory, one behind the other: reading them in order costs little, as reading from a buffer
/// that the socket has just filled.
#[derive(Clone)]
pub struct Tokens(Vec<u8>);

impl Tokens {
    /// `count` tokens, with numbers from `first` on.
    pub fn new(first: usize, count: usize) -> Self {
        Self((first..first + count).flat_map(token).collect())
    }

    pub fn len(&self) -> usize {
        self.0.len() / LENGTH
    }

    pub fn get(&self, at: usize) -> &[u8] {
        &self.0[at * LENGTH..][..LENGTH]
    }

    /// All of them, in their own order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.chunks_exact(LENGTH)
    }

    /// Those that `keep` says yes to.
    pub fn only(&self, keep: impl Fn(&[u8]) -> bool) -> Self {
        Self(self.iter().filter(|token| keep(token)).flatten().copied().collect())
    }

    /// All of them, in an order that scatters neighbours.
    pub fn scattered(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|at| self.get(at * STRIDE % self.len()))
    }
}

/// Tokens of one issuer begin alike and differ from the claims on.
fn token(number: usize) -> Vec<u8> {
    let mut random = Random(number as u64 + 1);
    let mut token = vec![b'a'; 120];
    token.extend((120..LENGTH).map(|_| b'A' + (random.next() % 26) as u8));
    token
}

/// SplitMix64: the same numbers in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Between 0 and 1.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Zipf's law with exponent 1: the second comes half as often as the first, the third a third as often.
pub struct Zipf {
    cumulated: Vec<f64>,
    random: Random,
}

impl Zipf {
    pub fn new(count: usize) -> Self {
        let weights = (1..=count).scan(0.0, |sum, rank| {
            *sum += 1.0 / rank as f64;
            Some(*sum)
        });
        Self { cumulated: weights.collect(), random: Random(42) }
    }

    pub fn next(&mut self) -> usize {
        let total = self.cumulated.last().copied().unwrap_or_default();
        let point = self.random.fraction() * total;
        self.cumulated.partition_point(|sum| *sum < point)
    }
}
