//! `submit_sm_resp`, `deliver_sm_resp` and `data_sm_resp` (SMPP 3.4 sections 4.4.2, 4.6.2, 4.7.2).
//!
//! They share one body: a message id, which is opaque octets, and optional parameters. Real peers
//! send them with no body at all, even with status 0.

use crate::pdu::EncodeError;
use crate::tlv::Tlvs;
use crate::wire::{Reader, put_c_string};

/// The longest message id this side writes, in octets. The specification allows 64 (section
/// 5.2.23); centres that send more exist, and the simulator must be able to act as one.
pub const SENT_MESSAGE_ID_MAX: usize = 255;

/// The body of an answer to a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SmResp {
    /// What the peer calls the message; `None` when it named none or sent no body.
    pub message_id: Option<Box<[u8]>>,
    /// Optional parameters.
    pub tlvs: Tlvs,
}

impl SmResp {
    /// An answer that names the message.
    pub fn with_id(message_id: impl Into<Box<[u8]>>) -> Self {
        Self {
            message_id: Some(message_id.into()),
            tlvs: Tlvs::new(),
        }
    }

    /// Reads the body; an absent or empty message id is `None`.
    pub fn decode(body: &[u8]) -> Self {
        let mut reader = Reader::new(body);
        let message_id = reader.c_string_or_empty();
        Self {
            message_id: (!message_id.is_empty()).then(|| message_id.into_boxed_slice()),
            tlvs: Tlvs::decode(reader.rest()),
        }
    }

    pub(crate) fn encode_body(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let id = self.message_id.as_deref().unwrap_or_default();
        put_c_string(out, "message_id", id, SENT_MESSAGE_ID_MAX)?;
        self.tlvs.encode(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_a_body_has_no_id() {
        assert_eq!(SmResp::decode(b""), SmResp::default());
        assert_eq!(SmResp::decode(b"\0"), SmResp::default());
    }

    #[test]
    fn an_id_of_eighty_octets_without_its_nul_is_taken_whole() {
        let id = [b'\xE9'; 80];
        assert_eq!(SmResp::decode(&id).message_id.as_deref(), Some(&id[..]));
    }
}
