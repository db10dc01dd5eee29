//! [`crate::Inbox`] over the store in memory.

use super::Memory;
use crate::*;
use async_trait::async_trait;
use domain::ids::{AccountId, InboundNo, RuleNo};
use domain::inbound::callback::CallbackState;
use domain::inbound::rule::{Rule, RuleSettings};
use domain::time::UnixMillis;
use std::collections::{BTreeMap, HashMap};

/// Line, sender, reference and total: what parts of one message have in common.
type Marks = (Box<str>, Box<str>, u16, u8);

#[derive(Clone)]
struct Gathering {
    marks: Marks,
    parts: BTreeMap<u8, InboundPart>,
    last_at: UnixMillis,
    closed: bool,
}

#[derive(Clone, Default)]
struct Kept {
    messages: Vec<NewInbound>,
    outcomes: BTreeMap<u32, String>,
    read: (u32, u32),
    rules: BTreeMap<RuleNo, RuleSettings>,
    rules_made: u32,
    answers: Vec<(String, UnixMillis)>,
}

#[derive(Clone, Default)]
struct Queue {
    due_at: Option<UnixMillis>,
    failures: u32,
}

#[derive(Clone)]
struct Call {
    report: CallbackReport,
    due_at: Option<UnixMillis>,
}

/// Everything about messages from handsets.
#[derive(Clone, Default)]
pub(super) struct InboxData {
    queued: BTreeMap<i64, InboundPart>,
    places: i64,
    seen: HashMap<[u8; 32], UnixMillis>,
    gatherings: BTreeMap<i64, Gathering>,
    inboxes: BTreeMap<Option<AccountId>, Kept>,
    work: BTreeMap<i64, (Option<AccountId>, u32)>,
    queues: BTreeMap<CallbackQueue, Queue>,
    calls: BTreeMap<(CallbackQueue, InboundNo), Call>,
}

impl InboxData {
    pub(super) fn take_down(&mut self, parts: Vec<InboundPart>) {
        for part in parts {
            let place = self.place();
            self.queued.insert(place, part);
        }
    }

    fn place(&mut self) -> i64 {
        self.places += 1;
        self.places
    }

    fn is_repetition(&mut self, repetition: &Repetition, at: UnixMillis) -> bool {
        let before = self.seen.insert(repetition.digest, at);
        match (before, repetition.between) {
            (Some(before), Some((from, to))) => before >= from && before <= to,
            _ => false,
        }
    }

    /// False where the part is there already.
    fn gather(&mut self, part: InboundPart) -> bool {
        let (reference, total, no) = part.part.expect("a part of several");
        let marks: Marks = (part.to.clone(), part.from.clone(), reference, total);
        let open = self
            .gatherings
            .iter_mut()
            .find(|(_, one)| !one.closed && one.marks == marks);
        if let Some((_, one)) = open {
            match one.parts.get(&no) {
                Some(there) if there.payload == part.payload => return false,
                Some(_) => one.closed = true,
                None => {
                    one.last_at = one.last_at.max(part.at);
                    one.parts.insert(no, part);
                    one.closed = one.parts.len() == usize::from(total);
                    return true;
                }
            }
        }
        let one = Gathering {
            marks,
            last_at: part.at,
            closed: total == 1,
            parts: BTreeMap::from([(no, part)]),
        };
        let id = self.place();
        self.gatherings.insert(id, one);
        true
    }

    fn write(&mut self, message: NewInbound) {
        let account = message.owner.ok();
        let inbox = self.inboxes.entry(account).or_default();
        inbox.messages.push(message);
        let no = inbox.messages.len() as u32;
        let place = self.place();
        self.work.insert(place, (account, no));
    }

    fn message(&self, account: Option<AccountId>, no: u32) -> InboundMessage {
        let inbox = &self.inboxes[&account];
        InboundMessage {
            no: InboundNo(no),
            message: inbox.messages[no as usize - 1].clone(),
            read: no <= inbox.read.1,
            outcome: inbox.outcomes.get(&no).cloned(),
        }
    }

    fn claimed(&self, queue: CallbackQueue, call: &Call) -> ClaimedCallback {
        ClaimedCallback {
            state: call.report.state,
            queued_at: call.report.queued_at,
            attempts: call.report.attempts,
            message: self.message(Some(queue.account), call.report.no.0),
        }
    }

