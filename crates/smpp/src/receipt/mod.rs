//! Delivery receipts (SMPP 3.4 section 5.2.12, 5.3.2.12, 5.3.2.35 and appendix B).
//!
//! Recognises a receipt among the `deliver_sm`, reads what it says from optional parameters and
//! text, and writes receipts for the simulator. It does not know the message a receipt is for; ids
//! stay as the peer wrote them, see [`crate::message_id`].

mod text;

use crate::concat::Parts;
use crate::pdu::{Address, DeliverSm};
use crate::tlv::tag;
use text::Fields;

/// The bits of `esm_class` that give the message type (SMPP 3.4 section 5.2.12).
const ESM_TYPE_MASK: u8 = 0x3C;
/// The message type of a delivery receipt.
pub const ESM_RECEIPT: u8 = 0x04;
/// The message type of an intermediate notification.
pub const ESM_INTERMEDIATE: u8 = 0x20;
/// How much of the original text a receipt quotes, in octets (SMPP 3.4 appendix B).
const QUOTED_MAX: usize = 20;

/// Where a message stands (SMPP 3.4 section 5.2.28).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageState {
    /// On its way.
    Enroute,
    /// On the handset.
    Delivered,
    /// Its validity ran out.
    Expired,
    /// Taken back.
    Deleted,
    /// Cannot be delivered.
    Undeliverable,
    /// Taken by somebody on the subscriber's behalf, or merely accepted.
    Accepted,
    /// The centre cannot say.
    Unknown,
    /// Refused.
    Rejected,
}

impl MessageState {
    /// The state with this number (SMPP 3.4 section 5.2.28), `Unknown` for reserved ones.
    pub const fn from_code(code: u32) -> Self {
        match code {
            1 => Self::Enroute,
            2 => Self::Delivered,
            3 => Self::Expired,
            4 => Self::Deleted,
            5 => Self::Undeliverable,
            6 => Self::Accepted,
            8 => Self::Rejected,
            _ => Self::Unknown,
        }
    }

    /// The number of the state (SMPP 3.4 section 5.2.28).
    pub const fn code(self) -> u8 {
        match self {
            Self::Enroute => 1,
            Self::Delivered => 2,
            Self::Expired => 3,
            Self::Deleted => 4,
            Self::Undeliverable => 5,
            Self::Accepted => 6,
            Self::Unknown => 7,
            Self::Rejected => 8,
        }
    }

    /// The word of the state in receipt texts (SMPP 3.4 appendix B).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Enroute => "ENROUTE",
            Self::Delivered => "DELIVRD",
            Self::Expired => "EXPIRED",
            Self::Deleted => "DELETED",
            Self::Undeliverable => "UNDELIV",
            Self::Accepted => "ACCEPTD",
            Self::Unknown => "UNKNOWN",
            Self::Rejected => "REJECTD",
        }
    }

    /// Whether nothing follows. `Accepted` and `Unknown` are not taken as final: centres send them
    /// ahead of the true outcome, and a final state could not be corrected any more.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Delivered
            | Self::Expired
            | Self::Deleted
            | Self::Undeliverable
            | Self::Rejected => true,
            Self::Enroute | Self::Accepted | Self::Unknown => false,
        }
    }
}

/// What counts as a receipt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Recognise {
    /// Only what `esm_class` or an optional parameter marks as one.
    #[default]
    Marked,
    /// Also an unmarked text with `id:` and `stat:`. Only for centres that need it: any handset
    /// could send such a text.
    MarkedOrText,
}

/// Which form a written receipt takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReceiptStyle {
    /// Text of appendix B.
    Text,
    /// Optional parameters alone.
    Tlv,
    /// Both.
    #[default]
    Both,
}

/// What a receipt says about one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The id as the peer wrote it; empty when it named none.
    pub message_id: Box<[u8]>,
    /// Where the message stands; `Unknown` when the receipt does not say.
    pub state: MessageState,
    /// The centre's error number, when it gave one.
    pub error: Option<u32>,
    /// `submit date` as written, usually YYMMDDhhmm in the centre's own time.
    pub submit_date: Option<Box<[u8]>>,
    /// `done date` as written, usually YYMMDDhhmm in the centre's own time.
    pub done_date: Option<Box<[u8]>>,
    /// The start of the original text, as quoted.
    pub text: Option<Box<[u8]>>,
}

impl Receipt {
    /// Reads a receipt; `None` when this is a message of a handset. Where text and optional
    /// parameters disagree, the parameters win.
    pub fn from_deliver(sm: &DeliverSm, recognise: Recognise) -> Option<Self> {
        let kind = sm.esm_class & ESM_TYPE_MASK;
        let tlv_id = sm.tlvs.c_string(tag::RECEIPTED_MESSAGE_ID);
        let tlv_state = sm.tlvs.integer(tag::MESSAGE_STATE);
        let marked = kind == ESM_RECEIPT
            || kind == ESM_INTERMEDIATE
            || tlv_id.is_some()
            || tlv_state.is_some();
        if !marked && recognise == Recognise::Marked {
            return None;
        }
        let fields = Fields::parse(Parts::of_deliver(sm).text);
        if !marked && (fields.id.is_none() || fields.state().is_none()) {
            return None;
        }
        let id = tlv_id.filter(|id| !id.is_empty()).or(fields.id);
        let state = tlv_state.map(MessageState::from_code);
        Some(Self {
            message_id: id.unwrap_or_default().into(),
            state: state
                .or_else(|| fields.state())
                .unwrap_or(MessageState::Unknown),
            error: network_error(sm).or_else(|| fields.error()),
            submit_date: fields.submit_date.map(Into::into),
            done_date: fields.done_date.map(Into::into),
            text: fields.text.map(Into::into),
        })
    }

