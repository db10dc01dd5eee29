//! The figures of a run, and what several runs of one case say together.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Microseconds of a set of latencies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// How many there were.
    pub count: u64,
    /// Half are below.
    pub p50: f64,
    /// 99 of 100 are below.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

impl Latency {
    /// The percentiles (nearest rank) of some microseconds; zeros for none.
    #[must_use]
    pub fn of(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        let rank = |hundredths: usize| {
            let at = (micros.len() * hundredths).div_ceil(100).max(1) - 1;
            f64::from(micros.get(at).copied().unwrap_or(0))
        };
        Self {
            count: micros.len() as u64,
            p50: rank(50),
            p99: rank(99),
            max: rank(100),
        }
    }

    /// From one set of instants to another, where both are known (not 0).
    #[must_use]
    pub fn between(from: &[u64], to: &[u64]) -> Self {
        let both = from
            .iter()
            .zip(to)
            .filter(|(from, to)| **from > 0 && **to > 0);
        let micros =
            both.map(|(from, to)| u32::try_from(to.saturating_sub(*from)).unwrap_or(u32::MAX));
        Self::of(micros.collect())
    }
}

/// Which way a figure should go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// It only explains the others.
    Neither,
}

macro_rules! metrics {
    ($($name:ident, $key:literal, $title:literal, $digits:literal, $better:ident;)*) => {
        /// What is measured. The order is that of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Metric {
            $(#[doc = $title] $name,)*
        }

        impl Metric {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in JSON.
            #[must_use]
            pub const fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }

            /// Its name in the table, with its unit.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// Digits after the point.
            #[must_use]
            pub const fn digits(self) -> usize {
                match self { $(Self::$name => $digits,)* }
            }

            /// Which way it should go.
            #[must_use]
            pub const fn better(self) -> Better {
                match self { $(Self::$name => Better::$better,)* }
            }
        }
    };
}

