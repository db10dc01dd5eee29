//! The steps that every kind of send has in common: text, line, price, time, hours and link.
//!
//! Not here: the order in which they refuse, which is each use case's own (`send`,
//! `send_numbers`), and the writing.

use crate::access::{Access, PackageChain};
use crate::catalog::CatalogView;
use crate::link_health::operator_reachable;
use crate::send::SendError;
use crate::{App, Limits};
use domain::account::Account;
use domain::ids::{LineId, OperatorId};
use domain::line::{Line, WhenClosed};
use domain::line_number::LineNumber;
use domain::money::Rials;
use domain::msisdn::{Msisdn, digits_as_given};
use domain::operator::Operators;
use domain::reason::Reason;
use domain::recipient::{Address, NewRecipient};
use domain::refusal::Refusal;
use domain::schedule::{SendTime, TimeError, parse_send_time};
use domain::status::State;
use domain::text::{Alphabet, Measure, PARTS_MAX, ReferenceBits, is_invisible, measure};
use domain::time::UnixMillis;
use std::sync::Arc;
use store::AcceptBulk;

/// Seconds of an hour.
const HOUR_SECONDS: u32 = 3_600;

/// Whether a text shows nothing.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// The sender line, if the account may send from it.
pub(crate) fn own_line(view: &CatalogView, account: &Account, from: &str) -> Option<Arc<Line>> {
    let line = view.line_by_number(&LineNumber::parse(from)?)?;
    let own = Access::of(view, account).may_use(line.id) && line.settings.can_send;
    own.then(|| Arc::clone(line))
}

/// The concatenation reference by which parts are counted. A text for a line that is not the
/// account's is measured too, because code 422 goes before code 3; by the wider measure, so that
/// nothing is learnt of the line.
pub(crate) fn reference_bits(line: Option<&Line>) -> ReferenceBits {
    line.map_or(ReferenceBits::Eight, |line| line.settings.reference_bits)
}

/// Measures a text; code 422 when it is too long.
pub(crate) fn measured(
    text: &str,
    bits: ReferenceBits,
    limits: &Limits,
) -> Result<Measure, Refusal> {
    let chars_max = limits.text_chars_max as usize;
    // A character has four bytes at most and one at least, so mostly nothing need be counted.
    let too_long =
        text.len() > chars_max && (text.len() > chars_max * 4 || text.chars().count() > chars_max);
    if too_long {
        return Err(Refusal::InputInvalid);
    }
    let measure = measure(text, bits);
    if measure.parts > PARTS_MAX {
        Err(Refusal::InputInvalid)
    } else {
        Ok(measure)
    }
}

/// When a bulk may leave.
pub(crate) struct Due {
    /// The time of acceptance.
    pub(crate) now: UnixMillis,
    /// Not before this.
    pub(crate) at: UnixMillis,
}

impl Due {
    /// Reads the parameter `time`; code 1006 when it has passed, 422 when it makes no sense.
    pub(crate) fn read(time: Option<&str>, now: UnixMillis) -> Result<Self, Refusal> {
        let at = match parse_send_time(time.unwrap_or_default(), now) {
            Ok(SendTime::Now) => now,
            Ok(SendTime::At(at)) => at,
            Err(TimeError::Past) => return Err(Refusal::TimeInPast),
            Err(TimeError::Unreadable | TimeError::Jalali | TimeError::TooFar) => {
                return Err(Refusal::InputInvalid);
            }
        };
        Ok(Self { now, at })
    }

    fn is_now(&self) -> bool {
        self.at <= self.now
    }
}

/// Code 9 where the line is closed at the time of sending and refuses instead of queueing.
pub(crate) fn check_hours(line: &Line, due: &Due) -> Result<(), Refusal> {
    let closed = line
        .settings
        .hours
        .is_some_and(|hours| !hours.is_open(due.at));
    if closed && line.settings.outside_hours == WhenClosed::Refuse {
        return Err(Refusal::LineClosedNow);
    }
    Ok(())
}

/// The prices of one line for one account, each looked up once.
pub(crate) struct Pricer {
    view: Arc<CatalogView>,
    packages: PackageChain,
    line: LineId,
    known: Vec<(OperatorId, Alphabet, Rials)>,
}

