//! PDUs, one kind a file, in the specification's words (SMPP 3.4 section 4).
//!
//! Decoding is lenient: lengths beyond the specification's are taken, missing ends of answers are
//! empty, unknown optional parameters are kept. Encoding is strict: every field is checked. Which
//! PDU may be sent when is not known here, see [`crate::session`].

mod address;
mod bind;
mod data_sm;
mod deliver_sm;
mod outbind;
mod sm_resp;
mod submit_sm;

use thiserror::Error;

pub use address::{ADDRESS_MAX, Address};
pub use bind::{
    ADDRESS_RANGE_MAX, Bind, BindResp, INTERFACE_VERSION_34, PASSWORD_MAX, SYSTEM_ID_MAX,
    SYSTEM_TYPE_MAX,
};
pub use deliver_sm::DeliverSm;
pub use outbind::Outbind;
pub use sm_resp::{SENT_MESSAGE_ID_MAX, SmResp};
pub use submit_sm::SubmitSm;

use crate::command::CommandId;
use crate::frame::Frame;
use crate::status::CommandStatus;
use crate::wire;

/// The longest `short_message`, in octets (SMPP 3.4 section 5.2.21).
pub const SHORT_MESSAGE_MAX: usize = 254;
/// The longest `service_type`, in octets without its NUL (SMPP 3.4 section 5.2.11).
pub const SERVICE_TYPE_MAX: usize = 5;

/// A field that must not be sent. The caller gives up on this message, not on the session.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// Longer than the specification allows.
    #[error("{field} has {length} octets, at most {max} are allowed")]
    TooLong {
        /// The field in the specification's words.
        field: &'static str,
        /// Its length in octets.
        length: usize,
        /// The limit in octets.
        max: usize,
    },
    /// A NUL inside a C-octet string would cut it short at the peer.
    #[error("{field} contains a NUL")]
    NulInside {
        /// The field in the specification's words.
        field: &'static str,
    },
    /// A time that is neither empty nor 16 octets (SMPP 3.4 section 7.1.1).
    #[error("{field} must be empty or 16 octets, it has {length}")]
    BadTime {
        /// The field in the specification's words.
        field: &'static str,
        /// Its length in octets.
        length: usize,
    },
    /// Both `short_message` and `message_payload` carry a text (SMPP 3.4 section 4.4.1).
    #[error("short_message and message_payload are both given")]
    TwoTexts,
}

/// A body that cannot be read. The receiver answers with one `generic_nack` and goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The body ends before this mandatory field does.
    #[error("the body ends inside {field}")]
    Truncated {
        /// The field in the specification's words.
        field: &'static str,
    },
}

/// Any PDU with its body decoded. The header's status and sequence number stay apart, because every
/// PDU has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pdu {
    /// `bind_transmitter`
    BindTransmitter(Bind),
    /// `bind_receiver`
    BindReceiver(Bind),
    /// `bind_transceiver`
    BindTransceiver(Bind),
    /// `bind_transmitter_resp`
    BindTransmitterResp(BindResp),
    /// `bind_receiver_resp`
    BindReceiverResp(BindResp),
    /// `bind_transceiver_resp`
    BindTransceiverResp(BindResp),
    /// `outbind`
    Outbind(Outbind),
    /// `submit_sm`
    SubmitSm(SubmitSm),
    /// `submit_sm_resp`
    SubmitSmResp(SmResp),
    /// `deliver_sm`
    DeliverSm(DeliverSm),
    /// `deliver_sm_resp`
    DeliverSmResp(SmResp),
    /// `data_sm`, read as what it has in common with `deliver_sm`
    DataSm(DeliverSm),
    /// `data_sm_resp`
    DataSmResp(SmResp),
    /// `enquire_link`
    EnquireLink,
    /// `enquire_link_resp`
    EnquireLinkResp,
    /// `unbind`
    Unbind,
    /// `unbind_resp`
    UnbindResp,
    /// `generic_nack`
    GenericNack,
    /// Everything else, its body kept as it came.
    Other(CommandId, Box<[u8]>),
}

