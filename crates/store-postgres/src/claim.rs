//! Claiming due recipients for links.
//!
//! A claim is three looks at the database: which accounts have something due in each lane, then,
//! with those accounts locked, their next slices, then the recipients in these. What goes to whom
//! is decided in memory, and written as one group of statements.

use crate::db::{Db, Tx, Write};
use crate::error::DbError;
use crate::fleet::{fence_query, fenced};
use crate::listed::RecentlyListed;
use crate::queue::{AccountQueue, QueueKey, read_queues};
use crate::texts::Texts;
use crate::work::{Need, Query, Work};
use domain::ids::{AccountId, LinkId, RecipientKey};
use domain::reason::Reason;
use domain::status::Event;
use domain::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use store::adapter::fairness::{Floors, LaneBudget, hand_out};
use store::{ClaimDue, ClaimedMessage, HeldLink, Lane, LinkShare, StoreError};
use tokio::sync::Mutex;

/// Parts that one command claims at most, over all links, so that it stays within about 50 ms.
const PARTS_PER_COMMAND_MAX: u32 = 10_000;

/// Accounts of one lane that one claim serves at most; the next claim goes on after them.
const ACCOUNTS_PER_LANE_MAX: u32 = 64;

/// Accounts of one lane that one claim looks at in search of due ones.
const ACCOUNTS_LOOKED_AT_MAX: i64 = 20_000;

/// Transactions that one claim may take, where all that the first ones met had run out.
const CLAIMS_MAX: u32 = 32;

/// What a process remembers of claims. None of it is needed to be right.
#[derive(Default)]
pub(crate) struct ClaimMemory {
    floors: Floors,
    /// The account that was served last, by lane and urgency.
    cursors: HashMap<(Lane, bool), i64>,
    /// Counts claims, so that another lane begins each time.
    turn: usize,
    texts: Texts,
    recent: RecentlyListed,
}

/// A claim's messages, and whether somebody should claim again at once.
pub(crate) type Claimed = (Result<Vec<ClaimedMessage>, StoreError>, bool);

/// Claims due recipients and records their attempts.
pub(crate) async fn claim_due(
    db: &Db,
    memory: &Mutex<ClaimMemory>,
    command: &ClaimDue,
) -> Result<Claimed, StoreError> {
    // One claim of a process at a time: the memory is what makes them fair. Whoever waits for it
    // has no transaction open meanwhile; within the claim nobody else asks for it.
    let mut memory = memory.lock().await;
    let memory = Mutex::new(&mut *memory);
    let memory = &memory;
    let mut claimed = (Ok(Vec::new()), true);
    for _ in 0..CLAIMS_MAX {
        claimed = db
            .write_with("claim_due", |tx| async move {
                let mut memory = memory.lock().await;
                claim(&tx, &mut memory, command).await
            })
            .await?;
        // An empty claim means that nothing is due. What only hid others is out of the way now.
        let (messages, again) = &claimed;
        if !again || !matches!(messages, Ok(none) if none.is_empty()) {
            break;
        }
    }
    Ok(claimed)
}

async fn claim(
    tx: &Tx,
    memory: &mut ClaimMemory,
    command: &ClaimDue,
) -> Result<(Claimed, Vec<Write>), DbError> {
    memory.recent.refresh(tx).await?;
    memory.turn = memory.turn.wrapping_add(1);
    let shares = shares(&command.links);
    let links: Vec<HeldLink> = command
        .links
        .iter()
        .map(|share| HeldLink {
            link: share.link,
            epoch: share.epoch,
        })
        .collect();
    let wanted = candidates(tx, memory, command, &shares).await?;
    let (mut work, queues) = match open(tx, memory, command, &links, wanted).await? {
        Ok(opened) => opened,
        Err(link) => {
            let refused = Err(StoreError::Fenced(link));
            return Ok(((refused, false), Vec::new()));
        }
    };
    let mut claim = Claim {
        now: command.now,
        memory,
        queues,
        work: &mut work,
        left_out: Vec::new(),
        messages: Vec::new(),
    };
    let mut left = PARTS_PER_COMMAND_MAX;
    for share in &command.links {
        left = left.saturating_sub(claim.link(share, left)?);
    }
    let Claim {
        queues,
        messages,
        left_out,
        ..
    } = claim;
    let again = !messages.is_empty()
        || !left_out.is_empty()
        || queues.values().any(AccountQueue::hides_others);
    for queue in queues.into_values() {
        queue.save(&mut work, command.now);
    }
    for (key, reason) in left_out {
        work.apply(key, command.now, &[Event::Listed(reason)])?;
    }
    let writes = work.writes(tx, command.now).await?;
    Ok(((Ok(messages), again), writes))
}

