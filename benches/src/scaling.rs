//! How much more two threads get done than one.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use crate::{median, pin};

/// The clock is read once for so many iterations.
const BATCH: u64 = 64;

/// Something that two threads can do side by side.
pub struct Work {
    /// What the table calls it.
    pub name: &'static str,
    /// An iteration, for either thread.
    threads: [Box<dyn FnMut() + Send>; 2],
}

/// What came of it: medians over the rounds.
pub struct Scaling {
    /// Nanoseconds per iteration of one thread alone: of either, on average, as below.
    pub ns: f64,
    /// Iterations per second of one thread alone.
    pub one: f64,
    /// Iterations per second of both together.
    pub two: f64,
    /// The second over the first, compared within each round.
    pub ratio: f64,
}

impl Work {
    /// `make` prepares the iteration of one thread, given its number.
    pub fn new<F: FnMut() + Send + 'static>(name: &'static str, make: impl Fn(usize) -> F) -> Self {
        let thread = |number| -> Box<dyn FnMut() + Send> {
            let mut iteration = Apart(make(number));
            Box::new(move || iteration.run())
        };
        Self { name, threads: [thread(0), thread(1)] }
    }

    /// `iterations` on each thread, one after the other.
    pub fn warm_up(&mut self, iterations: usize) {
        for thread in &mut self.threads {
            (0..iterations).for_each(|_| thread());
        }
    }
}

/// Alone in its cache lines: what one thread counts in its iteration must not slow down the other.
#[repr(align(128))]
struct Apart<F>(F);

impl<F: FnMut()> Apart<F> {
    fn run(&mut self) {
        (self.0)();
    }
}

/// Runs every work on one thread and then on two, in turns, each for `slice` in each of `rounds` rounds.
pub fn scaling(works: &mut [Work], rounds: usize, slice: Duration) -> Vec<Scaling> {
    let mut samples = vec![(Vec::new(), Vec::new()); works.len()];
    for _ in 0..rounds {
        for (work, (one, two)) in works.iter_mut().zip(&mut samples) {
            // each alone, because neither their processors nor their memory need be equally fast
            let alone = [0, 1].map(|thread| rate(&mut work.threads, &[thread], slice));
            one.push((alone[0] + alone[1]) / 2.0);
            two.push(rate(&mut work.threads, &[0, 1], slice));
        }
    }
    samples.into_iter().map(|(one, two)| Scaling::new(one, two)).collect()
}

impl Scaling {
    fn new(one: Vec<f64>, two: Vec<f64>) -> Self {
        let ratio = median(one.iter().zip(&two).map(|(one, two)| two / one).collect());
        let (one, two) = (median(one), median(two));
        Self { ns: 1e9 / one, one, two, ratio }
    }
}

/// Iterations per second of the `chosen` threads together, started at the same moment.
fn rate(threads: &mut [Box<dyn FnMut() + Send>; 2], chosen: &[usize], slice: Duration) -> f64 {
    let start = Barrier::new(chosen.len());
    thread::scope(|scope| {
        let running: Vec<_> = threads
            .iter_mut()
            .enumerate()
            .filter(|(processor, _)| chosen.contains(processor))
            .map(|(processor, run)| {
                let start = &start;
                scope.spawn(move || {
                    pin(processor);
                    start.wait();
                    repeat(run, slice)
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("a thread that ends")).sum()
    })
}

fn repeat(run: &mut dyn FnMut(), slice: Duration) -> f64 {
    let (start, mut iterations) = (Instant::now(), 0);
    loop {
        (0..BATCH).for_each(|_| run());
        iterations += BATCH;
        let elapsed = start.elapsed();
        if elapsed >= slice {
            return iterations as f64 / elapsed.as_secs_f64();
        }
    }
}
