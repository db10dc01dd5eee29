//! Recipients who came onto a blacklist while they waited: known by the last additions to the
//! lists, so that a claim pays one look into a set in memory for each message.

use crate::blacklist;
use crate::error::DbError;
use crate::group::Group;
use crate::queries::from_json;
use crate::rules::lists_version;
use crate::work::Work;
use domain::blacklist::BlackList;
use domain::ids::{LineId, RecipientKey};
use domain::line::{LineClass, LineSettings};
use domain::msisdn::Msisdn;
use domain::reason::Reason;
use domain::status::Event;
use domain::time::UnixMillis;
use rusqlite::Connection;
use std::collections::HashSet;
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
    /// Reads what was added since the last time. One row is read where nothing was.
    pub(crate) fn refresh(&mut self, conn: &Connection) -> Result<(), DbError> {
        let version = lists_version(conn)?;
        if self.version == Some(version) {
            return Ok(());
        }
        loop {
            let Some(page) = blacklist::additions(conn, self.last, ADDITIONS_READ)? else {
                // What is forgotten is not in force any more; begin with the oldest there is.
                self.last = blacklist::oldest_addition(conn)?.saturating_sub(1);
                continue;
            };
            let Some(last) = page.last() else { break };
            self.last = last.no;
            if self.numbers.len() as u64 > 2 * LIST_ADDITIONS_KEPT {
                return self.begin_anew(conn);
            }
            self.numbers
                .extend(page.iter().map(|addition| addition.number));
        }
        self.version = Some(version);
        Ok(())
    }

    fn begin_anew(&mut self, conn: &Connection) -> Result<(), DbError> {
        *self = Self::default();
        self.refresh(conn)
    }

    /// The list that binds this line and on which the number stands by now.
    pub(crate) fn list_of(
        &self,
        conn: &Connection,
        line: LineId,
        number: Msisdn,
    ) -> Result<Option<BlackList>, DbError> {
        if self.numbers.is_empty() || !self.numbers.contains(&number) {
            return Ok(None);
        }
        let lists: Vec<BlackList> = BlackList::that_bind(line, class_of(conn, line)?).collect();
        let found = blacklist::listed(conn, &lists, &[number])?;
        Ok(found.into_iter().next().flatten())
    }
}

fn class_of(conn: &Connection, line: LineId) -> Result<LineClass, DbError> {
    let mut statement = conn.prepare_cached("SELECT settings FROM line WHERE id = ?1")?;
    let mut rows = statement.query([line.0])?;
    let Some(row) = rows.next()? else {
        return Ok(LineClass::default());
    };
    let settings: LineSettings = from_json(row, 0, "settings of a line")?;
    Ok(settings.class)
}

/// Ends these recipients as left out, each for its reason, and releases their price.
pub(crate) fn leave_out(
    group: &mut Group<'_>,
    listed: Vec<(RecipientKey, Reason)>,
    now: UnixMillis,
) -> Result<(), DbError> {
    if listed.is_empty() {
        return Ok(());
    }
    let mut work = Work::new(group.conn, now)?;
    for (key, reason) in listed {
        let Some(mut open) = work.open(key)? else {
            continue;
        };
        work.apply(&mut open, Event::Listed(reason))?;
        work.close(open)?;
    }
    work.finish(group).map(drop)
}
