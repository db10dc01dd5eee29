//! Claims, outcomes, receipts, recovery and the sweep.

use super::{BUILDING_DAYS, Bulk, Data, Memory, Rec, SLICE};
use crate::adapter::hourly_since;
use crate::*;
use domain::bulk::BulkStage;
use domain::ids::{AccountId, LinkId, PartKey, RecipientKey};
use domain::reason::Reason;
use domain::recipient::Address;
use domain::status::{Event, State};
use domain::time::UnixMillis;
use std::collections::{BTreeMap, VecDeque};

/// One tenth of a claim is for those who are not urgent.
const BULK_SHARE: u32 = 10;

fn lane(bulk: &Bulk, one: &Rec) -> Lane {
    Lane {
        line: bulk.command.line,
        operator: one.new.operator,
    }
}

fn due_at(bulk: &Bulk, one: &Rec) -> Option<UnixMillis> {
    let waits = bulk.stage == BulkStage::Accepted && one.progress.state == State::Waiting;
    let due = bulk.command.due_at;
    waits.then(|| one.progress.not_before.map_or(due, |at| at.max(due)))
}

type Queues = BTreeMap<(bool, AccountId, Lane), VecDeque<(RecipientKey, u32)>>;

impl Memory {
    pub(super) fn lanes(&self, now: UnixMillis) -> WaitingLanes {
        let mut found = WaitingLanes::default();
        for account in self.data().accounts.values() {
            for bulk in account.bulks.values().filter(|bulk| !bulk.is_over(now)) {
                for one in &bulk.recipients {
                    match due_at(bulk, one) {
                        Some(at) if at <= now => found.due.push(lane(bulk, one)),
                        Some(at) => {
                            let next = found.next_due_at.map_or(at, |next| next.min(at));
                            found.next_due_at = Some(next);
                        }
                        None => {}
                    }
                }
            }
        }
        found.due.sort_unstable();
        found.due.dedup();
        found
    }

    pub(super) fn claim(&self, command: &ClaimDue) -> Result<Vec<ClaimedMessage>, StoreError> {
        let mut data = self.data();
        for share in &command.links {
            data.fence(share.link, share.epoch)?;
        }
        let mut queues = data.queues(command.now);
        let mut claimed = Vec::new();
        for link in &command.links {
            let mut shares: BTreeMap<Lane, i64> = link
                .lanes
                .iter()
                .map(|share| (share.lane, i64::from(share.parts_max)))
                .collect();
            let mut taken: BTreeMap<AccountId, u32> = BTreeMap::new();
            let (mut parts, mut urgent_parts) = (0, 0);
            while parts < link.parts_max {
                let open = |(_, _, lane): &(bool, AccountId, Lane)| {
                    shares.get(lane).is_some_and(|left| *left > 0)
                };
                let waiting = || {
                    queues
                        .iter()
                        .filter(|(at, queue)| open(at) && !queue.is_empty())
                };
                let bulk_waits = waiting().any(|((urgent, ..), _)| !urgent);
                let spared = bulk_waits && urgent_parts * BULK_SHARE >= link.parts_max * 9;
                let best = waiting()
                    .map(|(at, _)| *at)
                    .min_by_key(|(urgent, account, _)| {
                        (*urgent == spared, taken.get(account).copied().unwrap_or(0))
                    });
                let Some(at) = best else { break };
                let (key, count) = queues
                    .get_mut(&at)
                    .and_then(VecDeque::pop_front)
                    .expect("not empty");
                if let Some(list) = data.newly_listed(key) {
                    data.leave_out(key, list, command.now);
                    continue;
                }
                *shares.get_mut(&at.2).expect("asked for") -= i64::from(count);
                *taken.entry(at.1).or_default() += count;
                parts += count;
                urgent_parts += if at.0 { count } else { 0 };
                claimed.push(data.hand_out(key, link.link, command.now));
            }
        }
        Ok(claimed)
    }

    pub(super) fn outcomes(&self, command: RecordOutcomes) -> Result<(), StoreError> {
        let mut data = self.data();
        data.fence(command.link, command.epoch)?;
        for Outcome {
            part: PartKey { recipient, part },
            result,
        } in command.outcomes
        {
            let event = match &result {
                SubmitResult::Accepted { .. } => Event::PartAccepted { part },
                SubmitResult::Refused { code } => Event::PartRefused { part, code: *code },
                SubmitResult::Deferred { code } => Event::PartDeferred { part, code: *code },
                SubmitResult::Throttled { code } => Event::PartThrottled { part, code: *code },
                SubmitResult::AnswerLost => Event::AnswerLost { part },
                SubmitResult::NotSent => Event::PartNotSent { part },
                SubmitResult::CannotBeSent => Event::Undeliverable(Reason::TextCannotBeSent),
            };
            data.apply(recipient, event, command.now);
            if let SubmitResult::Accepted {
                message_id: Some(id),
            } = result
            {
                data.ids
                    .insert((command.link, id.clone()), PartKey { recipient, part });
                let (mine, others) = std::mem::take(&mut data.parked)
                    .into_iter()
                    .partition(|(link, _, said)| *link == command.link && said.message_id == id);
                data.parked = others;
                for (_, _, said) in mine {
                    data.said(PartKey { recipient, part }, &said, command.now);
                }
            }
        }
        data.cancel_stopped(usize::MAX, command.now);
        Ok(())
    }

