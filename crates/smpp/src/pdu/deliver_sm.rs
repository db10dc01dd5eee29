//! `deliver_sm` (SMPP 3.4 section 4.6.1): the SMSC hands over a mobile-originated message or a
//! delivery receipt.
//!
//! Which of the two it is, is read in [`crate::receipt`]. The fields that the specification keeps
//! empty here (schedule, validity, replace, default message) are skipped on reading and written
//! empty.

use crate::pdu::submit_sm::put_short_message;
use crate::pdu::{Address, DecodeError, EncodeError, SERVICE_TYPE_MAX};
use crate::tlv::{Tlvs, tag};
use crate::wire::{Reader, put_c_string};

/// A message or receipt on its way to the ESME; also what `data_sm` has in common with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliverSm {
    /// The service that the message belongs to.
    pub service_type: Vec<u8>,
    /// The sender; of a receipt, the handset.
    pub source: Address,
    /// The line it came in on.
    pub destination: Address,
    /// Mode, type and features (section 5.2.12).
    pub esm_class: u8,
    /// GSM protocol identifier.
    pub protocol_id: u8,
    /// 0 (lowest) to 3.
    pub priority_flag: u8,
    /// Which acknowledgement the sender asks for (section 5.2.17).
    pub registered_delivery: u8,
    /// The alphabet (section 5.2.19).
    pub data_coding: u8,
    /// The text, its UDH included.
    pub short_message: Vec<u8>,
    /// Optional parameters; unknown ones are kept.
    pub tlvs: Tlvs,
}

impl DeliverSm {
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
        let service_type = reader.c_string("service_type")?;
        let source = Address::decode(&mut reader, "source_addr")?;
        let destination = Address::decode(&mut reader, "destination_addr")?;
        let esm_class = reader.u8("esm_class")?;
        let protocol_id = reader.u8("protocol_id")?;
        let priority_flag = reader.u8("priority_flag")?;
        reader.c_string("schedule_delivery_time")?;
        reader.c_string("validity_period")?;
        let registered_delivery = reader.u8("registered_delivery")?;
        reader.u8("replace_if_present_flag")?;
        let data_coding = reader.u8("data_coding")?;
        reader.u8("sm_default_msg_id")?;
        let length = reader.u8("sm_length")?;
        let short_message = reader.octets(usize::from(length), "short_message")?;
        Ok(Self {
            service_type,
            source,
            destination,
            esm_class,
            protocol_id,
            priority_flag,
            registered_delivery,
            data_coding,
            short_message: short_message.to_vec(),
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
        let empty_times = [0, 0];
        out.extend_from_slice(&[self.esm_class, self.protocol_id, self.priority_flag]);
        out.extend_from_slice(&empty_times);
        out.extend_from_slice(&[self.registered_delivery, 0, self.data_coding, 0]);
        put_short_message(out, &self.short_message)?;
        self.tlvs.encode(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_longer_than_the_body_is_an_error() {
        let mut out = Vec::new();
        DeliverSm::default().encode_body(&mut out).unwrap();
        if let Some(sm_length) = out.last_mut() {
            *sm_length = 5;
        }
        assert_eq!(
            DeliverSm::decode(&out),
            Err(DecodeError::Truncated {
                field: "short_message"
            })
        );
    }
}