impl Pdu {
    /// Reads the body of a frame.
    ///
    /// # Errors
    /// [`DecodeError`] when a mandatory field of a request is cut off. Answers never fail: what is
    /// missing of them is empty.
    pub fn decode(frame: &Frame<'_>) -> Result<Self, DecodeError> {
        let body = frame.body;
        Ok(match frame.header.id {
            CommandId::BindTransmitter => Self::BindTransmitter(Bind::decode(body)?),
            CommandId::BindReceiver => Self::BindReceiver(Bind::decode(body)?),
            CommandId::BindTransceiver => Self::BindTransceiver(Bind::decode(body)?),
            CommandId::BindTransmitterResp => Self::BindTransmitterResp(BindResp::decode(body)),
            CommandId::BindReceiverResp => Self::BindReceiverResp(BindResp::decode(body)),
            CommandId::BindTransceiverResp => Self::BindTransceiverResp(BindResp::decode(body)),
            CommandId::Outbind => Self::Outbind(Outbind::decode(body)?),
            CommandId::SubmitSm => Self::SubmitSm(SubmitSm::decode(body)?),
            CommandId::SubmitSmResp => Self::SubmitSmResp(SmResp::decode(body)),
            CommandId::DeliverSm => Self::DeliverSm(DeliverSm::decode(body)?),
            CommandId::DeliverSmResp => Self::DeliverSmResp(SmResp::decode(body)),
            CommandId::DataSm => Self::DataSm(data_sm::decode(body)?),
            CommandId::DataSmResp => Self::DataSmResp(SmResp::decode(body)),
            CommandId::EnquireLink => Self::EnquireLink,
            CommandId::EnquireLinkResp => Self::EnquireLinkResp,
            CommandId::Unbind => Self::Unbind,
            CommandId::UnbindResp => Self::UnbindResp,
            CommandId::GenericNack => Self::GenericNack,
            other => Self::Other(other, body.into()),
        })
    }

    /// The id that this PDU travels under.
    pub const fn id(&self) -> CommandId {
        match self {
            Self::BindTransmitter(_) => CommandId::BindTransmitter,
            Self::BindReceiver(_) => CommandId::BindReceiver,
            Self::BindTransceiver(_) => CommandId::BindTransceiver,
            Self::BindTransmitterResp(_) => CommandId::BindTransmitterResp,
            Self::BindReceiverResp(_) => CommandId::BindReceiverResp,
            Self::BindTransceiverResp(_) => CommandId::BindTransceiverResp,
            Self::Outbind(_) => CommandId::Outbind,
            Self::SubmitSm(_) => CommandId::SubmitSm,
            Self::SubmitSmResp(_) => CommandId::SubmitSmResp,
            Self::DeliverSm(_) => CommandId::DeliverSm,
            Self::DeliverSmResp(_) => CommandId::DeliverSmResp,
            Self::DataSm(_) => CommandId::DataSm,
            Self::DataSmResp(_) => CommandId::DataSmResp,
            Self::EnquireLink => CommandId::EnquireLink,
            Self::EnquireLinkResp => CommandId::EnquireLinkResp,
            Self::Unbind => CommandId::Unbind,
            Self::UnbindResp => CommandId::UnbindResp,
            Self::GenericNack => CommandId::GenericNack,
            Self::Other(id, _) => *id,
        }
    }

    /// Appends the whole PDU, header included, to `out`; on an error `out` is unchanged.
    ///
    /// # Errors
    /// [`EncodeError`] when a field is not one that the specification allows.
    pub fn encode(
        &self,
        status: CommandStatus,
        sequence: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        wire::put_pdu(out, self.id(), status, sequence, |out| match self {
            Self::BindTransmitter(bind)
            | Self::BindReceiver(bind)
            | Self::BindTransceiver(bind) => bind.encode_body(out),
            Self::BindTransmitterResp(resp)
            | Self::BindReceiverResp(resp)
            | Self::BindTransceiverResp(resp) => resp.encode_body(out),
            Self::Outbind(outbind) => outbind.encode_body(out),
            Self::SubmitSm(sm) => sm.encode_body(out),
            Self::DeliverSm(sm) => sm.encode_body(out),
            Self::DataSm(sm) => data_sm::encode_body(sm, out),
            Self::SubmitSmResp(resp) | Self::DeliverSmResp(resp) | Self::DataSmResp(resp) => {
                resp.encode_body(out)
            }
            Self::EnquireLink
            | Self::EnquireLinkResp
            | Self::Unbind
            | Self::UnbindResp
            | Self::GenericNack => Ok(()),
            Self::Other(_, body) => {
                out.extend_from_slice(body);
                Ok(())
            }
        })
    }
}