metrics! {
    Messages, "messages", "messages", 0, Neither;
    Accepted, "accepted_per_second", "accepted /s", 0, Higher;
    Submitted, "submitted_per_second", "submitted /s", 0, Higher;
    Receipted, "receipts_per_second", "receipts stored /s", 0, Higher;
    AllFinal, "all_final_seconds", "all final s", 3, Lower;
    Answered, "answered_seconds", "answered s", 3, Lower;
    Imported, "imported_seconds", "imported s", 3, Lower;
    AcceptP50, "accept_p50_ms", "accept p50 ms", 2, Lower;
    AcceptP99, "accept_p99_ms", "accept p99 ms", 2, Neither;
    AcceptMax, "accept_max_ms", "accept max ms", 2, Neither;
    WireP50, "wire_p50_ms", "request to wire p50 ms", 2, Lower;
    WireP99, "wire_p99_ms", "request to wire p99 ms", 2, Neither;
    WireMax, "wire_max_ms", "request to wire max ms", 2, Neither;
    CpuPerMessage, "cpu_micros_per_message", "CPU µs/message", 1, Lower;
    CpuDatabase, "database_cpu_micros_per_message", "CPU µs/message, database", 1, Lower;
    CpuSink, "sink_cpu_micros_per_message", "CPU µs/message, sink", 1, Neither;
    CpuBusy, "processors_busy", "processors busy %", 1, Neither;
    CpuAccept, "accept_cpu_micros_per_message", "CPU µs/message, accepting", 1, Lower;
    RssIdle, "rss_idle_mib", "memory idle MiB", 1, Lower;
    RssPeak, "rss_peak_mib", "memory peak MiB", 1, Lower;
    RssSend, "rss_send_mib", "memory of peyk send MiB", 1, Lower;
    RssImport, "rss_import_mib", "memory of peyk book import MiB", 1, Lower;
    DiskPerMessage, "disk_bytes_per_message", "disk bytes/message", 1, Lower;
    WrittenPerMessage, "written_bytes_per_message", "written bytes/message", 0, Lower;
    LogPerMessage, "database_log_bytes_per_message", "log bytes/message, database", 0, Lower;
    StartUp, "start_seconds", "start to serving s", 3, Lower;
    Delivery, "delivery_seconds", "delivery of all s", 3, Lower;
    CheckP50, "checkmessage_p50_ms", "checkmessage p50 ms", 2, Lower;
    CheckP99, "checkmessage_p99_ms", "checkmessage p99 ms", 2, Neither;
    CreditP50, "credit_p50_ms", "credit p50 ms", 2, Lower;
    CreditP99, "credit_p99_ms", "credit p99 ms", 2, Neither;
    Allowed, "allowed_per_second", "allowed /s", 0, Neither;
    OfAllowed, "of_allowed", "taken of allowed %", 1, Higher;
    MostInSecond, "most_in_a_second", "most in any second", 0, Neither;
    Throttled, "throttled", "throttled answers", 0, Neither;
    Repeated, "repeated", "recipients sent twice", 0, Neither;
    CeilingSubmitted, "ceiling_submitted_per_second", "ceiling: submitted /s", 0, Neither;
    CeilingReceipted, "ceiling_receipts_per_second", "ceiling: receipted /s", 0, Neither;
    SubmittedOfCeiling, "submitted_of_ceiling", "submitted of ceiling %", 2, Neither;
    ReceiptedOfCeiling, "receipted_of_ceiling", "all final of ceiling %", 2, Neither;
    People, "people", "people", 0, Neither;
    Build, "build_seconds", "build s, people made up beside it", 1, Lower;
    BuildRss, "build_rss_peak_mib", "memory of the build MiB", 0, Lower;
    BytesPerPerson, "bytes_per_person", "disk bytes/person", 2, Lower;
    RssBefore, "rss_before_mib", "memory without a directory MiB", 1, Lower;
    RssAfter, "rss_after_mib", "memory after all counts MiB", 1, Lower;
    PostalP50, "postal_p50_ms", "postalcodecount p50 ms", 3, Lower;
    PostalP99, "postal_p99_ms", "postalcodecount p99 ms", 3, Neither;
    JobsP50, "jobs_p50_ms", "jobscount, ten trends, p50 ms", 3, Lower;
    JobsP99, "jobs_p99_ms", "jobscount, ten trends, p99 ms", 3, Neither;
    PostalInsideP50, "postal_inside_p50_ms", "postal count in process p50 ms", 4, Lower;
    PostalInsideP99, "postal_inside_p99_ms", "postal count in process p99 ms", 4, Neither;
    JobsInsideP50, "jobs_inside_p50_ms", "trends count in process p50 ms", 4, Lower;
    JobsInsideP99, "jobs_inside_p99_ms", "trends count in process p99 ms", 4, Neither;
    ReadPerSecond, "numbers_read_per_second", "numbers read in process /s", 0, Higher;
}

/// The figures of one run of one case.
#[derive(Debug, Clone, Default)]
pub struct Figures(pub BTreeMap<Metric, f64>);

impl Figures {
    /// Notes one figure.
    pub fn put(&mut self, metric: Metric, value: f64) {
        self.0.insert(metric, value);
    }

    /// Notes three latencies, given in microseconds.
    pub fn put_latency(&mut self, latency: &Latency, into: [Metric; 3]) {
        if latency.count > 0 {
            for (metric, micros) in into
                .into_iter()
                .zip([latency.p50, latency.p99, latency.max])
            {
                self.put(metric, micros / 1000.0);
            }
        }
    }
}

/// The median of several runs, with the least and the most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The middle one; of an even number the mean of the two in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// `None` of no values.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let upper = values[values.len() / 2];
        let lower = values[(values.len() - 1) / 2];
        Some(Self {
            median: f64::midpoint(lower, upper),
            min,
            max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let latency = Latency::of((1..=200).rev().collect());
        assert_eq!(
            (latency.p50, latency.p99, latency.max),
            (100.0, 198.0, 200.0)
        );
        assert_eq!(Latency::of(vec![7]).p99, 7.0);
        assert_eq!(Latency::of(Vec::new()), Latency::default());
    }

    #[test]
    fn only_known_instants_are_compared() {
        let latency = Latency::between(&[10, 0, 30, 40], &[15, 20, 0, 39]);
        assert_eq!((latency.count, latency.p50, latency.max), (2, 0.0, 5.0));
    }

    #[test]
    fn the_median_of_an_even_number_is_between() {
        let spread = Spread::of(vec![4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!((spread.min, spread.median, spread.max), (1.0, 2.5, 4.0));
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
