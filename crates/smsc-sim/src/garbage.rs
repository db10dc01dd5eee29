//! What no peer should send, and some do.

use smpp::{Address, CommandId, CommandStatus, DeliverSm, Pdu};

/// One way to break the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Garbage {
    /// These octets as they are.
    Bytes(Vec<u8>),
    /// A `deliver_sm` whose body ends in the middle; one `generic_nack` is the right answer.
    BadBody,
    /// A sound mobile-originated message with a TLV that claims more octets than there are.
    TruncatedTlv,
    /// A `command_length` below 16, after which nothing can be read.
    BadLength,
    /// A sound `enquire_link` with a body, which it must not have.
    EnquireWithBody,
    /// An answer to a `submit_sm` that was never sent.
    UnknownAnswer,
}

impl Garbage {
    /// Appends the octets to `out` under this sequence number.
    pub(crate) fn write(&self, sequence: u32, out: &mut Vec<u8>) {
        match self {
            Self::Bytes(bytes) => out.extend_from_slice(bytes),
            Self::BadBody => other(CommandId::DeliverSm, b"CMT\0\x01\x01989", sequence, out),
            Self::TruncatedTlv => {
                let mut body = body_of(&Pdu::DeliverSm(greeting()));
                body.extend_from_slice(&[0x14, 0x00, 0x00, 0x40, 1, 2, 3]);
                other(CommandId::DeliverSm, &body, sequence, out);
            }
            Self::BadLength => out.extend_from_slice(&[0, 0, 0, 7, 1, 2, 3]),
            Self::EnquireWithBody => other(CommandId::EnquireLink, b"hello", sequence, out),
            Self::UnknownAnswer => {
                other(CommandId::SubmitSmResp, b"nobody\0", 0x7FFF_FFF0, out);
            }
        }
    }

    /// Whether the peer has something to acknowledge with `deliver_sm_resp`.
    pub(crate) fn is_delivery(&self) -> bool {
        matches!(self, Self::TruncatedTlv)
    }
}

fn greeting() -> DeliverSm {
    DeliverSm {
        source: Address::new(1, 1, &b"989120000000"[..]),
        destination: Address::new(1, 1, &b"983000"[..]),
        short_message: b"truncated".to_vec(),
        ..DeliverSm::default()
    }
}

fn body_of(pdu: &Pdu) -> Vec<u8> {
    let mut whole = Vec::new();
    // All fields here are constants within their limits.
    let _ = pdu.encode(CommandStatus::ESME_ROK, 1, &mut whole);
    whole.split_off(smpp::HEADER_LEN.min(whole.len()))
}

fn other(id: CommandId, body: &[u8], sequence: u32, out: &mut Vec<u8>) {
    let pdu = Pdu::Other(id, body.into());
    // A body that is written as it is has no field that could be refused.
    let _ = pdu.encode(CommandStatus::ESME_ROK, sequence, out);
}
