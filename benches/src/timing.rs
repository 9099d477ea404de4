//! How contenders are timed: in turns, so that a machine whose speed drifts is unfair to none of them.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Something to be timed.
pub struct Contender<'a> {
    /// What the table calls it.
    pub name: &'static str,
    /// One iteration.
    pub run: Box<dyn FnMut() + 'a>,
}

impl<'a> Contender<'a> {
    /// A contender whose result is kept from being optimised away.
    pub fn new<T>(name: &'static str, mut run: impl FnMut() -> T + 'a) -> Self {
        Self { name, run: Box::new(move || drop(black_box(run()))) }
    }
}

/// Nanoseconds per iteration, for each contender in each round.
pub struct Samples(Vec<Vec<f64>>);

impl Samples {
    /// The median time of one contender.
    pub fn ns(&self, contender: usize) -> f64 {
        median(self.0[contender].clone())
    }

    /// How much longer than `base` a contender takes: the median of the differences within each round, which drift
    /// between rounds leaves alone.
    pub fn over(&self, contender: usize, base: usize) -> f64 {
        median(self.0[contender].iter().zip(&self.0[base]).map(|(time, base)| time - base).collect())
    }
}

/// Times the contenders over `rounds` rounds, in each of which every one of them runs for about `slice`.
pub fn measure(contenders: &mut [Contender<'_>], rounds: usize, slice: Duration) -> Samples {
    let iterations: Vec<u32> = contenders.iter_mut().map(|contender| calibrate(contender, slice)).collect();
    let mut samples = vec![Vec::with_capacity(rounds); contenders.len()];
    for _ in 0..rounds {
        for (at, contender) in contenders.iter_mut().enumerate() {
            samples[at].push(time(contender, iterations[at]));
        }
    }
    Samples(samples)
}

/// The middle one.
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn calibrate(contender: &mut Contender<'_>, slice: Duration) -> u32 {
    time(contender, 100);
    let one = time(contender, 200).max(1.0);
    (slice.as_nanos() as f64 / one).clamp(50.0, 1e7) as u32
}

fn time(contender: &mut Contender<'_>, iterations: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..iterations {
        (contender.run)();
    }
    start.elapsed().as_nanos() as f64 / f64::from(iterations)
}
