//! [`crate::Screening`] over the store in memory.

use super::{Bulk, Data, Memory, SLICE};
use crate::*;
use async_trait::async_trait;
use domain::approval::Rule;
use domain::blacklist::BlackList;
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo, LineId, RecipientKey, RuleId};
use domain::msisdn::Msisdn;
use domain::recipient::Address;
use domain::status::{Event, State};
use domain::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone)]
struct Set {
    list: BlackList,
    in_force: bool,
    numbers: BTreeSet<Msisdn>,
    at: UnixMillis,
}

/// Lists, rules, and what was asked about texts.
#[derive(Clone, Default)]
pub(super) struct Screens {
    sets: BTreeMap<ListSetId, Set>,
    last_set: i64,
    additions: Vec<ListAddition>,
    version: ScreeningVersion,
    rules: Vec<Rule>,
    last_rule: i64,
    asked: BTreeMap<(AccountId, BulkNo), Asked>,
}

/// What was asked about a bulk, and what became of it.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) wanted: ApprovalWanted,
    pub(super) state: ApprovalState,
    decided: Option<(UnixMillis, Option<String>, Option<String>)>,
}

impl Asked {
    pub(super) fn new(wanted: ApprovalWanted, state: ApprovalState) -> Self {
        Self {
            wanted,
            state,
            decided: None,
        }
    }
}

impl Screens {
    fn in_force(&self, list: BlackList) -> Option<ListSetId> {
        let mut sets = self.sets.iter();
        sets.find(|(_, set)| set.in_force && set.list == list)
            .map(|(id, _)| *id)
    }

    fn new_set(&mut self, list: BlackList, in_force: bool, at: UnixMillis) -> ListSetId {
        self.last_set += 1;
        let numbers = BTreeSet::new();
        let set = Set {
            list,
            in_force,
            numbers,
            at,
        };
        self.sets.insert(ListSetId(self.last_set), set);
        ListSetId(self.last_set)
    }

    fn listed(&self, lists: &[BlackList], number: Msisdn) -> Option<BlackList> {
        let on = |list: &&BlackList| {
            let set = self.in_force(**list).and_then(|id| self.sets.get(&id));
            set.is_some_and(|set| set.numbers.contains(&number))
        };
        lists.iter().find(on).copied()
    }

    fn writing(&mut self, id: ListSetId) -> Result<&mut Set, AdminError> {
        let set = self.sets.get_mut(&id).filter(|set| !set.in_force);
        set.ok_or(AdminError::Unknown("replacement"))
    }

    /// Somebody is asked about a bulk; the first question stays.
    pub(super) fn ask(&mut self, key: (AccountId, BulkNo), asked: Asked) {
        self.asked.entry(key).or_insert(asked);
    }

    pub(super) fn asked(&mut self, key: (AccountId, BulkNo)) -> Option<&mut Asked> {
        self.asked.get_mut(&key)
    }

    /// The bulk is stopped: nobody has to decide any more.
    pub(super) fn withdraw(&mut self, key: (AccountId, BulkNo), now: UnixMillis) {
        if let Some(asked) = self.asked.get_mut(&key)
            && matches!(
                asked.state,
                ApprovalState::Building | ApprovalState::Waiting
            )
        {
            asked.state = ApprovalState::Withdrawn;
            asked.decided = Some((now, None, None));
        }
    }
}

impl Data {
    /// The list on which a waiting recipient stands by now, where it came onto one.
    pub(super) fn newly_listed(&self, key: RecipientKey) -> Option<BlackList> {
        let bulk = &self.accounts[&key.account].bulks[&key.bulk];
        let one = &bulk.recipients[key.seq.0 as usize];
        let Address::Mobile(number) = one.new.address else {
            return None;
        };
        let added = |addition: &ListAddition| addition.number == number;
        if !self.screens.additions.iter().any(added) || !one.progress.accepted.is_empty() {
            return None;
        }
        let line = bulk.command.line;
        let lists: Vec<_> = BlackList::that_bind(line, self.class(line)).collect();
        self.screens.listed(&lists, number)
    }

    fn class(&self, line: LineId) -> domain::line::LineClass {
        let mut lines = self.catalog.lines.iter();
        lines
            .find(|one| one.id == line)
            .map(|one| one.settings.class)
            .unwrap_or_default()
    }

    /// Rejects what nobody decided about in time.
    pub(super) fn time_out(&mut self, now: UnixMillis) {
        let late: Vec<_> = self
            .screens
            .asked
            .iter()
            .filter(|(_, asked)| asked.state == ApprovalState::Waiting && asked.wanted.until <= now)
            .map(|(key, _)| *key)
            .collect();
        for (account, bulk) in late {
            let asked = self.screens.asked.get_mut(&(account, bulk)).expect("late");
            asked.state = ApprovalState::TimedOut;
            let words = ("peyk".into(), "nobody decided in time".into());
            asked.decided = Some((now, Some(words.0), Some(words.1)));
            self.bulk(account, bulk).expect("asked about").stage = BulkStage::Rejected;
        }
    }

