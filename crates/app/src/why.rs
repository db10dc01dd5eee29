//! Why a bulk stands where it stands, so that a person can act on it.
//!
//! [`explain`] is pure; the method on [`App`] gathers what it needs. The answer is data: the command
//! line says it in English ([`Why::english`]), the console in the language of its page, and to
//! customers without the names of links.

use crate::App;
use crate::lines::shown;
use crate::link_health::{LINK_STATUS_STALE_MILLIS, is_up};
use domain::account::Account;
use domain::bulk::{BulkReport, BulkStage, StateCounts};
use domain::ids::{BulkNo, LinkId, OperatorId};
use domain::line::Line;
use domain::link::{Link, LinkState, LinkStatus};
use domain::operator::Operators;
use domain::schedule::{format_tehran, format_tehran_clock};
use domain::status::State;
use domain::time::UnixMillis;
use store::{Approval, StoreError};

/// Milliseconds of a day: within one the hour alone says when.
const DAY_MILLIS: i64 = 86_400_000;

/// What is known when the question is asked.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The bulk.
    pub bulk: &'a BulkReport,
    /// Its line; `None` where it is gone.
    pub line: Option<&'a Line>,
    /// The ways to the operators.
    pub ways: Ways<'a>,
    /// What was asked and decided about its text, where it needed approval.
    pub approval: Option<&'a Approval>,
    /// The operators that the bulk waits for.
    pub waiting: &'a [OperatorId],
}

/// What is known of the ways to the operators.
#[derive(Clone, Copy)]
pub struct Ways<'a> {
    /// All links.
    pub links: &'a [Link],
    /// What they are doing.
    pub statuses: &'a [LinkStatus],
    /// The names of operators.
    pub operators: &'a Operators,
    /// The time now.
    pub now: UnixMillis,
}

/// Why a bulk stands where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its recipients are being written.
    Building,
    /// Given up before it was accepted.
    Abandoned,
    /// Its sender cancelled it.
    Cancelled,
    /// Its sender paused it.
    Paused,
    /// Its text needs a person's approval.
    AwaitingApproval {
        /// Since when.
        since: UnixMillis,
        /// What asks for it, in the words of the rule.
        rule: String,
    },
    /// Its text was not approved.
    Rejected(Option<Rejection>),
    /// Every recipient is final.
    Ended(StateCounts),
    /// Nothing waits, and so many are with their link.
    WithLink(u32),
    /// Nothing waits, and the operators' reports are awaited.
    AwaitingReceipts {
        /// The operator took these.
        submitted: u32,
        /// The answer to these was lost.
        held: u32,
    },
    /// It is to leave later.
    Scheduled(UnixMillis),
    /// Something keeps all that waits from leaving.
    Obstacle(Obstacle),
    /// It leaves.
    Leaving {
        /// Recipients that wait.
        waiting: u32,
        /// All recipients.
        total: u32,
    },
    /// Nothing of it has left, and nothing keeps it but others.
    Turn,
}

/// Who rejected a text, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Who, where that is known.
    pub by: Option<String>,
    /// Why, in the words of whoever decided.
    pub reason: Option<String>,
}

/// What keeps messages of a line from leaving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The line is gone.
    LineGone,
    /// The line sends in certain hours only.
    LineClosed {
        /// The line as people read it.
        line: String,
        /// When it may send again.
        opens: UnixMillis,
    },
    /// No link is set up.
    NoRoute {
        /// The line as people read it.
        line: String,
        /// To which operator.
        operator: OperatorId,
        /// The operator's key.
        key: String,
    },
    /// The link does not carry anything.
    Link {
        /// The line as people read it.
        line: String,
        /// To which operator.
        operator: OperatorId,
        /// The link's name; its number where it is gone.
        link: String,
        /// What is the matter with it.
        trouble: LinkTrouble,
    },
}

/// Why a link carries nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkTrouble {
    /// There is no such link any more.
    Gone,
    /// Its settings switch it off.
    SwitchedOff,
    /// No process ever served it.
    NeverUp,
    /// No process has served it since then.
    Unserved(UnixMillis),
    /// The process that serves it has switched it off since then.
    Off(UnixMillis),
    /// It is down.
    Down {
        /// Since when.
        since: UnixMillis,
        /// The last error, in words.
        error: Option<String>,
    },
}

impl App {
    /// Why a bulk stands where it stands; `None` when the account has no such bulk.
    ///
    /// # Errors
    /// The store failed.
    pub async fn why(&self, account: &Account, bulk: BulkNo) -> Result<Option<Why>, StoreError> {
        match self.store().bulk(account.id, bulk).await? {
            Some(report) => Ok(Some(self.why_of(account, &report).await?)),
            None => Ok(None),
        }
    }

