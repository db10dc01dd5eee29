//! The lines of an account as a person looks at them: when they send, what they cost, and whether
//! their messages can leave at the moment.

use crate::App;
use crate::access::Access;
use crate::lines::shown;
use crate::link_health::is_up;
use domain::account::Account;
use domain::ids::{LineId, LinkId, OperatorId};
use domain::line::{Line, LineSettings};
use domain::link::LinkStatus;
use domain::money::Rials;
use domain::text::Alphabet;
use domain::time::UnixMillis;
use store::StoreError;

/// Whether messages to an operator can leave at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// They can.
    Up,
    /// They can, by the link that stands in for the first one.
    StandIn,
    /// No link that carries them is up.
    Down,
    /// No link is set for them.
    NoRoute,
}

/// What a line is to one operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineOperator {
    /// Which.
    pub operator: OperatorId,
    /// Rials for a part of a text in other letters than Latin ones; `None` where it has no price.
    pub ucs2: Option<Rials>,
    /// Rials for a part of a text in Latin letters.
    pub gsm7: Option<Rials>,
    /// Whether its messages can leave.
    pub reach: Reach,
}

/// A line of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnLine {
    /// Its id.
    pub id: LineId,
    /// `+98…`, or a name.
    pub number: String,
    /// What it may do.
    pub settings: LineSettings,
    /// Whether its messages come into this account's inbox.
    pub receives: bool,
    /// When it opens next; `None` while it is open.
    pub opens_at: Option<UnixMillis>,
    /// When it closes; `None` where it is closed, or never closes.
    pub closes_at: Option<UnixMillis>,
    /// By operator, in the order in which operators are listed.
    pub operators: Vec<LineOperator>,
}

fn reach(line: &LineSettings, operator: OperatorId, links: &Links<'_>) -> Reach {
    match line.route(operator) {
        None => Reach::NoRoute,
        Some(route) if links.up(route.link) => Reach::Up,
        Some(route) if route.fallback.is_some_and(|link| links.up(link)) => Reach::StandIn,
        Some(_) => Reach::Down,
    }
}

struct Links<'a> {
    statuses: &'a [LinkStatus],
    now: UnixMillis,
}

impl Links<'_> {
    fn up(&self, id: LinkId) -> bool {
        let of = |status: &&LinkStatus| status.link == id;
        let status = self.statuses.iter().find(of);
        status.is_some_and(|status| is_up(status, self.now))
    }
}

impl App {
    /// The lines that the account may use, in the order in which they were added.
    ///
    /// # Errors
    /// The store failed.
    pub async fn own_lines(&self, account: &Account) -> Result<Vec<OwnLine>, StoreError> {
        let view = self.view().await?;
        let statuses = self.link_statuses().await?;
        let now = self.now();
        let links = Links {
            statuses: &statuses,
            now,
        };
        let access = Access::of(&view, account);
        let own = |line: &Line| {
            let hours = line.settings.hours;
            let open = hours.is_none_or(|hours| hours.is_open(now));
            OwnLine {
                id: line.id,
                number: shown(line),
                receives: line.settings.can_receive
                    && line
                        .settings
                        .inbound_account
                        .is_none_or(|owner| owner == account.id),
                opens_at: hours.filter(|_| !open).map(|hours| hours.next_opening(now)),
                closes_at: hours.filter(|_| open).map(|hours| hours.closes_at(now)),
                operators: self.line_operators(&access, line, &links),
                settings: line.settings.clone(),
            }
        };
        Ok(access.lines().map(own).collect())
    }

    fn line_operators(
        &self,
        access: &Access<'_>,
        line: &Line,
        links: &Links<'_>,
    ) -> Vec<LineOperator> {
        let operators = self.operators().iter();
        let of = |operator: OperatorId| LineOperator {
            operator,
            ucs2: access.price(line.id, operator, Alphabet::Ucs2),
            gsm7: access.price(line.id, operator, Alphabet::Gsm7),
            reach: reach(&line.settings, operator, links),
        };
        operators.map(|operator| of(operator.id)).collect()
    }
}