    fn approve(&mut self, account: AccountId, bulk: BulkNo, now: UnixMillis) {
        let bulk = self.bulk(account, bulk).expect("asked about");
        bulk.stage = BulkStage::Accepted;
        let due = bulk.command.due_at;
        let begins = now.max(due);
        let moved = |at: UnixMillis| begins.plus_millis(at.millis_since(due));
        bulk.command.expires_at = bulk.command.expires_at.map(moved);
    }

    fn approval(&self, key: (AccountId, BulkNo), asked: &Asked) -> Option<Approval> {
        let bulk: &Bulk = self.accounts.get(&key.0)?.bulks.get(&key.1)?;
        let own = asked.wanted.text.as_deref();
        let (decided_at, decided_by, reason) = match asked.decided.clone() {
            Some((at, by, reason)) => (Some(at), by, reason),
            None => (None, None, None),
        };
        bulk.shows().then(|| Approval {
            account: key.0,
            bulk: key.1,
            line: bulk.command.line,
            since: bulk.command.accepted_at,
            wanted: asked.wanted.clone(),
            text: own.unwrap_or(&bulk.command.text).to_owned(),
            recipients: bulk.recipients.len() as u32,
            state: asked.state,
            decided_at,
            decided_by,
            reason,
        })
    }
}

fn limited(numbers: &[Msisdn]) -> Result<(), StoreError> {
    match numbers.len() > LIST_NUMBERS_PER_COMMAND_MAX {
        true => Err(StoreError::Other("too many numbers".into())),
        false => Ok(()),
    }
}

#[async_trait]
impl Screening for Memory {
    async fn change_list(&self, change: ListChange) -> Result<ListChanged, StoreError> {
        limited(&change.numbers)?;
        let screens = &mut self.serves()?.data().screens;
        let known = screens.in_force(change.list);
        let id = match known {
            Some(id) => id,
            None if change.add => screens.new_set(change.list, true, change.at),
            None => {
                return Ok(ListChanged {
                    changed: 0,
                    count: 0,
                });
            }
        };
        let set = screens.sets.get_mut(&id).expect("in force");
        let mut changed = Vec::new();
        for number in change.numbers {
            let news = match change.add {
                true => set.numbers.insert(number),
                false => set.numbers.remove(&number),
            };
            changed.extend(news.then_some(number));
        }
        let (number_of, count) = (changed.len() as u32, set.numbers.len() as u64);
        if number_of > 0 {
            set.at = change.at;
            screens.version.lists += 1;
        }
        changed.sort_unstable();
        for number in changed.into_iter().filter(|_| change.add) {
            screens.version.additions += 1;
            let no = screens.version.additions;
            screens.additions.push(ListAddition {
                no,
                set: id,
                number,
            });
        }
        let beyond = (screens.additions.len() as u64).saturating_sub(LIST_ADDITIONS_KEPT);
        screens.additions.drain(..beyond as usize);
        Ok(ListChanged {
            changed: number_of,
            count,
        })
    }

    async fn begin_replacement(
        &self,
        list: BlackList,
        now: UnixMillis,
    ) -> Result<ListSetId, StoreError> {
        let screens = &mut self.serves()?.data().screens;
        screens
            .sets
            .retain(|_, set| set.in_force || set.list != list);
        Ok(screens.new_set(list, false, now))
    }

    async fn fill_replacement(
        &self,
        id: ListSetId,
        numbers: Vec<Msisdn>,
        now: UnixMillis,
    ) -> Result<u32, AdminError> {
        limited(&numbers)?;
        let mut data = self.serves()?.data();
        let set = data.screens.writing(id)?;
        let before = set.numbers.len();
        set.numbers.extend(numbers);
        set.at = now;
        Ok((set.numbers.len() - before) as u32)
    }

    async fn finish_replacement(&self, id: ListSetId, now: UnixMillis) -> Result<u64, AdminError> {
        let screens = &mut self.serves()?.data().screens;
        let list = screens.writing(id)?.list;
        if let Some(old) = screens.in_force(list) {
            screens.sets.remove(&old);
        }
        let set = screens.writing(id)?;
        (set.in_force, set.at) = (true, now);
        let count = set.numbers.len() as u64;
        screens.version.lists += 1;
        Ok(count)
    }

    async fn abandon_replacement(&self, id: ListSetId) -> Result<(), StoreError> {
        let screens = &mut self.serves()?.data().screens;
        screens
            .sets
            .retain(|known, set| set.in_force || *known != id);
        Ok(())
    }

    async fn listed(
        &self,
        lists: Vec<BlackList>,
        numbers: Vec<Msisdn>,
    ) -> Result<Vec<Option<BlackList>>, StoreError> {
        limited(&numbers)?;
        let screens = &self.data().screens;
        let found = numbers.iter().map(|number| screens.listed(&lists, *number));
        Ok(found.collect())
    }

