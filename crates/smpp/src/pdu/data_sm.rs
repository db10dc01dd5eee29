//! `data_sm` (SMPP 3.4 section 4.7.1), read as the part that it has in common with `deliver_sm`.
//!
//! Its text is always in `message_payload`. This platform never sends one of its own accord; it
//! takes those of SMSCs that deliver receipts this way.

use crate::pdu::{Address, DecodeError, DeliverSm, EncodeError, SERVICE_TYPE_MAX};
use crate::tlv::Tlvs;
use crate::wire::{Reader, put_c_string};

pub(super) fn decode(body: &[u8]) -> Result<DeliverSm, DecodeError> {
    let mut reader = Reader::new(body);
    Ok(DeliverSm {
        service_type: reader.c_string("service_type")?,
        source: Address::decode(&mut reader, "source_addr")?,
        destination: Address::decode(&mut reader, "destination_addr")?,
        esm_class: reader.u8("esm_class")?,
        registered_delivery: reader.u8("registered_delivery")?,
        data_coding: reader.u8("data_coding")?,
        tlvs: Tlvs::decode(reader.rest()),
        ..DeliverSm::default()
    })
}

/// A `short_message` has no place here and is refused rather than dropped.
pub(super) fn encode_body(sm: &DeliverSm, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if !sm.short_message.is_empty() {
        return Err(EncodeError::TooLong {
            field: "short_message",
            length: sm.short_message.len(),
            max: 0,
        });
    }
    put_c_string(out, "service_type", &sm.service_type, SERVICE_TYPE_MAX)?;
    sm.source.encode("source_addr", out)?;
    sm.destination.encode("destination_addr", out)?;
    out.extend_from_slice(&[sm.esm_class, sm.registered_delivery, sm.data_coding]);
    sm.tlvs.encode(out)
}
