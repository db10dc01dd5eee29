//! The queue of texts that wait for a person, each with what a decision needs.

use crate::{App, ManageError};
use domain::approval::{Rule, RuleMatch, RuleSet};
use domain::bulk::BulkReport;
use domain::ids::{AccountId, BulkNo};
use domain::line::Line;
use domain::time::UnixMillis;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use store::{Approval, ApprovalCursor};

/// Words in a row that are looked at together for what a rule found.
const MARKED_WORDS_MAX: usize = 4;
/// Characters of a text in which it is marked what a rule found; a longer one stands unmarked.
const MARKED_CHARS_MAX: usize = 2_000;

/// Where a page of the queue begins: after this text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApprovalPlace {
    /// Since when it waits.
    pub since: UnixMillis,
    /// Whose bulk.
    pub account: AccountId,
    /// Which bulk.
    pub bulk: BulkNo,
}

/// A text that waits.
#[derive(Clone, Debug)]
pub struct QueuedText {
    /// What was asked.
    pub approval: Approval,
    /// The account's user name.
    pub account: String,
    /// The name of the person or company.
    pub title: String,
    /// Its line; `None` where it is gone.
    pub line: Option<Line>,
    /// The rule that asked, where it is still there.
    pub rule: Option<Rule>,
    /// The bulk, for its price; `None` where it went meanwhile.
    pub bulk: Option<BulkReport>,
}

/// A page of the queue.
#[derive(Clone, Debug, Default)]
pub struct ApprovalPage {
    /// The oldest first.
    pub texts: Vec<QueuedText>,
    /// Where to go on; `None` at the end.
    pub next: Option<ApprovalPlace>,
}

impl App {
    /// The texts that wait for somebody to decide, the oldest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn approval_queue(
        &self,
        after: Option<ApprovalPlace>,
        limit: u32,
    ) -> Result<ApprovalPage, ManageError> {
        let after = after.map(|place| ApprovalCursor {
            since: place.since,
            account: place.account,
            bulk: place.bulk,
        });
        let mut waiting = self.store().approvals_waiting(after, limit + 1).await?;
        let more = waiting.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        waiting.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = waiting.last().filter(|_| more).map(|last| ApprovalPlace {
            since: last.since,
            account: last.account,
            bulk: last.bulk,
        });
        let rules = self.approval_rules().await?;
        let view = self.view().await?;
        let mut names: HashMap<AccountId, (String, String)> = HashMap::new();
        let mut texts = Vec::with_capacity(waiting.len());
        for approval in waiting {
            let id = approval.account;
            let (account, title) = match names.entry(id) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(place) => {
                    let account = self.store().account_by_id(id).await?;
                    let name = account.map(|account| (account.name, account.settings.title));
                    place.insert(name.unwrap_or_default()).clone()
                }
            };
            let rule = approval.wanted.rule;
            texts.push(QueuedText {
                account,
                title,
                line: view.line(approval.line).map(|line| (**line).clone()),
                rule: rules.iter().find(|one| Some(one.id) == rule).cloned(),
                bulk: self.store().bulk(id, approval.bulk).await?,
                approval,
            });
        }
        Ok(ApprovalPage { texts, next })
    }

    /// Whose bulk a decision is about, by the account's id.
    ///
    /// # Errors
    /// There is no such account, or the store failed.
    pub async fn decide_approval_numbered(
        &self,
        account: AccountId,
        bulk: BulkNo,
        decision: crate::Decision<'_>,
    ) -> Result<(), ManageError> {
        let account: Arc<_> = self.account_numbered(account).await?;
        self.decide_approval(&account, bulk, decision).await
    }
}

/// A text in pieces, each with whether it is what the rule found. A rule about every text, and one
/// that finds something only over many words, marks nothing.
#[must_use]
pub fn marked<'a>(text: &'a str, rule: Option<&Rule>) -> Vec<(bool, &'a str)> {
    let whole = vec![(false, text)];
    let Some(rule) = rule.filter(|rule| rule.matches != RuleMatch::Everything) else {
        return whole;
    };
    if text.chars().count() > MARKED_CHARS_MAX {
        return whole;
    }
    let Ok(rules) = RuleSet::new(vec![rule.clone()]) else {
        return whole;
    };
    let words = words(text);
    let mut hits = vec![false; words.len()];
    for length in 1..=MARKED_WORDS_MAX.min(words.len()) {
        for start in 0..=words.len() - length {
            let run = start..start + length;
            if hits[run.clone()].iter().any(|hit| *hit) {
                continue;
            }
            let (first, last) = (words[run.start].0, words[run.end - 1].1);
            if !rules.all_hits(&text[first..last]).is_empty() {
                hits[run].fill(true);
            }
        }
    }
    pieces(text, &words, &hits)
}

/// Where each word of a text begins and ends.
fn words(text: &str) -> Vec<(usize, usize)> {
    let base = text.as_ptr() as usize;
    let words = text.split_whitespace();
    words
        .map(|word| {
            let start = word.as_ptr() as usize - base;
            (start, start + word.len())
        })
        .collect()
}

fn pieces<'a>(text: &'a str, words: &[(usize, usize)], hits: &[bool]) -> Vec<(bool, &'a str)> {
    let mut pieces = Vec::new();
    let mut written = 0;
    let mut place = 0;
    while place < words.len() {
        if !hits[place] {
            place += 1;
            continue;
        }
        let first = place;
        while place < words.len() && hits[place] {
            place += 1;
        }
        let (start, end) = (words[first].0, words[place - 1].1);
        if written < start {
            pieces.push((false, &text[written..start]));
        }
        pieces.push((true, &text[start..end]));
        written = end;
    }
    if written < text.len() {
        pieces.push((false, &text[written..]));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::approval::RuleScope;
    use domain::ids::RuleId;

    fn rule(matches: RuleMatch) -> Rule {
        Rule {
            id: RuleId(1),
            matches,
            scope: RuleScope::default(),
            note: String::new(),
            created_at: UnixMillis(0),
        }
    }

    #[test]
    fn what_a_rule_found_is_marked_and_nothing_is_lost() {
        let word = rule(RuleMatch::Word("قرعه کشی".into()));
        let text = "شما در قرعه کشی\nبرنده شدید ";
        let pieces = marked(text, Some(&word));
        assert_eq!(
            pieces,
            [
                (false, "شما در "),
                (true, "قرعه کشی"),
                (false, "\nبرنده شدید ")
            ]
        );
        let link = rule(RuleMatch::Link { except: Vec::new() });
        let pieces = marked("go to evil.ir now", Some(&link));
        assert_eq!(
            pieces,
            [(false, "go to "), (true, "evil.ir"), (false, " now")]
        );
    }

    #[test]
    fn a_rule_about_everything_marks_nothing() {
        let all = rule(RuleMatch::Everything);
        assert_eq!(marked("a b", Some(&all)), [(false, "a b")]);
        assert_eq!(marked("a b", None), [(false, "a b")]);
        assert_eq!(marked("", Some(&rule(RuleMatch::Word("x".into())))), []);
    }
}