    fn in_state(&self, queue: CallbackQueue, state: CallbackState) -> Vec<InboundNo> {
        let mine = self.calls.iter().filter(|((of, _), _)| *of == queue);
        let mine = mine.filter(|(_, call)| call.report.state == state);
        mine.map(|((_, no), _)| *no).collect()
    }

    fn claim(&mut self, command: ClaimCallbacks) -> Vec<CallbackBatch> {
        let due = |at: Option<UnixMillis>| at.is_some_and(|at| at <= command.now);
        let max = command.batches_max as usize;
        let queues = self.queues.iter().filter(|(_, queue)| due(queue.due_at));
        let queues = in_order(queues.collect());
        let mut batches = Vec::new();
        for (key, failures) in queues.into_iter().take(max) {
            let heads = self.in_state(key, CallbackState::Waiting);
            let heads = heads.iter().take(command.callbacks_max as usize);
            let callbacks = heads.map(|no| self.claimed(key, &self.calls[&(key, *no)]));
            let batch = CallbackBatch {
                queue: key,
                failures,
                aside: self.in_state(key, CallbackState::Aside).len() as u32,
                callbacks: callbacks.collect(),
            };
            batches.push(batch);
            self.queues.get_mut(&key).expect("known").due_at = Some(command.lease_until);
        }
        let alone: Vec<_> = self
            .calls
            .iter()
            .filter(|(_, call)| call.report.state == CallbackState::Aside && due(call.due_at))
            .map(|(key, _)| *key)
            .take(max.saturating_sub(batches.len()))
            .collect();
        for key in alone {
            batches.push(CallbackBatch {
                queue: key.0,
                failures: 0,
                aside: self.in_state(key.0, CallbackState::Aside).len() as u32,
                callbacks: vec![self.claimed(key.0, &self.calls[&key])],
            });
            self.calls.get_mut(&key).expect("known").due_at = Some(command.lease_until);
        }
        batches
    }

    fn record(&mut self, command: &RecordCallback) {
        let open = [CallbackState::Waiting, CallbackState::Aside];
        let Some(call) = self.calls.get_mut(&(command.queue, command.no)) else {
            return;
        };
        if !open.contains(&call.report.state) {
            return;
        }
        call.report.state = command.state;
        call.report.attempts += u32::from(command.state != CallbackState::Dropped);
        call.report.last_at = Some(command.now);
        call.report.status = command.status;
        call.report.error.clone_from(&command.error);
        call.due_at = command.due_at;
        if let Some(before) = command.give_up_before {
            for no in self.in_state(command.queue, CallbackState::Waiting) {
                let call = self.calls.get_mut(&(command.queue, no)).expect("known");
                if call.report.queued_at < before {
                    call.report.state = CallbackState::GivenUp;
                    call.report.error.clone_from(&command.error);
                }
            }
        }
        if let Some(due_at) = command.queue_due_at {
            let waits = !self
                .in_state(command.queue, CallbackState::Waiting)
                .is_empty();
            let queue = self.queues.get_mut(&command.queue).expect("known");
            queue.due_at = waits.then_some(due_at);
            queue.failures = match command.state {
                CallbackState::Delivered => 0,
                _ => queue.failures + 1,
            };
        }
        self.drop_old(command.queue);
    }

    /// Queues what has ended once more.
    pub(super) fn replay(&mut self, queue: CallbackQueue, no: InboundNo, now: UnixMillis) -> bool {
        let open = [CallbackState::Waiting, CallbackState::Aside];
        let Some(call) = self.calls.get_mut(&(queue, no)) else {
            return false;
        };
        if open.contains(&call.report.state) {
            return false;
        }
        call.report = CallbackReport {
            target: queue.target,
            no,
            state: CallbackState::Waiting,
            queued_at: now,
            attempts: 0,
            last_at: None,
            status: None,
            error: None,
        };
        call.due_at = None;
        let queue = self.queues.entry(queue).or_default();
        queue.due_at = queue.due_at.or(Some(now));
        true
    }

    fn drop_old(&mut self, queue: CallbackQueue) {
        let open = [CallbackState::Waiting, CallbackState::Aside];
        let ended = |call: &Call| !open.contains(&call.report.state);
        let mine = self.calls.iter().filter(|((of, _), _)| *of == queue);
        let newest = mine
            .filter(|(_, call)| ended(call))
            .map(|(key, _)| key.1.0)
            .max();
        let before = newest.unwrap_or(0).saturating_sub(CALLBACKS_KEPT);
        self.calls
            .retain(|(of, no), call| *of != queue || !ended(call) || no.0 > before);
    }
}

