//! `submit_sm` (SMPP 3.4 section 4.4.1): an ESME hands a message to the SMSC.
//!
//! Its answer is in `sm_resp.rs`. Cutting long texts is not done here, see [`crate::concat`] for the
//! headers.

use crate::pdu::{Address, DecodeError, EncodeError, SERVICE_TYPE_MAX, SHORT_MESSAGE_MAX};
use crate::tlv::{Tlvs, tag};
use crate::wire::{Reader, put_c_string};

/// Octets of a non-empty time, without its NUL (SMPP 3.4 section 7.1.1).
const TIME_LEN: usize = 16;

/// A message on its way to a handset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubmitSm {
    /// The service that the message belongs to, empty for the SMSC's default.
    pub service_type: Vec<u8>,
    /// The sender.
    pub source: Address,
    /// The recipient.
    pub destination: Address,
    /// Mode, type and features (section 5.2.12); 0x40 says that the text begins with a UDH.
    pub esm_class: u8,
    /// GSM protocol identifier.
    pub protocol_id: u8,
    /// 0 (lowest) to 3.
    pub priority_flag: u8,
    /// Empty for immediately, else 16 octets (section 7.1.1).
    pub schedule_delivery_time: Vec<u8>,
    /// Empty for the SMSC's default, else 16 octets (section 7.1.1).
    pub validity_period: Vec<u8>,
    /// Which receipts are asked for (section 5.2.17): 1 is one with the final outcome.
    pub registered_delivery: u8,
    /// 1 to replace a waiting message with the same addresses.
    pub replace_if_present: u8,
    /// The alphabet (section 5.2.19): 0 the SMSC's default, 8 UCS-2.
    pub data_coding: u8,
    /// A predefined message of the SMSC, 0 for none.
    pub sm_default_msg_id: u8,
    /// The text, at most 254 octets, its UDH included.
    pub short_message: Vec<u8>,
    /// Optional parameters; unknown ones are kept.
    pub tlvs: Tlvs,
}

impl SubmitSm {
    /// The text wherever it stands: `short_message`, or `message_payload` when that is empty.
    pub fn payload(&self) -> &[u8] {
        if self.short_message.is_empty() {
            self.tlvs.get(tag::MESSAGE_PAYLOAD).unwrap_or_default()
        } else {
            &self.short_message
        }
    }

    /// Reads the body.
    ///
    /// # Errors
    /// [`DecodeError`] when a mandatory field is cut off.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        Ok(Self {
            service_type: reader.c_string("service_type")?,
            source: Address::decode(&mut reader, "source_addr")?,
            destination: Address::decode(&mut reader, "destination_addr")?,
            esm_class: reader.u8("esm_class")?,
            protocol_id: reader.u8("protocol_id")?,
            priority_flag: reader.u8("priority_flag")?,
            schedule_delivery_time: reader.c_string("schedule_delivery_time")?,
            validity_period: reader.c_string("validity_period")?,
            registered_delivery: reader.u8("registered_delivery")?,
            replace_if_present: reader.u8("replace_if_present_flag")?,
            data_coding: reader.u8("data_coding")?,
            sm_default_msg_id: reader.u8("sm_default_msg_id")?,
            short_message: {
                let length = reader.u8("sm_length")?;
                let text = reader.octets(usize::from(length), "short_message")?;
                text.to_vec()
            },
            tlvs: Tlvs::decode(reader.rest()),
        })
    }

    pub(crate) fn encode_body(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if !self.short_message.is_empty() && self.tlvs.get(tag::MESSAGE_PAYLOAD).is_some() {
            return Err(EncodeError::TwoTexts);
        }
        put_c_string(out, "service_type", &self.service_type, SERVICE_TYPE_MAX)?;
        self.source.encode("source_addr", out)?;
        self.destination.encode("destination_addr", out)?;
        out.extend_from_slice(&[self.esm_class, self.protocol_id, self.priority_flag]);
        put_time(out, "schedule_delivery_time", &self.schedule_delivery_time)?;
        put_time(out, "validity_period", &self.validity_period)?;
        out.extend_from_slice(&[
            self.registered_delivery,
            self.replace_if_present,
            self.data_coding,
            self.sm_default_msg_id,
        ]);
        put_short_message(out, &self.short_message)?;
        self.tlvs.encode(out)
    }
}

fn put_time(out: &mut Vec<u8>, field: &'static str, value: &[u8]) -> Result<(), EncodeError> {
    let length = value.len();
    if length != 0 && length != TIME_LEN {
        return Err(EncodeError::BadTime { field, length });
    }
    put_c_string(out, field, value, TIME_LEN)
}

/// Writes `sm_length` and `short_message`.
pub(super) fn put_short_message(out: &mut Vec<u8>, text: &[u8]) -> Result<(), EncodeError> {
    let length = text.len();
    match u8::try_from(length) {
        Ok(octet) if length <= SHORT_MESSAGE_MAX => out.push(octet),
        _ => {
            return Err(EncodeError::TooLong {
                field: "short_message",
                length,
                max: SHORT_MESSAGE_MAX,
            });
        }
    }
    out.extend_from_slice(text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_255_octets_is_refused_and_leaves_nothing_behind() {
        let sm = SubmitSm {
            short_message: vec![b'a'; 255],
            ..SubmitSm::default()
        };
        let mut out = b"before".to_vec();
        let refused = crate::Pdu::SubmitSm(sm).encode(crate::CommandStatus(0), 1, &mut out);
        assert!(matches!(
            refused,
            Err(EncodeError::TooLong { length: 255, .. })
        ));
        assert_eq!(out, b"before");
    }

    #[test]
    fn a_payload_of_a_thousand_octets_goes_through() {
        let mut sm = SubmitSm::default();
        sm.tlvs.push(tag::MESSAGE_PAYLOAD, vec![b'x'; 1000]);
        let mut out = Vec::new();
        sm.encode_body(&mut out).unwrap();
        let back = SubmitSm::decode(&out).unwrap();
        assert_eq!(back.payload().len(), 1000);
    }

    #[test]
    fn latin_1_in_addresses_is_kept() {
        let sm = SubmitSm {
            source: Address::new(5, 0, &b"Caf\xE9"[..]),
            ..SubmitSm::default()
        };
        let mut out = Vec::new();
        sm.encode_body(&mut out).unwrap();
        assert_eq!(SubmitSm::decode(&out).unwrap(), sm);
    }

    #[test]
    fn two_texts_are_refused() {
        let mut sm = SubmitSm {
            short_message: b"a".to_vec(),
            ..SubmitSm::default()
        };
        sm.tlvs.push(tag::MESSAGE_PAYLOAD, b"b".to_vec());
        assert_eq!(sm.encode_body(&mut Vec::new()), Err(EncodeError::TwoTexts));
    }
}
