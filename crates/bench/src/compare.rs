//! Regression: a result against a stored one.
//!
//! Every figure that should go one way is judged by its median; tails of latencies are not, since
//! one bad moment of the machine decides them, and neither is the part of the ceiling, since the
//! ceiling moves more than what is under it. The machine's mood moves everything by some per
//! cent, so what is judged should be the median of several runs.

use crate::figures::{Better, Metric};
use crate::results::Results;
use std::fmt::Write;

/// What a comparison found.
pub struct Comparison {
    /// A line for each figure that both have.
    pub text: String,
    /// How many are worse than allowed.
    pub worse: usize,
}

/// Compares with a stored result; `tolerance` is the part that a figure may be worse, such as 0.2.
#[must_use]
pub fn compare(now: &Results, stored: &Results, tolerance: f64) -> Comparison {
    let mut text = String::new();
    let mut worse = 0;
    for case in &now.cases {
        let Some(before) = stored.cases.iter().find(|before| before.name == case.name) else {
            continue;
        };
        for metric in Metric::ALL {
            let (Some(new), Some(old)) = (
                case.figures.get(metric.key()),
                before.figures.get(metric.key()),
            ) else {
                continue;
            };
            let Some(ratio) = ratio(metric.better(), new.median, old.median) else {
                continue;
            };
            let is_worse = ratio < 1.0 - tolerance;
            worse += usize::from(is_worse);
            let mark = if is_worse { "WORSE" } else { "" };
            let digits = metric.digits();
            // Writing into a string cannot fail.
            let _ = writeln!(
                text,
                "{:<18} {:<26} {:>14.digits$} was {:>14.digits$}  x{ratio:.2} {mark}",
                case.name,
                metric.title(),
                new.median,
                old.median,
            );
        }
    }
    Comparison { text, worse }
}

/// How many times better, `None` where nothing can be said.
fn ratio(better: Better, new: f64, old: f64) -> Option<f64> {
    let (above, below) = match better {
        Better::Higher => (new, old),
        Better::Lower => (old, new),
        Better::Neither => return None,
    };
    (above > 0.0 && below > 0.0).then(|| above / below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Figures;
    use crate::results::Collected;

    fn results(accepted: f64, cpu: f64, p99: f64) -> Results {
        let mut figures = Figures::default();
        figures.put(Metric::Accepted, accepted);
        figures.put(Metric::CpuPerMessage, cpu);
        figures.put(Metric::AcceptP99, p99);
        let mut collected = Collected::default();
        collected.add("64 connections", figures);
        collected.results("singles")
    }

    #[test]
    fn what_is_worse_than_the_tolerance_is_counted() {
        let stored = results(1000.0, 50.0, 1.0);
        assert_eq!(compare(&results(810.0, 60.0, 9.0), &stored, 0.2).worse, 0);
        assert_eq!(compare(&results(790.0, 50.0, 1.0), &stored, 0.2).worse, 1);
        let both = compare(&results(790.0, 70.0, 1.0), &stored, 0.2);
        assert_eq!(both.worse, 2);
        assert!(both.text.contains("x0.79 WORSE"), "{}", both.text);
    }

    #[test]
    fn what_only_one_has_is_passed_over() {
        let mut stored = results(1000.0, 50.0, 1.0);
        stored.cases[0].name = "1 connection".into();
        assert_eq!(compare(&results(1.0, 1.0, 1.0), &stored, 0.2).worse, 0);
    }
}