impl Pricer {
    pub(crate) fn new(view: Arc<CatalogView>, account: &Account, line: LineId) -> Self {
        Self {
            view,
            packages: PackageChain::of(account),
            line,
            known: Vec::new(),
        }
    }

    /// Rials a part; code 302 where there is no price.
    fn price(&mut self, operator: OperatorId, alphabet: Alphabet) -> Result<Rials, Refusal> {
        // A handful of operators and two alphabets: a walk is faster than any map.
        let known = self
            .known
            .iter()
            .find(|row| row.0 == operator && row.1 == alphabet);
        if let Some((_, _, price)) = known {
            return Ok(*price);
        }
        let price = self
            .packages
            .price(&self.view, self.line, operator, alphabet);
        let price = price.ok_or(Refusal::NoTariff)?;
        self.known.push((operator, alphabet, price));
        Ok(price)
    }

    /// How many prices were looked up: when it grows, an operator may be new.
    pub(crate) fn looked_up(&self) -> usize {
        self.known.len()
    }

    /// A recipient that is to be sent to; code 302 where there is no price for it.
    pub(crate) fn mobile(
        &mut self,
        operators: &Operators,
        number: Msisdn,
        measure: &Measure,
        text: Option<Box<str>>,
    ) -> Result<NewRecipient, Refusal> {
        let operator = operators.resolve(number);
        Ok(NewRecipient {
            address: Address::Mobile(number),
            operator,
            parts: u8::try_from(measure.parts).map_err(|_| Refusal::InputInvalid)?,
            unit_price: self.price(operator, measure.alphabet)?,
            text,
            ends_as: None,
        })
    }
}

/// A recipient that is no mobile number: reported as failed, and not charged.
pub(crate) fn invalid(operators: &Operators, digits: &str) -> NewRecipient {
    NewRecipient {
        address: Address::Invalid(digits.into()),
        operator: operators.other(),
        parts: 0,
        unit_price: Rials::ZERO,
        text: None,
        ends_as: Some((State::Failed, Reason::NotAMobileNumber)),
    }
}

/// A recipient as given: a number, or what a report shows in its place.
pub(crate) enum Given {
    Mobile(Msisdn),
    Invalid(String),
    /// Blank: a trailing comma or an empty line, and no recipient at all.
    Nothing,
}

impl Given {
    pub(crate) fn read(text: &str) -> Self {
        match Msisdn::parse(text) {
            Some(number) => Self::Mobile(number),
            None if is_blank(text) => Self::Nothing,
            None => Self::Invalid(digits_as_given(text)),
        }
    }
}

/// The command for a bulk of this line, without recipients, key and urgency.
pub(crate) fn command(access: &Access<'_>, line: &Line, text: &str, due: &Due) -> AcceptBulk {
    let settings = &line.settings;
    let validity = settings.validity_seconds;
    AcceptBulk {
        account: access.account().id,
        line: line.id,
        terms: settings.terms(),
        report_seconds: settings.report_hours.saturating_mul(HOUR_SECONDS),
        reference_bits: settings.reference_bits,
        text: text.into(),
        accepted_at: due.now,
        due_at: due.at,
        expires_at: validity.map(|seconds| due.at.plus_seconds(i64::from(seconds))),
        urgent: false,
        masked: false,
        idempotency_key: None,
        day_limit: access.day_limit(due.now),
        recipients: Vec::new(),
        whole: true,
        approval: None,
    }
}

impl App {
    /// Code 99 where the line refuses while a link is down, and one of these recipients' operators
    /// cannot be reached. What is scheduled for later is taken: the link has until then.
    pub(crate) async fn check_links(
        &self,
        line: &Line,
        pricer: &Pricer,
        due: &Due,
    ) -> Result<(), SendError> {
        if line.settings.link_down != WhenClosed::Refuse || !due.is_now() {
            return Ok(());
        }
        let statuses = self.link_statuses().await?;
        let reachable = |operator| operator_reachable(&line.settings, operator, &statuses, due.now);
        if pricer
            .known
            .iter()
            .all(|(operator, ..)| reachable(*operator))
        {
            return Ok(());
        }
        Err(SendError::Refused(Refusal::OperatorDown))
    }
}
