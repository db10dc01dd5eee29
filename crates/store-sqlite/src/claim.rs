//! Claiming due recipients for links. Reads the queue of slices in the order of the index, so that
//! its cost follows what is claimed and not what waits.

use crate::error::DbError;
use crate::fleet::fence;
use crate::group::Group;
use crate::listed::{RecentlyListed, leave_out};
use crate::queue::{AccountQueue, Texts};
use domain::ids::LinkId;
use domain::time::UnixMillis;
use rusqlite::{CachedStatement, params};
use std::collections::HashMap;
use store::adapter::fairness::{Floors, LaneBudget, hand_out};
use store::{ClaimDue, ClaimedMessage, Lane, LinkShare, StoreError};

/// Parts that one command claims at most, over all links, so that it stays within about 50 ms.
const PARTS_PER_COMMAND_MAX: u32 = 10_000;

/// Accounts of one lane that one claim serves at most; the next claim goes on after them.
const ACCOUNTS_PER_LANE_MAX: usize = 64;

/// Accounts that one command looks at in search of due ones, over all lanes.
const ACCOUNTS_LOOKED_AT_MAX: u32 = 20_000;

/// What the writer remembers of claims.
#[derive(Default)]
pub(crate) struct ClaimMemory {
    floors: Floors,
    /// The account that was served last, by lane and urgency.
    cursors: HashMap<(Lane, bool), i64>,
    /// Counts claims, so that another lane begins each time.
    turn: usize,
    pub(crate) texts: Texts,
    recent: RecentlyListed,
}

impl ClaimMemory {
    /// Drops what was read inside a transaction that is rolled back.
    pub(crate) fn forget_rows(&mut self) {
        self.texts = Texts::default();
        self.recent = RecentlyListed::default();
    }
}

/// Claims due recipients and records their attempts.
pub(crate) fn claim_due(
    group: &mut Group<'_>,
    command: &ClaimDue,
) -> Result<Result<Vec<ClaimedMessage>, StoreError>, DbError> {
    let conn = group.conn;
    for share in &command.links {
        if let Err(fenced) = fence(conn, share.link, share.epoch)? {
            return Ok(Err(fenced));
        }
    }
    let mut recent = std::mem::take(&mut group.memory.claim.recent);
    recent.refresh(conn)?;
    let mut claim = Claim {
        now: command.now,
        memory: &mut group.memory.claim,
        queues: HashMap::new(),
        reader: crate::queue::Reader::new(conn, command.now, recent)?,
        accounts: conn.prepare_cached(
            "SELECT account_id, due_at FROM slice INDEXED BY slice_claimable
             WHERE line_id = ?1 AND operator = ?2 AND urgent = ?3 AND account_id > ?4
             AND waiting > 0 AND due_at < 9223372036854775807
             ORDER BY account_id, due_at LIMIT 1",
        )?,
        messages: Vec::new(),
        looks_left: ACCOUNTS_LOOKED_AT_MAX,
    };
    claim.memory.turn = claim.memory.turn.wrapping_add(1);
    let mut left = PARTS_PER_COMMAND_MAX;
    for link in &command.links {
        left = left.saturating_sub(claim.link(link, left)?);
    }
    let cut_short = claim.is_cut_short();
    let Claim {
        queues,
        messages,
        reader,
        ..
    } = claim;
    let crate::queue::Reader { listed, recent, .. } = reader;
    group.memory.claim.recent = recent;
    // Who gets less than there is would sleep until something becomes due: ring again.
    group.made_due |= cut_short;
    for queue in queues.into_values() {
        queue.save(conn)?;
    }
    // After the queues, which would write their slices over what this changes in them.
    leave_out(group, listed, command.now)?;
    Ok(Ok(messages))
}

struct Claim<'g, 'c> {
    now: UnixMillis,
    memory: &'g mut ClaimMemory,
    queues: HashMap<(Lane, bool, i64), AccountQueue>,
    reader: crate::queue::Reader<'c>,
    accounts: CachedStatement<'c>,
    messages: Vec<ClaimedMessage>,
    looks_left: u32,
}