    /// Why a bulk that was read stands where it stands.
    ///
    /// # Errors
    /// The store failed.
    pub async fn why_of(&self, account: &Account, report: &BulkReport) -> Result<Why, StoreError> {
        let view = self.view().await?;
        let line = view.line(report.line);
        let waiting = match line {
            Some(line) if report.counts.open() > 0 => {
                self.waiting_operators(account.id, report, line).await?
            }
            _ => Vec::new(),
        };
        let asks = [BulkStage::AwaitingApproval, BulkStage::Rejected].contains(&report.stage);
        let approval = if asks {
            self.store().approval(account.id, report.no).await?
        } else {
            None
        };
        let statuses = self.link_statuses().await?;
        Ok(explain(&Facts {
            bulk: report,
            line: line.map(|line| &**line),
            ways: Ways {
                links: &view.catalog.links,
                statuses: &statuses,
                operators: self.operators(),
                now: self.now(),
            },
            approval: approval.as_ref(),
            waiting: &waiting,
        }))
    }
}

/// The answer. The first thing that holds the bulk up is named: its end, its schedule, its line's
/// hours, a missing route, a link that is down; else where its recipients are.
#[must_use]
pub fn explain(facts: &Facts<'_>) -> Why {
    let counts = &facts.bulk.counts;
    let waiting = counts.of(State::Waiting);
    match facts.bulk.stage {
        BulkStage::Building => return Why::Building,
        BulkStage::Abandoned => return Why::Abandoned,
        BulkStage::Cancelled if counts.open() == 0 => return Why::Cancelled,
        BulkStage::AwaitingApproval => return awaiting(facts),
        BulkStage::Rejected => return Why::Rejected(facts.approval.map(rejection)),
        BulkStage::Paused if waiting > 0 => return Why::Paused,
        BulkStage::Cancelled | BulkStage::Accepted | BulkStage::Paused => {}
    }
    if counts.open() == 0 {
        return Why::Ended(*counts);
    }
    if waiting == 0 {
        return under_way(counts);
    }
    if facts.bulk.due_at > facts.ways.now {
        return Why::Scheduled(facts.bulk.due_at);
    }
    if let Some(obstacle) = obstacle(facts) {
        return Why::Obstacle(obstacle);
    }
    if waiting < counts.open() || facts.bulk.reached > 0 {
        let total = counts.total();
        return Why::Leaving { waiting, total };
    }
    Why::Turn
}

fn awaiting(facts: &Facts<'_>) -> Why {
    let rule = facts.approval.map_or("", |approval| &approval.wanted.why);
    Why::AwaitingApproval {
        since: facts.bulk.accepted_at,
        rule: rule.to_owned(),
    }
}

fn rejection(approval: &Approval) -> Rejection {
    Rejection {
        by: approval.decided_by.clone(),
        reason: approval.reason.clone(),
    }
}

fn under_way(counts: &StateCounts) -> Why {
    match counts.of(State::Attempted) {
        0 => Why::AwaitingReceipts {
            submitted: counts.of(State::Submitted),
            held: counts.of(State::Held),
        },
        attempted => Why::WithLink(attempted),
    }
}

/// What keeps the waiting recipients from leaving, if anything does.
fn obstacle(facts: &Facts<'_>) -> Option<Obstacle> {
    let Some(line) = facts.line else {
        return Some(Obstacle::LineGone);
    };
    if let Some(closed) = closed(line, facts.ways.now) {
        return Some(closed);
    }
    let mut held_up = facts
        .waiting
        .iter()
        .map(|operator| facts.ways.obstacle(line, *operator));
    // While one operator's messages leave, the bulk goes on.
    let first = held_up.next()??;
    held_up.all(|obstacle| obstacle.is_some()).then_some(first)
}

/// Whether a line may not send at this hour.
pub(crate) fn closed(line: &Line, now: UnixMillis) -> Option<Obstacle> {
    let hours = line.settings.hours.filter(|hours| !hours.is_open(now))?;
    Some(Obstacle::LineClosed {
        line: shown(line),
        opens: hours.next_opening(now),
    })
}