    async fn list_numbers(
        &self,
        set: ListSetId,
        after: Option<Msisdn>,
        limit: u32,
    ) -> Result<Vec<Msisdn>, StoreError> {
        let data = self.data();
        let Some(set) = data.screens.sets.get(&set) else {
            return Ok(vec![]);
        };
        let page = set.numbers.iter().filter(|number| Some(**number) > after);
        Ok(page.take(limit as usize).copied().collect())
    }

    async fn screening(
        &self,
        known: Option<ScreeningVersion>,
    ) -> Result<Option<ScreeningState>, StoreError> {
        let screens = &self.data().screens;
        if known == Some(screens.version) {
            return Ok(None);
        }
        let mut lists: Vec<_> = screens
            .sets
            .iter()
            .filter(|(_, set)| set.in_force && !set.numbers.is_empty())
            .map(|(id, set)| ListState {
                list: set.list,
                set: *id,
                count: set.numbers.len() as u64,
                changed_at: set.at,
            })
            .collect();
        lists.sort_unstable_by_key(|state| state.list);
        let same = known.is_some_and(|known| known.rules == screens.version.rules);
        Ok(Some(ScreeningState {
            version: screens.version,
            lists,
            rules: (!same).then(|| screens.rules.clone()),
        }))
    }

    async fn additions(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<Option<Vec<ListAddition>>, StoreError> {
        let additions = &self.data().screens.additions;
        if additions.first().is_some_and(|first| after + 1 < first.no) {
            return Ok(None);
        }
        let page = additions.iter().filter(|addition| addition.no > after);
        Ok(Some(page.take(limit as usize).copied().collect()))
    }

    async fn add_approval_rule(&self, rule: NewRule) -> Result<RuleId, StoreError> {
        let screens = &mut self.serves()?.data().screens;
        screens.last_rule += 1;
        screens.version.rules += 1;
        let id = RuleId(screens.last_rule);
        screens.rules.push(Rule {
            id,
            matches: rule.matches,
            scope: rule.scope,
            note: rule.note,
            created_at: rule.at,
        });
        Ok(id)
    }

    async fn remove_approval_rule(&self, rule: RuleId) -> Result<(), AdminError> {
        let screens = &mut self.serves()?.data().screens;
        let before = screens.rules.len();
        screens.rules.retain(|known| known.id != rule);
        if screens.rules.len() == before {
            return Err(AdminError::Unknown("rule"));
        }
        screens.version.rules += 1;
        Ok(())
    }

    async fn approval(
        &self,
        account: AccountId,
        bulk: BulkNo,
    ) -> Result<Option<Approval>, StoreError> {
        let data = self.data();
        let asked = data.screens.asked.get(&(account, bulk));
        Ok(asked.and_then(|asked| data.approval((account, bulk), asked)))
    }

    async fn approvals_waiting(
        &self,
        after: Option<ApprovalCursor>,
        limit: u32,
    ) -> Result<Vec<Approval>, StoreError> {
        let data = self.data();
        let asked = data.screens.asked.iter();
        let mut waiting: Vec<Approval> = asked
            .filter(|(_, asked)| asked.state == ApprovalState::Waiting)
            .filter_map(|(key, asked)| data.approval(*key, asked))
            .collect();
        let place = |one: &Approval| (one.since, one.account, one.bulk);
        waiting.sort_unstable_by_key(place);
        let after = after.map(|after| (after.since, after.account, after.bulk));
        waiting.retain(|one| Some(place(one)) > after);
        waiting.truncate(limit as usize);
        Ok(waiting)
    }

    async fn decide_approval(&self, command: DecideApproval) -> Result<Decided, StoreError> {
        let mut data = self.serves()?.data();
        let key = (command.account, command.bulk);
        let Some(asked) = data.screens.asked(key) else {
            return Ok(Decided::Unknown);
        };
        match (asked.state, command.approve) {
            (ApprovalState::Building, _) => return Ok(Decided::Unknown),
            (ApprovalState::Waiting, approve) => {
                asked.state = match approve {
                    true => ApprovalState::Approved,
                    false => ApprovalState::Rejected,
                };
                asked.decided = Some((command.now, Some(command.by), command.reason));
            }
            (ApprovalState::Rejected, false) => {}
            (state, _) => return Ok(Decided::Already(state)),
        }
        if command.approve {
            data.approve(key.0, key.1, command.now);
            self.due.notify_waiters();
            return Ok(Decided::Done);
        }
        let bulk = data.bulk(key.0, key.1).expect("asked about");
        if bulk.stage == BulkStage::Rejected && bulk.counts().open() == 0 {
            return Ok(Decided::Already(ApprovalState::Rejected));
        }
        bulk.stage = BulkStage::Rejected;
        data.cancel_stopped(SLICE, command.now);
        let bulk = data.bulk(key.0, key.1).expect("asked about");
        Ok(match bulk.counts().of(State::Waiting) {
            0 => Decided::Done,
            _ => Decided::More,
        })
    }
}

impl Data {
    /// Leaves a recipient out who came onto a list.
    pub(super) fn leave_out(&mut self, key: RecipientKey, list: BlackList, now: UnixMillis) {
        self.apply(key, Event::Listed(list.reason()), now);
    }
}