    pub(super) fn receipts(&self, command: RecordReceipts) -> ReceiptsRecorded {
        let mut data = self.data();
        let mut recorded = ReceiptsRecorded::default();
        for said in command.receipts {
            match data
                .ids
                .get(&(command.link, said.message_id.clone()))
                .copied()
            {
                Some(part) => {
                    data.said(part, &said, command.now);
                    recorded.matched += 1;
                }
                None => {
                    data.parked.push((command.link, command.now, said));
                    recorded.parked += 1;
                }
            }
        }
        recorded
    }

    pub(super) fn recover(&self, command: &RecoverInDoubt) -> Result<Recovered, StoreError> {
        let mut data = self.data();
        for held in &command.links {
            data.fence(held.link, held.epoch)?;
        }
        let now = command.now;
        let of_these = |one: &Rec| {
            one.link
                .is_none_or(|link| command.links.iter().any(|held| held.link == link))
        };
        let unanswered = |one: &Rec| !one.progress.outstanding.is_empty() && of_these(one);
        let recipients = data.which(|_, one| unanswered(one), SLICE);
        for key in &recipients {
            let bulk = data.bulk(key.account, key.bulk).expect("just found");
            let out = bulk.recipients[key.seq.0 as usize].progress.outstanding;
            for part in out.iter() {
                data.apply(*key, Event::AnswerLost { part }, now);
            }
        }
        data.cancel_stopped(usize::MAX, now);
        Ok(Recovered {
            more: recipients.len() == SLICE,
            recipients,
        })
    }

    pub(super) fn sweep_once(&self, now: UnixMillis) -> Swept {
        let mut data = self.data();
        data.hourly_since = data.hourly_since.max(hourly_since(now));
        for account in data.accounts.values_mut() {
            for bulk in account.bulks.values_mut() {
                let end = bulk
                    .command
                    .accepted_at
                    .plus_seconds(BUILDING_DAYS * 86_400);
                if bulk.stage == BulkStage::Building && end < now {
                    bulk.stage = BulkStage::Abandoned;
                }
            }
        }
        data.time_out(now);
        data.console.sweep(now);
        data.parked
            .retain(|(_, at, _)| at.plus_seconds(PARKED_RECEIPT_DAYS * 86_400) >= now);
        let mut settled = data.cancel_stopped(SLICE, now);
        let waits = |one: &Rec| one.progress.state == State::Waiting;
        let over = data.which(|bulk, one| waits(one) && bulk.is_over(now), SLICE - settled);
        settled += over.len();
        for key in over {
            data.apply(key, Event::ValidityOver, now);
        }
        let silent = |bulk: &Bulk, one: &Rec| {
            let end = one
                .submitted_at
                .plus_seconds(i64::from(bulk.command.report_seconds));
            matches!(one.progress.state, State::Submitted | State::Held) && end < now
        };
        let silent = data.which(silent, SLICE - settled);
        settled += silent.len();
        for key in silent {
            data.apply(key, Event::ReportTimeOut, now);
        }
        Swept {
            settled: settled as u32,
            more: settled == SLICE,
        }
    }
}

impl Data {
    fn said(&mut self, part: PartKey, said: &NewReceipt, now: UnixMillis) {
        let event = Event::Receipt {
            part: part.part,
            kind: said.kind,
            error: said.error,
        };
        self.apply(part.recipient, event, now);
    }

    fn queues(&self, now: UnixMillis) -> Queues {
        let mut queues = Queues::new();
        let due = |bulk: &Bulk, one: &Rec| {
            !bulk.is_over(now) && due_at(bulk, one).is_some_and(|at| at <= now)
        };
        for key in self.which(due, usize::MAX) {
            let bulk = &self.accounts[&key.account].bulks[&key.bulk];
            let one = &bulk.recipients[key.seq.0 as usize];
            let parts = u32::from(one.progress.parts) - one.progress.accepted.len();
            let at = (bulk.command.urgent, key.account, lane(bulk, one));
            queues.entry(at).or_default().push_back((key, parts));
        }
        queues
    }

    fn hand_out(&mut self, key: RecipientKey, link: LinkId, now: UnixMillis) -> ClaimedMessage {
        self.apply(key, Event::Claimed, now);
        if let Some(bulk) = self.bulk(key.account, key.bulk) {
            bulk.recipients[key.seq.0 as usize].link = Some(link);
        }
        let bulk = &self.accounts[&key.account].bulks[&key.bulk];
        let one = &bulk.recipients[key.seq.0 as usize];
        let Address::Mobile(to) = one.new.address else {
            panic!("nobody waits without a number")
        };
        let text = one
            .new
            .text
            .as_deref()
            .map_or_else(|| bulk.command.text.clone(), Into::into);
        ClaimedMessage {
            link,
            lane: lane(bulk, one),
            key,
            to,
            outstanding: one.progress.outstanding,
            parts: one.progress.parts,
            text,
            reference_bits: bulk.command.reference_bits,
            expires_at: bulk.command.expires_at,
        }
    }
}
