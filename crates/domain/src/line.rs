//! Sender lines: what a line may do, when, and on which terms.

use crate::ids::{AccountId, LineId, LinkId, OperatorId};
use crate::line_number::LineNumber;
use crate::schedule::SendingHours;
use crate::text::ReferenceBits;
use serde::{Deserialize, Serialize};

/// Hours after which a message without a receipt ends, where the line does not say.
pub const REPORT_HOURS_DEFAULT: u32 = 48;

/// What a line is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineClass {
    /// Advertising: blacklists apply, and banks may be addressed.
    Advertising,
    /// Service: codes, orders, news for people who asked for them.
    #[default]
    Service,
}

/// What is given back for a message that did not arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundBasis {
    /// Only what never reached the operator.
    #[default]
    Send,
    /// Also what the operator took but did not deliver within the report time.
    Delivery,
}

/// What happens to a message whose answer was lost: its bytes left, and nobody knows more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InDoubt {
    /// Send it again: it may arrive twice, but it arrives. Right for one-time passwords.
    #[default]
    Resend,
    /// Hold it: it may be missing, but it never arrives twice. Right for advertising.
    Hold,
}

/// What a line does with a bulk that it cannot send now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenClosed {
    /// Take it, and send at the next opening (or when the link is up).
    #[default]
    Queue,
    /// Refuse it with the documented code.
    Refuse,
}

/// The terms on which a bulk was accepted. A snapshot: later changes of the line do not touch it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// What is given back.
    pub refund_basis: RefundBasis,
    /// What happens when an answer is lost.
    pub in_doubt: InDoubt,
}

/// Which link carries a line's messages to an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// For this operator; `None` is every operator without a route of its own.
    pub operator: Option<OperatorId>,
    /// The link.
    pub link: LinkId,
    /// The link that takes over while the first one is down.
    pub fallback: Option<LinkId>,
}

/// A line's settings. Kept as one JSON document, so that a new setting needs no migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LineSettings {
    /// What it is for.
    pub class: LineClass,
    /// Width of the concatenation reference: 16 bits leave 66 UCS-2 characters a part, 8 bits 67.
    pub reference_bits: ReferenceBits,
    /// What is given back.
    pub refund_basis: RefundBasis,
    /// What happens when an answer is lost.
    pub in_doubt: InDoubt,
    /// Hours after the last submit within which a receipt is awaited.
    pub report_hours: u32,
    /// Allowed hours of the Tehran day; `None` is always.
    pub hours: Option<SendingHours>,
    /// What happens outside the hours.
    pub outside_hours: WhenClosed,
    /// What happens while the link is down.
    pub link_down: WhenClosed,
    /// Messages (parts) a second at most; `None` is as fast as the link.
    pub rate_per_second: Option<u32>,
    /// True where a request may have more than one recipient.
    pub bulk_allowed: bool,
    /// True where it may send.
    pub can_send: bool,
    /// True where it may receive.
    pub can_receive: bool,
    /// Whose inbox its messages go to; `None` is the one account that has it.
    pub inbound_account: Option<AccountId>,
    /// True where an inbound `11` takes the sender off its audience, and `12` puts it back.
    pub opt_out_words: bool,
    /// Seconds after acceptance (or the scheduled time) within which a text must have left;
    /// also given to the operator. `None` is no limit.
    pub validity_seconds: Option<u32>,
    /// True where a person must approve every text, but those of trusted accounts.
    pub approve_texts: bool,
    /// Which link carries which operator's messages.
    pub routes: Vec<Route>,
}

impl Default for LineSettings {
    fn default() -> Self {
        Self {
            class: LineClass::default(),
            reference_bits: ReferenceBits::Eight,
            refund_basis: RefundBasis::default(),
            in_doubt: InDoubt::default(),
            report_hours: REPORT_HOURS_DEFAULT,
            hours: None,
            outside_hours: WhenClosed::default(),
            link_down: WhenClosed::default(),
            rate_per_second: None,
            bulk_allowed: true,
            can_send: true,
            can_receive: true,
            inbound_account: None,
            opt_out_words: true,
            validity_seconds: None,
            approve_texts: false,
            routes: Vec::new(),
        }
    }
}

impl LineSettings {
    /// The terms on which the line accepts today.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms {
            refund_basis: self.refund_basis,
            in_doubt: self.in_doubt,
        }
    }

    /// The route for an operator: its own, or the one for every operator.
    #[must_use]
    pub fn route(&self, operator: OperatorId) -> Option<&Route> {
        self.routes
            .iter()
            .find(|route| route.operator == Some(operator))
            .or_else(|| self.routes.iter().find(|route| route.operator.is_none()))
    }
}

/// A sender line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its id.
    pub id: LineId,
    /// Its number, normalised for comparison.
    pub number: LineNumber,
    /// How it is shown and sent, in the letter case in which it was registered.
    pub display: String,
    /// What it may do.
    pub settings: LineSettings,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operators_own_route_goes_before_the_one_for_all() {
        let any = Route {
            operator: None,
            link: LinkId(1),
            fallback: None,
        };
        let own = Route {
            operator: Some(OperatorId(2)),
            link: LinkId(2),
            fallback: Some(LinkId(1)),
        };
        let settings = LineSettings {
            routes: vec![any, own],
            ..LineSettings::default()
        };
        assert_eq!(settings.route(OperatorId(2)), Some(&own));
        assert_eq!(settings.route(OperatorId(3)), Some(&any));
        assert_eq!(LineSettings::default().route(OperatorId(3)), None);
    }
}