    /// Writes the receipt as an SMSC would: from the handset `source` to the line `destination`.
    pub fn to_deliver(
        &self,
        style: ReceiptStyle,
        source: Address,
        destination: Address,
    ) -> DeliverSm {
        let mut sm = DeliverSm {
            source,
            destination,
            esm_class: ESM_RECEIPT,
            ..DeliverSm::default()
        };
        if style != ReceiptStyle::Tlv {
            sm.short_message = self.appendix_b();
        }
        if style != ReceiptStyle::Text {
            let mut id = self.message_id.to_vec();
            id.push(0);
            sm.tlvs.push(tag::RECEIPTED_MESSAGE_ID, id);
            sm.tlvs.push(tag::MESSAGE_STATE, [self.state.code()]);
        }
        sm
    }

    fn appendix_b(&self) -> Vec<u8> {
        let delivered = u8::from(self.state == MessageState::Delivered);
        let submit_date = self.submit_date.as_deref().unwrap_or(b"0000000000");
        let done_date = self.done_date.as_deref().unwrap_or(b"0000000000");
        let quoted = self.text.as_deref().unwrap_or_default();
        let error = self.error.unwrap_or(0);
        [
            b"id:",
            &*self.message_id,
            format!(" sub:001 dlvrd:{delivered:03} submit date:").as_bytes(),
            submit_date,
            b" done date:",
            done_date,
            format!(" stat:{} err:{error:03} text:", self.state.word()).as_bytes(),
            &quoted[..quoted.len().min(QUOTED_MAX)],
        ]
        .concat()
    }
}

/// The error in `network_error_code`: one octet of network type, then the number.
fn network_error(sm: &DeliverSm) -> Option<u32> {
    match sm.tlvs.get(tag::NETWORK_ERROR_CODE)? {
        &[_network, high, low, ..] => Some(u32::from(u16::from_be_bytes([high, low]))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deliver(esm_class: u8, text: &[u8]) -> DeliverSm {
        DeliverSm {
            esm_class,
            short_message: text.to_vec(),
            ..DeliverSm::default()
        }
    }

    #[test]
    fn a_written_receipt_reads_back_in_every_style() {
        let receipt = Receipt {
            message_id: b"1A2B".to_vec().into(),
            state: MessageState::Undeliverable,
            error: Some(42),
            submit_date: Some(b"2611221447".to_vec().into()),
            done_date: Some(b"2611221448".to_vec().into()),
            text: Some(b"hello".to_vec().into()),
        };
        for style in [ReceiptStyle::Text, ReceiptStyle::Both] {
            let sm = receipt.to_deliver(style, Address::default(), Address::default());
            let back = Receipt::from_deliver(&sm, Recognise::Marked);
            assert_eq!(back.as_ref(), Some(&receipt));
        }
        let sm = receipt.to_deliver(ReceiptStyle::Tlv, Address::default(), Address::default());
        let back = Receipt::from_deliver(&sm, Recognise::Marked).unwrap();
        assert_eq!(back.message_id, receipt.message_id);
        assert_eq!(back.state, receipt.state);
    }

    #[test]
    fn parameters_win_over_text() {
        let mut sm = deliver(ESM_RECEIPT, b"id:1 stat:ENROUTE err:001");
        sm.tlvs.push(tag::RECEIPTED_MESSAGE_ID, b"2".to_vec());
        sm.tlvs.push(tag::MESSAGE_STATE, [0, 2]);
        sm.tlvs.push(tag::NETWORK_ERROR_CODE, [3, 0, 9]);
        let receipt = Receipt::from_deliver(&sm, Recognise::Marked).unwrap();
        assert_eq!(&*receipt.message_id, b"2");
        assert_eq!(receipt.state, MessageState::Delivered);
        assert_eq!(receipt.error, Some(9));
    }

    #[test]
    fn text_alone_counts_only_on_request() {
        let sm = deliver(0, b"id:1 stat:DELIVRD");
        assert_eq!(Receipt::from_deliver(&sm, Recognise::Marked), None);
        let receipt = Receipt::from_deliver(&sm, Recognise::MarkedOrText).unwrap();
        assert_eq!(receipt.state, MessageState::Delivered);
        let message = deliver(0, b"my id:1 please");
        assert_eq!(
            Receipt::from_deliver(&message, Recognise::MarkedOrText),
            None
        );
    }

    #[test]
    fn a_text_in_the_payload_is_read() {
        let mut sm = deliver(ESM_RECEIPT, b"");
        sm.tlvs
            .push(tag::MESSAGE_PAYLOAD, b"id:77 stat:EXPIRED err:0".to_vec());
        let receipt = Receipt::from_deliver(&sm, Recognise::Marked).unwrap();
        assert_eq!(&*receipt.message_id, b"77");
        assert_eq!(receipt.state, MessageState::Expired);
    }

    #[test]
    fn a_marked_receipt_that_says_nothing_is_still_a_receipt() {
        let receipt = Receipt::from_deliver(&deliver(ESM_RECEIPT, b"?"), Recognise::Marked);
        let receipt = receipt.unwrap();
        assert_eq!(&*receipt.message_id, b"");
        assert_eq!(receipt.state, MessageState::Unknown);
        assert!(!receipt.state.is_final());
    }
}