/// Parts that each lane may take at most over all links that serve it.
fn shares(links: &[LinkShare]) -> BTreeMap<Lane, u32> {
    let mut shares: BTreeMap<Lane, u32> = BTreeMap::new();
    for link in links {
        for lane in &link.lanes {
            let most = lane.parts_max.min(link.parts_max);
            let share = shares.entry(lane.lane).or_default();
            *share = share.saturating_add(most).min(PARTS_PER_COMMAND_MAX);
        }
    }
    shares.retain(|_, parts| *parts > 0);
    shares
}

/// The accounts that have something due, in a circle that begins after the one served last, and
/// the parts that may be read of each.
async fn candidates(
    tx: &Tx,
    memory: &mut ClaimMemory,
    command: &ClaimDue,
    shares: &BTreeMap<Lane, u32>,
) -> Result<Vec<(QueueKey, u32)>, DbError> {
    let mut asked = Vec::new();
    let mut queries: Vec<Query> = Vec::new();
    for (lane, parts) in shares {
        for urgent in [true, false] {
            let served = memory.cursors.get(&(*lane, urgent)).copied();
            let served = served.unwrap_or(i64::MIN);
            let most = (*parts).min(ACCOUNTS_PER_LANE_MAX);
            // After the one served last, then from the beginning up to it.
            for (after, until) in [(served, i64::MAX), (i64::MIN, served)] {
                if until > i64::MIN {
                    let now = command.now;
                    queries
                        .push(accounts_query(tx, *lane, urgent, (after, until), most, now).await?);
                    asked.push((*lane, urgent, *parts, most));
                }
            }
        }
    }
    let mut found: BTreeMap<(Lane, bool), (u32, u32, Vec<i64>)> = BTreeMap::new();
    for ((lane, urgent, parts, most), rows) in asked.into_iter().zip(tx.query_all(&queries).await?)
    {
        let (_, _, accounts) = found
            .entry((lane, urgent))
            .or_insert((parts, most, Vec::new()));
        let room = (most as usize).saturating_sub(accounts.len());
        accounts.extend(rows.iter().take(room).map(|row| row.get::<_, i64>(0)));
    }
    let mut wanted = Vec::new();
    for ((lane, urgent), (parts, _, accounts)) in found {
        let each = parts.div_ceil(u32::try_from(accounts.len()).unwrap_or(u32::MAX).max(1));
        // Some have less than their share, and the others take it.
        let each = each.saturating_mul(4).min(parts);
        let key = |account| ((lane, urgent, account), each);
        wanted.extend(accounts.into_iter().map(key));
    }
    Ok(wanted)
}

/// One step of the index for each account, however much it has waiting. The table holds only what
/// is not finished, and is not spread over a cluster. Accounts that somebody holds are left out
/// before the others are counted, since an empty claim means that nothing is due.
async fn accounts_query(
    tx: &Tx,
    lane: Lane,
    urgent: bool,
    (after, until): (i64, i64),
    most: u32,
    now: UnixMillis,
) -> Result<Query, DbError> {
    let statement = tx
        .prepare(
            "WITH RECURSIVE a AS (
               (SELECT account_id, due_at, 1 AS n FROM slice
                WHERE line_id = $1 AND operator = $2 AND urgent = $3 AND account_id > $4
                AND account_id <= $5 AND waiting > 0 AND due_at < 9223372036854775807
                ORDER BY account_id, due_at LIMIT 1)
               UNION ALL
               SELECT s.account_id, s.due_at, a.n + 1 FROM a CROSS JOIN LATERAL
                (SELECT account_id, due_at FROM slice
                 WHERE line_id = $1 AND operator = $2 AND urgent = $3
                 AND account_id > a.account_id AND account_id <= $5 AND waiting > 0
                 AND due_at < 9223372036854775807
                 ORDER BY account_id, due_at LIMIT 1) AS s
               WHERE a.n < $8)
             SELECT account_id FROM a WHERE due_at <= $6 AND account_id <> ALL ($9) LIMIT $7",
        )
        .await?;
    Ok((
        statement,
        vec![
            Box::new(lane.line.0),
            Box::new(i16::from(lane.operator.0)),
            Box::new(urgent),
            Box::new(after),
            Box::new(until),
            Box::new(now.0),
            Box::new(i64::from(most)),
            Box::new(i32::try_from(ACCOUNTS_LOOKED_AT_MAX).unwrap_or(i32::MAX)),
            Box::new(tx.held.all()),
        ],
    ))
}

