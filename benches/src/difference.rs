//! Whether two kinds of calls can be told apart by the time that they take.

use crate::median;

/// How two sets of times differ. The slowest twentieth of both is left out: there, the machine did something else.
pub struct Difference {
    /// The median of each.
    pub medians: [f64; 2],
    /// Welch's t: the difference of the means, in standard errors. Beyond 4.5 either way, they can be told apart with as many times.
    pub t: f64,
}

impl Difference {
    /// Compares two sets of times, of at least 40 each.
    pub fn between(one: Vec<f64>, other: Vec<f64>) -> Self {
        let mut all: Vec<f64> = one.iter().chain(&other).copied().collect();
        all.sort_by(f64::total_cmp);
        let slowest = all[all.len() * 19 / 20];
        let kept = |times: &[f64]| -> Vec<f64> { times.iter().copied().filter(|time| *time <= slowest).collect() };
        let t = welch(&kept(&one), &kept(&other));
        Self { medians: [median(one), median(other)], t }
    }
}

/// Returns Welch's t.
fn welch(one: &[f64], other: &[f64]) -> f64 {
    let [(mean, error), (other_mean, other_error)] = [one, other].map(mean_and_error);
    let spread = (error + other_error).sqrt();
    if spread > 0.0 { (mean - other_mean) / spread } else { 0.0 }
}

/// Returns the mean, and the square of its standard error.
fn mean_and_error(times: &[f64]) -> (f64, f64) {
    let count = times.len() as f64;
    let mean = times.iter().sum::<f64>() / count;
    let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, variance / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_is_that_of_a_worked_example() {
        // Means 20.61 and 22.19, variances 9.041 and 1.021 (divided by n - 1), ten each.
        let one = [17.2, 20.9, 22.6, 18.1, 21.7, 21.4, 23.5, 24.2, 14.7, 21.8];
        let other = [21.5, 22.8, 21.0, 23.0, 21.6, 23.6, 22.5, 20.7, 23.4, 21.8];
        assert!((welch(&one, &other) - -1.5751).abs() < 0.001, "{}", welch(&one, &other));
        assert!(welch(&one, &one).abs() < f64::EPSILON);
    }

    #[test]
    fn a_few_slow_calls_do_not_hide_a_difference() {
        let times = |fast: f64| (0..1_000).map(move |at| if at % 50 == 0 { 1e6 } else { fast + f64::from(at % 7) });
        let Difference { medians, t } = Difference::between(times(100.0).collect(), times(101.0).collect());
        assert!(t < -4.5 && medians[0] < medians[1], "{t}");
        assert!(Difference::between(times(100.0).collect(), times(100.0).collect()).t.abs() < 1.0);
    }
}