fn in_order(mut queues: Vec<(&CallbackQueue, &Queue)>) -> Vec<(CallbackQueue, u32)> {
    queues.sort_by_key(|(_, queue)| queue.due_at);
    queues
        .iter()
        .map(|(key, queue)| (**key, queue.failures))
        .collect()
}

#[async_trait]
impl Inbox for Memory {
    async fn inbound_queue(&self, limit: u32) -> Result<Vec<QueuedInbound>, StoreError> {
        let data = self.data();
        let parts = data.inbox.queued.iter().take(limit as usize);
        Ok(parts
            .map(|(n, part)| QueuedInbound {
                n: *n,
                part: part.clone(),
            })
            .collect())
    }

    async fn sort_inbound(&self, command: SortInbound) -> Result<InboundSorted, StoreError> {
        let data = &mut self.data().inbox;
        let mut sorted = InboundSorted::default();
        for item in command.parts {
            let Some(part) = data.queued.remove(&item.n) else {
                continue;
            };
            if data.is_repetition(&item.repetition, part.at) {
                sorted.repeated += 1;
                continue;
            }
            match item.becomes {
                Becomes::Message(message) => {
                    data.write(*message);
                    sorted.messages += 1;
                }
                Becomes::Gathered if data.gather(part) => sorted.gathered += 1,
                Becomes::Gathered => sorted.repeated += 1,
            }
        }
        data.seen.retain(|_, at| *at >= command.forget_before);
        Ok(sorted)
    }

    async fn gathered(
        &self,
        quiet_since: UnixMillis,
        limit: u32,
    ) -> Result<Vec<Gathered>, StoreError> {
        let data = self.data();
        let ripe = data.inbox.gatherings.iter();
        let ripe = ripe.filter(|(_, one)| one.closed || one.last_at < quiet_since);
        Ok(ripe
            .take(limit as usize)
            .map(|(id, one)| Gathered {
                id: *id,
                total: one.marks.3,
                parts: one
                    .parts
                    .values()
                    .cloned()
                    .map(|part| InboundPart {
                        disturbed_at: None,
                        ..part
                    })
                    .collect(),
            })
            .collect())
    }

    async fn record_joined(&self, joined: Vec<Joined>) -> Result<u32, StoreError> {
        let data = &mut self.data().inbox;
        let mut written = 0;
        for one in joined {
            let there = data.gatherings.get(&one.id);
            if there.is_some_and(|there| there.parts.len() == usize::from(one.parts)) {
                data.gatherings.remove(&one.id);
                data.write(one.message);
                written += 1;
            }
        }
        Ok(written)
    }

    async fn read_inbox(&self, command: ReadInbox) -> Result<Vec<InboundMessage>, StoreError> {
        let data = &mut self.data().inbox;
        let Some(inbox) = data.inboxes.get(&Some(command.account)) else {
            return Ok(vec![]);
        };
        let (before, through) = inbox.read;
        let (after, last) = match command.again {
            true => (before, through),
            false => (through, inbox.messages.len() as u32),
        };
        let mut found = Vec::new();
        let mut bytes = 0;
        for no in (after + 1..=last).take(command.messages_max as usize) {
            let one = data.message(Some(command.account), no);
            bytes += one.message.text.len();
            found.push(InboundMessage { read: true, ..one });
            if bytes >= command.text_bytes_max as usize {
                break;
            }
        }
        if let Some(newest) = found.last().filter(|_| !command.again) {
            let inbox = data.inboxes.get_mut(&Some(command.account)).expect("known");
            inbox.read = (through, newest.no.0);
        }
        Ok(found)
    }

    async fn inbound_messages(
        &self,
        account: Option<AccountId>,
        before: Option<InboundNo>,
        limit: u32,
    ) -> Result<Vec<InboundMessage>, StoreError> {
        let data = self.data();
        let count = data
            .inbox
            .inboxes
            .get(&account)
            .map_or(0, |inbox| inbox.messages.len());
        let end = before.map_or(count as u32, |no| {
            (count as u32).min(no.0.saturating_sub(1))
        });
        let numbers = (1..=end).rev().take(limit as usize);
        Ok(numbers.map(|no| data.inbox.message(account, no)).collect())
    }