/// Locks the leases and the accounts, and reads what may be claimed.
async fn open(
    tx: &Tx,
    memory: &mut ClaimMemory,
    command: &ClaimDue,
    links: &[HeldLink],
    wanted: Vec<(QueueKey, u32)>,
) -> Result<Result<(Work, BTreeMap<QueueKey, AccountQueue>), LinkId>, DbError> {
    let fences = tx.query_all(&[fence_query(tx, links).await?]).await?;
    if let Some(link) = fenced(links, fences.first().map_or(&[][..], Vec::as_slice)) {
        return Ok(Err(link));
    }
    let mut work = Work::default();
    if wanted.is_empty() {
        return Ok(Ok((work, BTreeMap::new())));
    }
    let accounts: BTreeSet<AccountId> = wanted
        .iter()
        .map(|((_, _, account), _)| AccountId(*account))
        .collect();
    let need = Need {
        accounts,
        ..Need::default()
    };
    work.load(tx, &need, Vec::new()).await?;
    let known = (&mut memory.texts, &memory.recent);
    let queues = read_queues(tx, &mut work, known, &wanted, command.now).await?;
    Ok(Ok((work, queues)))
}

struct Claim<'c> {
    now: UnixMillis,
    memory: &'c mut ClaimMemory,
    queues: BTreeMap<QueueKey, AccountQueue>,
    work: &'c mut Work,
    left_out: Vec<(RecipientKey, Reason)>,
    messages: Vec<ClaimedMessage>,
}

impl Claim<'_> {
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

    /// Claims of one class until the share is used up or nothing more was read.
    fn class(
        &mut self,
        link: LinkId,
        lanes: &mut [LaneBudget],
        urgent: bool,
        budget: u32,
    ) -> Result<u32, DbError> {
        let mut accounts: Vec<Vec<i64>> = lanes
            .iter()
            .map(|lane| self.accounts_of(lane.lane, urgent))
            .collect();
        let names: Vec<Lane> = lanes.iter().map(|lane| lane.lane).collect();
        hand_out(lanes, &mut accounts, budget, |lane, account, parts| {
            let lane = names[lane];
            self.memory.cursors.insert((lane, urgent), account);
            self.take(link, (lane, urgent, account), parts)
        })
    }

    /// The accounts of a lane that have something left, in a circle after the one served last.
    fn accounts_of(&self, lane: Lane, urgent: bool) -> Vec<i64> {
        let served = self.memory.cursors.get(&(lane, urgent)).copied();
        let served = served.unwrap_or(i64::MIN);
        let from = (lane, urgent, i64::MIN);
        let to = (lane, urgent, i64::MAX);
        let left = self
            .queues
            .range(from..=to)
            .filter(|(_, queue)| !queue.is_used_up())
            .map(|((_, _, account), _)| *account);
        let (before, after): (Vec<i64>, Vec<i64>) = left.partition(|account| *account <= served);
        [after, before].concat()
    }

    /// Claims messages of at most `parts_max` parts of one account (the last one may go over);
    /// says how many parts.
    fn take(&mut self, link: LinkId, key: QueueKey, parts_max: u32) -> Result<u32, DbError> {
        let mut taken = 0;
        while taken < parts_max {
            let Some(queue) = self.queues.get_mut(&key) else {
                break;
            };
            let Some(candidate) = queue.next() else {
                break;
            };
            if let Some(reason) = candidate.listed {
                queue.leave(candidate.key, self.now);
                self.left_out.push((candidate.key, reason));
                continue;
            }
            self.work
                .apply(candidate.key, self.now, &[Event::Claimed])?;
            let Some(held) = self.work.recipients.get_mut(&candidate.key) else {
                continue;
            };
            held.link = Some(link);
            let progress = &held.row.progress;
            taken += progress.outstanding.len();
            self.messages.push(ClaimedMessage {
                link,
                lane: key.0,
                key: candidate.key,
                to: candidate.to,
                outstanding: progress.outstanding,
                parts: progress.parts,
                text: candidate.text,
                reference_bits: candidate.reference_bits,
                expires_at: candidate.expires_at,
            });
        }
        Ok(taken)
    }
}
