//! How many messages stood where, over time: what the store counts by hour, line and operator, put
//! together for charts.

use crate::App;
use crate::lines::shown;
use domain::account::Account;
use domain::ids::{LineId, OperatorId};
use domain::schedule::{tehran_day, tehran_hour};
use domain::time::UnixMillis;
use std::collections::{BTreeMap, HashMap};
use store::{Statistic, StatisticCounts, StatisticQuery, StoreError};

/// Hours of a day.
const DAY_HOURS: i64 = 24;
/// Lines or operators that a chart shows; the others are one.
const GROUPS_MAX: usize = 5;

/// The time that a chart shows; it ends with the present hour or day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Period {
    /// 24 hours, by the hour.
    #[default]
    Day,
    /// Seven days, by the day.
    Week,
    /// Thirty days, by the day.
    Month,
}

impl Period {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The word in addresses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// The period with this word; any other is a day.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        let found = Self::ALL.into_iter().find(|period| period.word() == word);
        found.unwrap_or_default()
    }

    /// Hours of one step.
    #[must_use]
    pub fn step_hours(self) -> i64 {
        match self {
            Self::Day => 1,
            Self::Week | Self::Month => DAY_HOURS,
        }
    }

    /// The first hour of each step.
    fn steps(self, now: UnixMillis) -> Vec<i64> {
        let (count, last) = match self {
            Self::Day => (24, tehran_hour(now)),
            Self::Week => (7, tehran_day(now) * DAY_HOURS),
            Self::Month => (30, tehran_day(now) * DAY_HOURS),
        };
        let step = self.step_hours();
        (0..count)
            .map(|back| last - (count - 1 - back) * step)
            .collect()
    }
}

/// What a chart shows beside each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    /// Everything as one.
    #[default]
    All,
    /// By line.
    Line,
    /// By operator.
    Operator,
}

impl Grouping {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::All, Self::Line, Self::Operator];

    /// The word in addresses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Line => "line",
            Self::Operator => "operator",
        }
    }

    /// The grouping with this word; any other is all.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        let found = Self::ALL.into_iter().find(|group| group.word() == word);
        found.unwrap_or_default()
    }
}

/// What a column of a [`TimeSeries`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    /// Everything.
    All,
    /// A line as people read it; empty where it is gone.
    Line(String),
    /// An operator.
    Operator(OperatorId),
    /// Those beyond the largest few.
    Others,
}

/// Counts over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeSeries {
    /// What each column is about, the largest first.
    pub groups: Vec<Group>,
    /// The first hour of each step, and the counts of each group in it.
    pub steps: Vec<(i64, Vec<StatisticCounts>)>,
    /// The counts of the present day in Tehran.
    pub today: StatisticCounts,
}

impl App {
    /// Counts over time, of one account or of all together.
    ///
    /// # Errors
    /// The store failed.
    pub async fn statistics(
        &self,
        account: Option<&Account>,
        period: Period,
        grouping: Grouping,
    ) -> Result<TimeSeries, StoreError> {
        let now = self.now();
        let today = tehran_day(now) * DAY_HOURS;
        let steps = period.steps(now);
        let from_hour = steps.first().map_or(today, |first| today.min(*first));
        let query = StatisticQuery {
            account: account.map(|account| account.id),
            from_hour,
            to_hour: tehran_hour(now) + 1,
        };
        let found = self.store().statistics(query).await?;
        let view = self.view().await?;
        let line = |id: LineId| view.line(id).map_or_else(String::new, |line| shown(line));
        let place = |statistic: &Statistic| match grouping {
            Grouping::All => 0,
            Grouping::Line => statistic.line.0,
            Grouping::Operator => i64::from(statistic.operator.0),
        };
        let folded = fold(&found, &steps, period.step_hours(), place);
        let mut groups: Vec<Group> = folded
            .kept
            .iter()
            .map(|key| match grouping {
                Grouping::All => Group::All,
                Grouping::Line => Group::Line(line(LineId(*key))),
                Grouping::Operator => found
                    .iter()
                    .find(|statistic| place(statistic) == *key)
                    .map_or(Group::Others, |one| Group::Operator(one.operator)),
            })
            .collect();
        if folded.others {
            groups.push(Group::Others);
        }
        if groups.is_empty() {
            groups.push(Group::All);
        }
        Ok(TimeSeries {
            groups,
            steps: folded.steps,
            today: sum(found.iter().filter(|one| one.hour >= today)),
        })
    }
}

/// Statistics, put together.
struct Folded {
    /// The keys that have a column, the largest first.
    kept: Vec<i64>,
    /// Whether there is one more for all others.
    others: bool,
    steps: Vec<(i64, Vec<StatisticCounts>)>,
}