impl Ways<'_> {
    /// What keeps a line's messages to one operator from leaving.
    pub(crate) fn obstacle(&self, line: &Line, operator: OperatorId) -> Option<Obstacle> {
        let shown = shown(line);
        let Some(route) = line.settings.route(operator) else {
            let known = self.operators.by_id(operator);
            return Some(Obstacle::NoRoute {
                line: shown,
                operator,
                key: known.map_or("?", |known| &known.key).to_owned(),
            });
        };
        let status = |id: LinkId| self.statuses.iter().find(|status| status.link == id);
        let up = |id: LinkId| status(id).is_some_and(|status| is_up(status, self.now));
        if up(route.link) || route.fallback.is_some_and(up) {
            return None;
        }
        let link = self.links.iter().find(|link| link.id == route.link);
        Some(Obstacle::Link {
            line: shown,
            operator,
            link: link.map_or_else(|| route.link.to_string(), |link| link.name.clone()),
            trouble: self.trouble(link, status(route.link)),
        })
    }

    /// What is the matter with a link that is not up.
    pub(crate) fn trouble(&self, link: Option<&Link>, status: Option<&LinkStatus>) -> LinkTrouble {
        let Some(link) = link else {
            return LinkTrouble::Gone;
        };
        if !link.settings.enabled {
            return LinkTrouble::SwitchedOff;
        }
        let Some(status) = status else {
            return LinkTrouble::NeverUp;
        };
        if self.now.millis_since(status.at) > LINK_STATUS_STALE_MILLIS {
            return LinkTrouble::Unserved(status.at);
        }
        match status.state {
            LinkState::Off => LinkTrouble::Off(status.since),
            LinkState::Up | LinkState::Down => LinkTrouble::Down {
                since: status.since,
                error: status.last_error.clone(),
            },
        }
    }
}

impl Why {
    /// In English, for the command line; `now` says which times need their date.
    #[must_use]
    pub fn english(&self, now: UnixMillis) -> String {
        match self {
            Self::Building => "not accepted yet: its recipients are being written".into(),
            Self::Abandoned => "given up before it was accepted".into(),
            Self::Cancelled => "cancelled by the sender".into(),
            Self::Paused => "paused by the sender".into(),
            Self::AwaitingApproval { since: at, rule } => {
                let since = since(*at, now);
                format!("waiting for approval of its text since {since}: {rule}")
            }
            Self::Rejected(None) => "its text was rejected".into(),
            Self::Rejected(Some(rejection)) => rejected(rejection),
            Self::Ended(counts) => ended(counts),
            Self::WithLink(attempted) => format!("being sent: {attempted} are with the link"),
            Self::AwaitingReceipts { submitted, held } => receipts(*submitted, *held),
            Self::Scheduled(at) => format!("scheduled for {}", format_tehran(*at)),
            Self::Obstacle(obstacle) => format!("waiting: {}", obstacle.english(now)),
            Self::Leaving { waiting, total } => {
                format!("being sent: {waiting} of {total} still wait")
            }
            Self::Turn => "waiting for its turn".into(),
        }
    }
}

fn rejected(rejection: &Rejection) -> String {
    let by = rejection.by.as_deref().unwrap_or("?");
    let reason = rejection.reason.as_deref();
    let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
    format!("its text was rejected by {by}{reason}")
}

fn ended(counts: &StateCounts) -> String {
    let parts: Vec<String> = State::ALL
        .into_iter()
        .filter(|state| state.is_final() && counts.of(*state) > 0)
        .map(|state| format!("{} {}", counts.of(state), state.word()))
        .collect();
    format!("finished: {}", parts.join(", "))
}

fn receipts(submitted: u32, held: u32) -> String {
    match (submitted, held) {
        (_, 0) => format!("sent: {submitted} await their delivery receipt"),
        (0, _) => format!("held: the operator's answer to {held} was lost"),
        _ => format!(
            "sent: {submitted} await their delivery receipt; {held} held, their answer was lost"
        ),
    }
}

impl Obstacle {
    /// In English, for the command line; `now` says which times need their date.
    #[must_use]
    pub fn english(&self, now: UnixMillis) -> String {
        match self {
            Self::LineGone => "its line is gone".into(),
            Self::LineClosed { line, opens } => {
                format!("line {line} opens at {}", format_tehran_clock(*opens))
            }
            Self::NoRoute { line, key, .. } => {
                format!("no link is configured for line {line} and operator {key}")
            }
            Self::Link { link, trouble, .. } => trouble.english(link, now),
        }
    }
}

impl LinkTrouble {
    fn english(&self, link: &str, now: UnixMillis) -> String {
        match self {
            Self::Gone => format!("link {link} of its route is gone"),
            Self::SwitchedOff => format!("link {link} is switched off"),
            Self::NeverUp => format!("link {link} was never up"),
            Self::Unserved(at) => {
                format!("no process serves link {link} since {}", since(*at, now))
            }
            Self::Off(at) => format!("link {link} is off since {}", since(*at, now)),
            Self::Down { since: at, error } => {
                let error = error.as_ref().map_or(String::new(), |e| format!(" ({e})"));
                format!("link {link} is down since {}{error}", since(*at, now))
            }
        }
    }
}

/// The hour, with the date where it was not within the last day.
fn since(at: UnixMillis, now: UnixMillis) -> String {
    if now.millis_since(at) < DAY_MILLIS {
        format_tehran_clock(at)
    } else {
        format_tehran(at)
    }
}

#[cfg(test)]
mod tests;