    async fn inbound_work(
        &self,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<InboundWork>, StoreError> {
        let data = self.data();
        let work = data.inbox.work.iter();
        let work = work.filter(|(n, _)| after.is_none_or(|after| **n > after));
        Ok(work
            .take(limit as usize)
            .map(|(n, (account, no))| InboundWork {
                n: *n,
                message: data.inbox.message(*account, *no),
            })
            .collect())
    }

    async fn answers_since(
        &self,
        account: AccountId,
        sender: &str,
        since: UnixMillis,
    ) -> Result<u32, StoreError> {
        let data = self.data();
        let Some(inbox) = data.inbox.inboxes.get(&Some(account)) else {
            return Ok(0);
        };
        let answers = inbox.answers.iter();
        Ok(answers
            .filter(|(to, at)| to == sender && *at >= since)
            .count() as u32)
    }

    async fn finish_inbound(&self, command: FinishInbound) -> Result<(), StoreError> {
        let data = &mut self.data().inbox;
        let Some((account, no)) = data.work.remove(&command.n) else {
            return Ok(());
        };
        let inbox = data.inboxes.entry(account).or_default();
        inbox.outcomes.insert(no, command.outcome);
        if command.answered {
            let sender = inbox.messages[no as usize - 1].from.clone();
            inbox.answers.push((sender, command.now));
        }
        for target in command.callbacks {
            let account = account.expect("only accounts have URLs");
            let queue = CallbackQueue { account, target };
            let report = CallbackReport {
                target,
                no: InboundNo(no),
                state: CallbackState::Waiting,
                queued_at: command.now,
                attempts: 0,
                last_at: None,
                status: None,
                error: None,
            };
            let call = Call {
                report,
                due_at: None,
            };
            data.calls.entry((queue, InboundNo(no))).or_insert(call);
            let queue = data.queues.entry(queue).or_default();
            queue.due_at = queue.due_at.or(Some(command.now));
        }
        Ok(())
    }

    async fn add_rule(
        &self,
        account: AccountId,
        settings: RuleSettings,
        rules_max: u32,
    ) -> Result<RuleNo, AdminError> {
        let mut data = self.data();
        if !data.accounts.contains_key(&account) {
            return Err(AdminError::Unknown("account"));
        }
        let inbox = data.inbox.inboxes.entry(Some(account)).or_default();
        if inbox.rules.len() >= rules_max as usize {
            return Err(AdminError::Exists("as many rules as may be".into()));
        }
        inbox.rules_made += 1;
        let no = RuleNo(inbox.rules_made);
        inbox.rules.insert(no, settings);
        Ok(no)
    }

    async fn remove_rule(&self, account: AccountId, no: RuleNo) -> Result<bool, StoreError> {
        let mut data = self.data();
        let inbox = data.inbox.inboxes.get_mut(&Some(account));
        Ok(inbox.is_some_and(|inbox| inbox.rules.remove(&no).is_some()))
    }

    async fn rules(&self, account: AccountId) -> Result<Vec<Rule>, StoreError> {
        let data = self.data();
        let Some(inbox) = data.inbox.inboxes.get(&Some(account)) else {
            return Ok(vec![]);
        };
        let rules = inbox.rules.iter().map(|(no, settings)| Rule {
            no: *no,
            settings: settings.clone(),
        });
        Ok(rules.collect())
    }

    async fn claim_callbacks(
        &self,
        command: ClaimCallbacks,
    ) -> Result<Vec<CallbackBatch>, StoreError> {
        Ok(self.data().inbox.claim(command))
    }

    async fn record_callback(&self, command: RecordCallback) -> Result<(), StoreError> {
        self.data().inbox.record(&command);
        Ok(())
    }

    async fn callbacks(
        &self,
        account: AccountId,
        limit: u32,
    ) -> Result<Vec<CallbackReport>, StoreError> {
        let data = self.data();
        let mine = data
            .inbox
            .calls
            .iter()
            .filter(|((queue, _), _)| queue.account == account);
        let mut reports: Vec<_> = mine.map(|(_, call)| call.report.clone()).collect();
        reports.sort_by_key(|report| std::cmp::Reverse((report.no, report.target)));
        reports.truncate(limit as usize);
        Ok(reports)
    }
}
