//! The command ids of SMPP 3.4 (section 5.1.2.1).
//!
//! Ids that the specification does not know are kept as they came, so that they can be logged and
//! answered. This file says nothing about the bodies.

use std::fmt;

/// Set in the id of every answer (SMPP 3.4 section 5.1.2.1).
const RESPONSE_BIT: u32 = 0x8000_0000;

macro_rules! command_ids {
    ($($(#[$doc:meta])* $variant:ident = $id:literal, $name:literal;)*) => {
        /// What a PDU asks or answers (SMPP 3.4 section 5.1.2.1).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum CommandId {
            $($(#[$doc])* $variant,)*
            /// An id outside the specification, kept as it came.
            Unknown(u32),
        }

        impl From<u32> for CommandId {
            fn from(id: u32) -> Self {
                match id {
                    $($id => Self::$variant,)*
                    other => Self::Unknown(other),
                }
            }
        }

        impl From<CommandId> for u32 {
            fn from(id: CommandId) -> Self {
                match id {
                    $(CommandId::$variant => $id,)*
                    CommandId::Unknown(other) => other,
                }
            }
        }

        impl CommandId {
            /// The name in the specification's words, or `unknown`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Unknown(_) => "unknown",
                }
            }
        }
    };
}

command_ids! {
    /// `generic_nack`
    GenericNack = 0x8000_0000, "generic_nack";
    /// `bind_receiver`
    BindReceiver = 0x0000_0001, "bind_receiver";
    /// `bind_receiver_resp`
    BindReceiverResp = 0x8000_0001, "bind_receiver_resp";
    /// `bind_transmitter`
    BindTransmitter = 0x0000_0002, "bind_transmitter";
    /// `bind_transmitter_resp`
    BindTransmitterResp = 0x8000_0002, "bind_transmitter_resp";
    /// `query_sm`
    QuerySm = 0x0000_0003, "query_sm";
    /// `query_sm_resp`
    QuerySmResp = 0x8000_0003, "query_sm_resp";
    /// `submit_sm`
    SubmitSm = 0x0000_0004, "submit_sm";
    /// `submit_sm_resp`
    SubmitSmResp = 0x8000_0004, "submit_sm_resp";
    /// `deliver_sm`
    DeliverSm = 0x0000_0005, "deliver_sm";
    /// `deliver_sm_resp`
    DeliverSmResp = 0x8000_0005, "deliver_sm_resp";
    /// `unbind`
    Unbind = 0x0000_0006, "unbind";
    /// `unbind_resp`
    UnbindResp = 0x8000_0006, "unbind_resp";
    /// `replace_sm`
    ReplaceSm = 0x0000_0007, "replace_sm";
    /// `replace_sm_resp`
    ReplaceSmResp = 0x8000_0007, "replace_sm_resp";
    /// `cancel_sm`
    CancelSm = 0x0000_0008, "cancel_sm";
    /// `cancel_sm_resp`
    CancelSmResp = 0x8000_0008, "cancel_sm_resp";
    /// `bind_transceiver`
    BindTransceiver = 0x0000_0009, "bind_transceiver";
    /// `bind_transceiver_resp`
    BindTransceiverResp = 0x8000_0009, "bind_transceiver_resp";
    /// `outbind`
    Outbind = 0x0000_000B, "outbind";
    /// `enquire_link`
    EnquireLink = 0x0000_0015, "enquire_link";
    /// `enquire_link_resp`
    EnquireLinkResp = 0x8000_0015, "enquire_link_resp";
    /// `submit_multi`
    SubmitMulti = 0x0000_0021, "submit_multi";
    /// `submit_multi_resp`
    SubmitMultiResp = 0x8000_0021, "submit_multi_resp";
    /// `alert_notification`, which has no answer
    AlertNotification = 0x0000_0102, "alert_notification";
    /// `data_sm`
    DataSm = 0x0000_0103, "data_sm";
    /// `data_sm_resp`
    DataSmResp = 0x8000_0103, "data_sm_resp";
}

impl CommandId {
    /// Whether this id answers a request; true for `generic_nack` and for unknown ids with the
    /// answer bit. An answer is never itself answered, or two peers could nack each other forever.
    pub fn is_response(self) -> bool {
        u32::from(self) & RESPONSE_BIT != 0
    }

    /// The id that answers this request. Meaningless for answers, which it returns unchanged.
    pub fn response(self) -> Self {
        Self::from(u32::from(self) | RESPONSE_BIT)
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(id) => write!(f, "unknown(0x{id:08X})"),
            known => f.write_str(known.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_id_is_kept() {
        let id = CommandId::from(0x0001_0200);
        assert_eq!(id, CommandId::Unknown(0x0001_0200));
        assert_eq!(u32::from(id), 0x0001_0200);
        assert_eq!(id.to_string(), "unknown(0x00010200)");
    }

    #[test]
    fn every_request_knows_its_answer() {
        assert_eq!(CommandId::SubmitSm.response(), CommandId::SubmitSmResp);
        assert_eq!(CommandId::DataSm.response(), CommandId::DataSmResp);
        assert!(CommandId::GenericNack.is_response());
        assert!(!CommandId::AlertNotification.is_response());
    }
}
