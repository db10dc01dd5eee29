//! [`store::Screening`] for the fake: lists, rules, and decisions as they are asked for.

use super::{FakeStore, absent};
use async_trait::async_trait;
use domain::approval::Rule;
use domain::blacklist::BlackList;
use domain::ids::{AccountId, BulkNo, RuleId};
use domain::msisdn::Msisdn;
use domain::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet};
use store::*;

/// What the fake knows of lists and rules.
#[derive(Default)]
pub(crate) struct Screens {
    lists: BTreeMap<BlackList, (ListSetId, BTreeSet<Msisdn>)>,
    additions: Vec<ListAddition>,
    replacement: Option<(BlackList, ListSetId, BTreeSet<Msisdn>)>,
    sets: i64,
    version: ScreeningVersion,
    pub(crate) rules: Vec<Rule>,
    /// Looks at the lists themselves, and the numbers that were asked about.
    pub(crate) looked_up: Vec<Vec<Msisdn>>,
    pub(crate) fails: bool,
    pub(crate) approval: Option<Approval>,
    pub(crate) decisions: Vec<DecideApproval>,
    /// Answers to the next decisions; `Done` when there is none.
    pub(crate) decided: Vec<Decided>,
}

impl Screens {
    fn new_set(&mut self) -> ListSetId {
        self.sets += 1;
        ListSetId(self.sets)
    }
}

#[async_trait]
impl Screening for FakeStore {
    async fn change_list(&self, change: ListChange) -> Result<ListChanged, StoreError> {
        self.with(|state| {
            let screens = &mut state.screens;
            let new = screens.new_set();
            let (set, numbers) = screens
                .lists
                .entry(change.list)
                .or_insert((new, BTreeSet::new()));
            let mut changed = 0;
            for number in change.numbers {
                let news = if change.add {
                    numbers.insert(number)
                } else {
                    numbers.remove(&number)
                };
                changed += u32::from(news);
                if change.add && news {
                    screens.version.additions += 1;
                    screens.additions.push(ListAddition {
                        no: screens.version.additions,
                        set: *set,
                        number,
                    });
                }
            }
            screens.version.lists += 1;
            let count = numbers.len() as u64;
            Ok(ListChanged { changed, count })
        })
    }

    async fn begin_replacement(
        &self,
        list: BlackList,
        _: UnixMillis,
    ) -> Result<ListSetId, StoreError> {
        Ok(self.with(|state| {
            let set = state.screens.new_set();
            state.screens.replacement = Some((list, set, BTreeSet::new()));
            set
        }))
    }

    async fn fill_replacement(
        &self,
        _: ListSetId,
        numbers: Vec<Msisdn>,
        _: UnixMillis,
    ) -> Result<u32, AdminError> {
        self.with(|state| {
            let replacement = state.screens.replacement.as_mut();
            let (_, _, known) = replacement.ok_or(AdminError::Unknown("replacement"))?;
            let before = known.len();
            known.extend(numbers);
            Ok((known.len() - before) as u32)
        })
    }

    async fn finish_replacement(&self, _: ListSetId, _: UnixMillis) -> Result<u64, AdminError> {
        self.with(|state| {
            let screens = &mut state.screens;
            let replacement = screens.replacement.take();
            let (list, set, numbers) = replacement.ok_or(AdminError::Unknown("replacement"))?;
            let count = numbers.len() as u64;
            screens.lists.insert(list, (set, numbers));
            screens.version.lists += 1;
            Ok(count)
        })
    }

    async fn abandon_replacement(&self, _: ListSetId) -> Result<(), StoreError> {
        self.with(|state| state.screens.replacement = None);
        Ok(())
    }

    async fn listed(
        &self,
        lists: Vec<BlackList>,
        numbers: Vec<Msisdn>,
    ) -> Result<Vec<Option<BlackList>>, StoreError> {
        Ok(self.with(|state| {
            let known = &state.screens.lists;
            let on = |number: &Msisdn| {
                let holds = |list: &&BlackList| {
                    known.get(list).is_some_and(|(_, set)| set.contains(number))
                };
                lists.iter().find(holds).copied()
            };
            let found = numbers.iter().map(on).collect();
            state.screens.looked_up.push(numbers);
            found
        }))
    }

    async fn list_numbers(
        &self,
        set: ListSetId,
        after: Option<Msisdn>,
        limit: u32,
    ) -> Result<Vec<Msisdn>, StoreError> {
        Ok(self.with(|state| {
            let mut lists = state.screens.lists.values();
            let found = lists.find(|(known, _)| *known == set);
            let numbers = found.into_iter().flat_map(|(_, numbers)| numbers);
            let page = numbers.filter(|number| Some(**number) > after);
            page.take(limit as usize).copied().collect()
        }))
    }

    async fn screening(
        &self,
        known: Option<ScreeningVersion>,
    ) -> Result<Option<ScreeningState>, StoreError> {
        self.with(|state| {
            let screens = &state.screens;
            if screens.fails {
                return Err(StoreError::Other("told to fail".into()));
            }
            if known == Some(screens.version) {
                return Ok(None);
            }
            let lists = screens.lists.iter().filter(|(_, (_, set))| !set.is_empty());
            let lists = lists.map(|(list, (set, numbers))| ListState {
                list: *list,
                set: *set,
                count: numbers.len() as u64,
                changed_at: UnixMillis(0),
            });
            Ok(Some(ScreeningState {
                version: screens.version,
                lists: lists.collect(),
                rules: Some(screens.rules.clone()),
            }))
        })
    }

    async fn additions(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<Option<Vec<ListAddition>>, StoreError> {
        Ok(self.with(|state| {
            let additions = state.screens.additions.iter();
            let page = additions.filter(|addition| addition.no > after);
            Some(page.take(limit as usize).copied().collect())
        }))
    }

    async fn add_approval_rule(&self, rule: NewRule) -> Result<RuleId, StoreError> {
        Ok(self.with(|state| {
            let screens = &mut state.screens;
            let id = RuleId(screens.rules.len() as i64 + 1);
            screens.version.rules += 1;
            screens.rules.push(Rule {
                id,
                matches: rule.matches,
                scope: rule.scope,
                note: rule.note,
                created_at: rule.at,
            });
            id
        }))
    }

    async fn remove_approval_rule(&self, _: RuleId) -> Result<(), AdminError> {
        Err(absent().into())
    }

    async fn approval(&self, _: AccountId, _: BulkNo) -> Result<Option<Approval>, StoreError> {
        Ok(self.with(|state| state.screens.approval.clone()))
    }

    async fn approvals_waiting(
        &self,
        _: Option<ApprovalCursor>,
        _: u32,
    ) -> Result<Vec<Approval>, StoreError> {
        Err(absent())
    }

    async fn decide_approval(&self, command: DecideApproval) -> Result<Decided, StoreError> {
        Ok(self.with(|state| {
            state.screens.decisions.push(command);
            if state.screens.decided.is_empty() {
                return Decided::Done;
            }
            state.screens.decided.remove(0)
        }))
    }
}