impl Claim<'_, '_> {
    /// Claims for one link: urgent ones up to nine tenths, then the others, then urgent ones with
    /// what the others left.
    fn link(&mut self, share: &LinkShare, parts_max: u32) -> Result<u32, DbError> {
        let budget = share.parts_max.min(parts_max);
        if budget == 0 || share.lanes.is_empty() {
            return Ok(0);
        }
        let floors = &mut self.memory.floors;
        let mut lanes: Vec<LaneBudget> = share
            .lanes
            .iter()
            .map(|lane| LaneBudget {
                lane: lane.lane,
                left: lane.parts_max,
                floor: floors.keep(share.link, Some(lane.lane), lane.parts_max),
            })
            .collect();
        let floor = floors.keep(share.link, None, budget);
        let first = self.memory.turn % lanes.len();
        lanes.rotate_left(first);

        // What a lane keeps for the others is out of reach of its urgent ones at first.
        for lane in &mut lanes {
            lane.floor = lane.floor.min(lane.left);
            lane.left -= lane.floor;
        }
        let mut taken = self.class(share.link, &mut lanes, true, budget - floor)?;
        for lane in &mut lanes {
            lane.left += lane.floor;
        }
        for urgent in [false, true] {
            let left = budget.saturating_sub(taken);
            taken += self.class(share.link, &mut lanes, urgent, left)?;
        }
        Ok(taken)
    }

    /// True when a limit of this command, and not the want of messages, ended the search.
    fn is_cut_short(&self) -> bool {
        self.looks_left == 0 || self.reader.is_cut_short()
    }

    /// Claims of one class until the share is used up or nothing more is due.
    fn class(
        &mut self,
        link: LinkId,
        lanes: &mut [LaneBudget],
        urgent: bool,
        budget: u32,
    ) -> Result<u32, DbError> {
        let mut taken = 0;
        // More than one round when accounts turned out to have nothing that may still leave.
        while taken < budget && !self.is_cut_short() {
            let left = budget - taken;
            let mut accounts = Vec::with_capacity(lanes.len());
            for lane in lanes.iter() {
                let max = lane.left.min(left) as usize;
                let max = max.min(ACCOUNTS_PER_LANE_MAX);
                accounts.push(self.due_accounts(lane.lane, urgent, max)?);
            }
            if accounts.iter().all(Vec::is_empty) {
                break;
            }
            taken += self.round(link, lanes, &mut accounts, urgent, left)?;
        }
        Ok(taken)
    }

    fn round(
        &mut self,
        link: LinkId,
        lanes: &mut [LaneBudget],
        accounts: &mut [Vec<i64>],
        urgent: bool,
        budget: u32,
    ) -> Result<u32, DbError> {
        let names: Vec<Lane> = lanes.iter().map(|lane| lane.lane).collect();
        hand_out(lanes, accounts, budget, |lane, account, parts| {
            let lane = names[lane];
            self.memory.cursors.insert((lane, urgent), account);
            let queue = self
                .queues
                .entry((lane, urgent, account))
                .or_insert_with(|| AccountQueue::new(lane, urgent, account));
            let texts = &mut self.memory.texts;
            queue.take(&mut self.reader, texts, link, parts, &mut self.messages)
        })
    }

    /// Accounts of the lane with something due, at most `max`, in a circle that begins after the
    /// one served last. One step of the index for each account, however much it has waiting.
    fn due_accounts(&mut self, lane: Lane, urgent: bool, max: usize) -> Result<Vec<i64>, DbError> {
        let mut due = Vec::new();
        let served = self
            .memory
            .cursors
            .get(&(lane, urgent))
            .copied()
            .unwrap_or(i64::MIN);
        let (mut after, mut wrapped) = (served, false);
        while due.len() < max && self.looks_left > 0 {
            self.looks_left -= 1;
            let found = self.next_account(lane, urgent, after)?;
            match found {
                Some((account, _)) if wrapped && account > served => break,
                Some((account, due_at)) => {
                    let queue = self.queues.get(&(lane, urgent, account));
                    if due_at <= self.now.0 && !queue.is_some_and(AccountQueue::is_used_up) {
                        due.push(account);
                    }
                    after = account;
                }
                None if wrapped => break,
                None => (after, wrapped) = (i64::MIN, true),
            }
        }
        if due.is_empty() && max > 0 {
            // The next claim looks on from here, should there be more accounts than looks.
            self.memory.cursors.insert((lane, urgent), after);
        }
        Ok(due)
    }

    /// The first account after `after` with something in the lane, and when it is first due.
    fn next_account(
        &mut self,
        lane: Lane,
        urgent: bool,
        after: i64,
    ) -> Result<Option<(i64, i64)>, DbError> {
        let mut rows = self
            .accounts
            .query(params![lane.line.0, lane.operator.0, urgent, after])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        Ok(Some((row.get(0)?, row.get(1)?)))
    }
}