/// Puts statistics together by step and by key; keys beyond the largest [`GROUPS_MAX`] are one.
fn fold(
    found: &[Statistic],
    steps: &[i64],
    step_hours: i64,
    key: impl Fn(&Statistic) -> i64,
) -> Folded {
    let first = steps.first().copied().unwrap_or_default();
    let mut sizes: BTreeMap<i64, i64> = BTreeMap::new();
    let shown = || found.iter().filter(|one| one.hour >= first);
    for one in shown() {
        *sizes.entry(key(one)).or_default() += messages(&one.counts);
    }
    let mut kept: Vec<i64> = sizes.keys().copied().collect();
    kept.sort_by_key(|key| std::cmp::Reverse(sizes.get(key).copied()));
    let others = kept.len() > GROUPS_MAX;
    kept.truncate(GROUPS_MAX);
    let places: HashMap<i64, usize> = kept.iter().copied().zip(0..).collect();
    let columns = (kept.len() + usize::from(others)).max(1);
    let mut rows: Vec<(i64, Vec<StatisticCounts>)> = steps
        .iter()
        .map(|hour| (*hour, vec![StatisticCounts::default(); columns]))
        .collect();
    for one in shown() {
        let place = places.get(&key(one)).copied().unwrap_or(kept.len());
        let step = usize::try_from((one.hour - first) / step_hours).ok();
        if let Some((_, counts)) = step.and_then(|step| rows.get_mut(step)) {
            add(&mut counts[place], &one.counts);
        }
    }
    Folded {
        kept,
        others,
        steps: rows,
    }
}

/// All messages of these counts.
#[must_use]
pub fn messages(counts: &StatisticCounts) -> i64 {
    counts.unsent + counts.submitted + counts.delivered + counts.failed + counts.other
}

/// Those of which an operator said, or is to say, whether they arrived: the whole of which the
/// delivery rate is a share.
#[must_use]
pub fn sent(counts: &StatisticCounts) -> i64 {
    counts.submitted + counts.delivered + counts.failed
}

fn add(sum: &mut StatisticCounts, more: &StatisticCounts) {
    sum.unsent += more.unsent;
    sum.submitted += more.submitted;
    sum.delivered += more.delivered;
    sum.failed += more.failed;
    sum.other += more.other;
    sum.parts += more.parts;
    sum.price.0 = sum.price.0.saturating_add(more.price.0);
}

fn sum<'a>(found: impl Iterator<Item = &'a Statistic>) -> StatisticCounts {
    let mut total = StatisticCounts::default();
    for one in found {
        add(&mut total, &one.counts);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statistic(hour: i64, line: i64, delivered: i64) -> Statistic {
        Statistic {
            account: None,
            hour,
            line: LineId(line),
            operator: OperatorId(1),
            counts: StatisticCounts {
                delivered,
                ..StatisticCounts::default()
            },
        }
    }

    #[test]
    fn the_smallest_lines_are_one_column() {
        let found: Vec<Statistic> = (1..=7)
            .map(|line| statistic(100, line, line * 10))
            .collect();
        let folded = fold(&found, &[100, 101], 1, |one| one.line.0);
        assert_eq!(folded.kept, [7, 6, 5, 4, 3]);
        assert!(folded.others);
        let delivered: Vec<i64> = folded.steps[0].1.iter().map(|one| one.delivered).collect();
        assert_eq!(delivered, [70, 60, 50, 40, 30, 30]);
        assert!(folded.steps[1].1.iter().all(|one| messages(one) == 0));
    }

    #[test]
    fn hours_are_put_together_into_their_days() {
        let found = [
            statistic(47, 1, 1),
            statistic(48, 1, 2),
            statistic(71, 1, 3),
        ];
        let folded = fold(&found, &[24, 48], 24, |_| 0);
        let days: Vec<i64> = folded.steps.iter().map(|one| one.1[0].delivered).collect();
        assert_eq!(days, [1, 5]);
    }

    #[test]
    fn without_messages_there_is_one_empty_column() {
        let folded = fold(&[], &[1, 2], 1, |_| 0);
        assert_eq!(folded.steps.len(), 2);
        assert_eq!(folded.steps[0].1, [StatisticCounts::default()]);
    }

    #[test]
    fn a_period_ends_with_the_present_hour_or_day() {
        // 2026-11-22 10:00:00 in Tehran.
        let now = UnixMillis(1_795_329_000_000);
        let hours = Period::Day.steps(now);
        assert_eq!(hours.len(), 24);
        assert_eq!(hours.last(), Some(&tehran_hour(now)));
        let days = Period::Week.steps(now);
        assert_eq!(days.last(), Some(&(tehran_day(now) * 24)));
        assert_eq!(days[1] - days[0], 24);
    }
}
