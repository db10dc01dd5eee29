//! Recipients who came onto a blacklist while they waited: known by the last additions to the
//! lists, so that a claim pays one look into a set in memory for each message.

use crate::blacklist;
use crate::db::Tx;
use crate::error::DbError;
use crate::rows::from_json;
use crate::rules::lists_version;
use domain::blacklist::BlackList;
use domain::ids::LineId;
use domain::line::{LineClass, LineSettings};
use domain::msisdn::Msisdn;
use std::collections::{BTreeSet, HashMap, HashSet};
use store::LIST_ADDITIONS_KEPT;

/// Additions that are read at once.
const ADDITIONS_READ: u32 = 10_000;

/// The numbers of the last additions to any list. Some may be off it again: who is found here is
/// looked up in the lists.
#[derive(Default)]
pub(crate) struct RecentlyListed {
    version: Option<u64>,
    last: u64,
    numbers: HashSet<Msisdn>,
}

impl RecentlyListed {
    /// Reads what was added since the last time, by whichever process. One row is read where
    /// nothing was. Left off in the middle, it goes on there the next time.
    pub(crate) async fn refresh(&mut self, tx: &Tx) -> Result<(), DbError> {
        // Read before the additions, so that they hold at least what belongs to it: the counters
        // stay locked until commit, and nothing becomes visible behind what was read.
        let version = lists_version(tx).await?;
        if self.version == Some(version) {
            return Ok(());
        }
        loop {
            // What is forgotten is passed over: it is not in force for those who wait any more.
            let page = blacklist::remembered(tx, self.last, ADDITIONS_READ).await?;
            let Some(last) = page.last() else { break };
            if self.numbers.len() as u64 > 2 * LIST_ADDITIONS_KEPT {
                *self = Self::default();
                continue;
            }
            self.last = last.no;
            self.numbers
                .extend(page.iter().map(|addition| addition.number));
        }
        self.version = Some(version);
        Ok(())
    }

    /// Whether the number may have come onto a list, and is to be looked up by [`Self::lists_of`].
    pub(crate) fn may_hold(&self, number: Msisdn) -> bool {
        self.numbers.contains(&number)
    }

    /// For each of these the list that binds the line and on which the number stands by now. Asks
    /// the database only where [`Self::may_hold`] says so of any.
    pub(crate) async fn lists_of(
        &self,
        tx: &Tx,
        asked: &[(LineId, Msisdn)],
    ) -> Result<Vec<Option<BlackList>>, DbError> {
        let mut lines = BTreeSet::new();
        let mut numbers = Vec::new();
        for (line, number) in asked {
            if self.may_hold(*number) {
                lines.insert(*line);
                numbers.push(*number);
            }
        }
        if numbers.is_empty() {
            return Ok(vec![None; asked.len()]);
        }
        let binding = binding(tx, &lines).await?;
        let lists: BTreeSet<BlackList> = binding.values().flatten().copied().collect();
        let lists: Vec<BlackList> = lists.into_iter().collect();
        let standing = blacklist::standing(tx, &lists, &numbers).await?;
        let first = |(line, number): &(LineId, Msisdn)| {
            let mut lists = binding.get(line)?.iter();
            lists.find(|list| standing.contains(&(**list, *number)))
        };
        Ok(asked.iter().map(|one| first(one).copied()).collect())
    }
}

/// The lists that bind each of these lines, the weightiest first.
async fn binding(
    tx: &Tx,
    lines: &BTreeSet<LineId>,
) -> Result<HashMap<LineId, Vec<BlackList>>, DbError> {
    let ids: Vec<i64> = lines.iter().map(|line| line.0).collect();
    let rows = tx
        .query(
            "SELECT id, settings FROM line WHERE id = ANY ($1::int8[])",
            &[&ids],
        )
        .await?;
    let mut classes = HashMap::new();
    for row in &rows {
        let settings: LineSettings = from_json(row, 1, "settings of a line")?;
        classes.insert(LineId(row.get(0)), settings.class);
    }
    let lists = |line: &LineId| {
        let class = classes.get(line).copied().unwrap_or(LineClass::default());
        (*line, BlackList::that_bind(*line, class).collect())
    };
    Ok(lines.iter().map(lists).collect())
}
