//! Why a bulk stands where it stands, in a sentence that a person can act on.
//!
//! [`explain`] is pure; the method on [`App`] gathers what it needs. English only: the console
//! translates the pieces when it comes.

use crate::App;
use crate::lines::shown;
use crate::link_health::{LINK_STATUS_STALE_MILLIS, is_up};
use domain::account::Account;
use domain::bulk::{BulkReport, BulkStage};
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
    /// All links.
    pub links: &'a [Link],
    /// What they are doing.
    pub statuses: &'a [LinkStatus],
    /// What was asked and decided about its text, where it needed approval.
    pub approval: Option<&'a Approval>,
    /// The operators that the bulk waits for.
    pub waiting: &'a [OperatorId],
    /// The names of operators.
    pub operators: &'a Operators,
    /// The time now.
    pub now: UnixMillis,
}

impl App {
    /// Why a bulk stands where it stands; `None` when the account has no such bulk.
    ///
    /// # Errors
    /// The store failed.
    pub async fn why(&self, account: &Account, bulk: BulkNo) -> Result<Option<String>, StoreError> {
        let Some(report) = self.store().bulk(account.id, bulk).await? else {
            return Ok(None);
        };
        let view = self.view().await?;
        let line = view.line(report.line);
        let waiting = match line {
            Some(line) if report.counts.open() > 0 => {
                self.waiting_operators(account.id, &report, line).await?
            }
            _ => Vec::new(),
        };
        let asks = [BulkStage::AwaitingApproval, BulkStage::Rejected].contains(&report.stage);
        let approval = if asks {
            self.store().approval(account.id, bulk).await?
        } else {
            None
        };
        let statuses = self.link_statuses().await?;
        Ok(Some(explain(&Facts {
            bulk: &report,
            line: line.map(|line| &**line),
            links: &view.catalog.links,
            statuses: &statuses,
            approval: approval.as_ref(),
            waiting: &waiting,
            operators: self.operators(),
            now: self.now(),
        })))
    }
}

/// The sentence. The first thing that holds the bulk up is named: its end, its schedule, its
/// line's hours, a missing route, a link that is down; else where its recipients are.
#[must_use]
pub fn explain(facts: &Facts<'_>) -> String {
    let counts = &facts.bulk.counts;
    match facts.bulk.stage {
        BulkStage::Building => return "not accepted yet: its recipients are being written".into(),
        BulkStage::Abandoned => return "given up before it was accepted".into(),
        BulkStage::Cancelled if counts.open() == 0 => return "cancelled by the sender".into(),
        BulkStage::AwaitingApproval => return awaiting(facts),
        BulkStage::Rejected => return rejected(facts),
        BulkStage::Cancelled | BulkStage::Accepted => {}
    }
    if counts.open() == 0 {
        return ended(facts.bulk);
    }
    let waiting = counts.of(State::Waiting);
    if waiting == 0 {
        return under_way(facts.bulk);
    }
    if let Some(obstacle) = obstacle(facts) {
        return obstacle;
    }
    if waiting < counts.open() || facts.bulk.reached > 0 {
        return format!("being sent: {waiting} of {} still wait", counts.total());
    }
    "waiting for its turn".into()
}

fn awaiting(facts: &Facts<'_>) -> String {
    let since = since(facts.bulk.accepted_at, facts.now);
    let why = facts.approval.map_or("", |approval| &approval.wanted.why);
    format!("waiting for approval of its text since {since}: {why}")
}

fn rejected(facts: &Facts<'_>) -> String {
    let Some(approval) = facts.approval else {
        return "its text was rejected".into();
    };
    let by = approval.decided_by.as_deref().unwrap_or("?");
    let reason = approval.reason.as_deref();
    let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
    format!("its text was rejected by {by}{reason}")
}

fn ended(bulk: &BulkReport) -> String {
    let counts = &bulk.counts;
    let ended = [
        State::Delivered,
        State::Failed,
        State::Discarded,
        State::Cancelled,
        State::Unreported,
    ];
    let parts: Vec<String> = ended
        .into_iter()
        .filter(|state| counts.of(*state) > 0)
        .map(|state| format!("{} {}", counts.of(state), state.word()))
        .collect();
    format!("finished: {}", parts.join(", "))
}

fn under_way(bulk: &BulkReport) -> String {
    let counts = &bulk.counts;
    if counts.of(State::Attempted) > 0 {
        return format!(
            "being sent: {} are with the link",
            counts.of(State::Attempted)
        );
    }
    let (submitted, held) = (counts.of(State::Submitted), counts.of(State::Held));
    match (submitted, held) {
        (_, 0) => format!("sent: {submitted} await their delivery receipt"),
        (0, _) => format!("held: the operator's answer to {held} was lost"),
        _ => format!(
            "sent: {submitted} await their delivery receipt; {held} held, their answer was lost"
        ),
    }
}

/// What keeps the waiting recipients from leaving, if anything does.
fn obstacle(facts: &Facts<'_>) -> Option<String> {
    let now = facts.now;
    if facts.bulk.due_at > now {
        return Some(format!(
            "scheduled for {}",
            format_tehran(facts.bulk.due_at)
        ));
    }
    let Some(line) = facts.line else {
        return Some("waiting: its line is gone".into());
    };
    if let Some(hours) = line.settings.hours
        && !hours.is_open(now)
    {
        let opens = format_tehran_clock(hours.next_opening(now));
        return Some(format!("waiting: line {} opens at {opens}", shown(line)));
    }
    let mut held_up = facts
        .waiting
        .iter()
        .map(|operator| route_obstacle(facts, line, *operator));
    // While one operator's messages leave, the bulk goes on.
    let first = held_up.next()??;
    held_up.all(|obstacle| obstacle.is_some()).then_some(first)
}

/// What keeps one operator's recipients from leaving.
fn route_obstacle(facts: &Facts<'_>, line: &Line, operator: OperatorId) -> Option<String> {
    let Some(route) = line.settings.route(operator) else {
        let key = facts
            .operators
            .by_id(operator)
            .map_or("?", |operator| &operator.key);
        let line = shown(line);
        return Some(format!(
            "waiting: no link is configured for line {line} and operator {key}"
        ));
    };
    let status = |id: LinkId| facts.statuses.iter().find(|status| status.link == id);
    let up = |id: LinkId| status(id).is_some_and(|status| is_up(status, facts.now));
    if up(route.link) || route.fallback.is_some_and(up) {
        return None;
    }
    Some(link_obstacle(facts, route.link, status(route.link)))
}

fn link_obstacle(facts: &Facts<'_>, id: LinkId, status: Option<&LinkStatus>) -> String {
    let Some(link) = facts.links.iter().find(|link| link.id == id) else {
        return format!("waiting: link {id} of its route is gone");
    };
    let name = &link.name;
    if !link.settings.enabled {
        return format!("waiting: link {name} is switched off");
    }
    let Some(status) = status else {
        return format!("waiting: link {name} was never up");
    };
    if facts.now.millis_since(status.at) > LINK_STATUS_STALE_MILLIS {
        let since = since(status.at, facts.now);
        return format!("waiting: no process serves link {name} since {since}");
    }
    let since = since(status.since, facts.now);
    match (status.state, &status.last_error) {
        (LinkState::Off, _) => format!("waiting: link {name} is off since {since}"),
        (_, Some(error)) => format!("waiting: link {name} is down since {since} ({error})"),
        (_, None) => format!("waiting: link {name} is down since {since}"),
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
