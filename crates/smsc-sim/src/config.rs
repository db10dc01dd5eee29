//! What a simulated SMSC is from its start; what may change while it runs is in `script.rs`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use smpp::ReceiptStyle;
use tokio::sync::mpsc;

use crate::hub::SimEvent;
use crate::script::Behaviour;

/// Who may bind.
#[derive(Debug, Clone, Default)]
pub enum Accounts {
    /// Anybody, with any password.
    #[default]
    Anybody,
    /// Only these; others get `ESME_RINVSYSID` or `ESME_RINVPASWD`.
    Only(Vec<Account>),
}

/// One customer of the SMSC.
#[derive(Debug, Clone)]
pub struct Account {
    /// The name it binds with.
    pub system_id: Vec<u8>,
    /// Its password.
    pub password: Vec<u8>,
}

/// The digits of message ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IdDigits {
    /// 0 to 9.
    #[default]
    Decimal,
    /// 0 to 9, a to f.
    HexLower,
    /// 0 to 9, A to F.
    HexUpper,
}

/// How message ids look. Different `answer` and `receipt` are the quirk of some real centres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdStyle {
    /// The digits in `submit_sm_resp`.
    pub answer: IdDigits,
    /// The digits in receipts.
    pub receipt: IdDigits,
    /// The least number of digits in `submit_sm_resp`, filled with zeros in front.
    pub answer_width: usize,
    /// The least number of digits in receipts, filled with zeros in front.
    pub receipt_width: usize,
    /// The number of the first message; the others count up.
    pub first: u64,
}

impl Default for IdStyle {
    fn default() -> Self {
        Self {
            answer: IdDigits::Decimal,
            receipt: IdDigits::Decimal,
            answer_width: 0,
            receipt_width: 0,
            first: 1,
        }
    }
}

impl IdDigits {
    pub(crate) fn write(self, number: u64, width: usize) -> Box<[u8]> {
        let text = match self {
            Self::Decimal => format!("{number:0width$}"),
            Self::HexLower => format!("{number:0width$x}"),
            Self::HexUpper => format!("{number:0width$X}"),
        };
        text.into_bytes().into()
    }
}

/// A simulated SMSC from its start.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The name in answers to binds, at most 15 octets.
    pub system_id: Vec<u8>,
    /// Who may bind.
    pub accounts: Accounts,
    /// How many binds one `system_id` may have; more get `ESME_RALYBND`.
    pub max_binds: usize,
    /// How message ids look.
    pub ids: IdStyle,
    /// Which form receipts take.
    pub receipt_style: ReceiptStyle,
    /// The submit and done date of receipts, YYMMDDhhmm. The simulator reads no calendar.
    pub receipt_date: Vec<u8>,
    /// Whether receipts and messages that were not acknowledged are sent again after the
    /// connection is lost or the ESME refuses them.
    pub resend: bool,
    /// How many `deliver_sm` may wait for their answers on one connection.
    pub deliver_window: usize,
    /// Silence after which `enquire_link` is sent, and silence after that which closes the
    /// connection; zero for never.
    pub enquire_link: Duration,
    /// The longest PDU taken, in octets.
    pub max_frame: usize,
    /// Whether each `submit_sm` is kept for [`crate::Sim::submits`].
    pub record: bool,
    /// How many are kept at most; later ones are only counted.
    pub record_max: usize,
    /// Makes jitter and outcomes repeatable; `None` for a random seed.
    pub seed: Option<u64>,
    /// How it behaves at first.
    pub behaviour: Behaviour,
    /// Gets what happens, for display. What does not fit into the channel is not told.
    pub observer: Option<mpsc::Sender<SimEvent>>,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            system_id: b"smsc-sim".to_vec(),
            accounts: Accounts::Anybody,
            max_binds: 1000,
            ids: IdStyle::default(),
            receipt_style: ReceiptStyle::Both,
            receipt_date: b"2601010000".to_vec(),
            resend: true,
            deliver_window: 1000,
            enquire_link: Duration::ZERO,
            max_frame: smpp::frame::DEFAULT_MAX_FRAME,
            record: true,
            record_max: 100_000,
            seed: None,
            behaviour: Behaviour::default(),
            observer: None,
        }
    }
}
