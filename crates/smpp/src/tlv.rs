//! Optional parameters (SMPP 3.4 sections 3.2.4 and 5.3).
//!
//! Unknown ones are kept, in order, so nothing a peer says is lost. What their values mean is read
//! by whoever needs them; the accessors here forgive wrong lengths.

use crate::pdu::EncodeError;

/// Tags of optional parameters that this platform reads or writes (SMPP 3.4 section 5.3.2).
pub mod tag {
    /// Text that explains an error status.
    pub const ADDITIONAL_STATUS_INFO_TEXT: u16 = 0x001D;
    /// The id that the SMSC gave to the message of a receipt.
    pub const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
    /// Which concatenated message a segment belongs to.
    pub const SAR_MSG_REF_NUM: u16 = 0x020C;
    /// How many segments a concatenated message has.
    pub const SAR_TOTAL_SEGMENTS: u16 = 0x020E;
    /// Which segment this is, from 1.
    pub const SAR_SEGMENT_SEQNUM: u16 = 0x020F;
    /// The version of SMPP that the SMSC speaks.
    pub const SC_INTERFACE_VERSION: u16 = 0x0210;
    /// An error of the network: one octet of network type, two of code.
    pub const NETWORK_ERROR_CODE: u16 = 0x0423;
    /// A text longer than `short_message` holds.
    pub const MESSAGE_PAYLOAD: u16 = 0x0424;
    /// The state of the message of a receipt.
    pub const MESSAGE_STATE: u16 = 0x0427;
}

/// Octets of a TLV before its value: tag and length.
const TLV_HEADER_LEN: usize = 4;

/// One optional parameter, its value uninterpreted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tlv {
    /// See [`tag`]; any other value is kept too.
    pub tag: u16,
    /// The value as it came.
    pub value: Box<[u8]>,
}

impl Tlv {
    /// A parameter with this value.
    pub fn new(tag: u16, value: impl Into<Box<[u8]>>) -> Self {
        let value = value.into();
        Self { tag, value }
    }
}

/// The optional parameters of one PDU, in the order of the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tlvs(pub Vec<Tlv>);

impl Tlvs {
    /// No parameters.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Appends a parameter.
    pub fn push(&mut self, tag: u16, value: impl Into<Box<[u8]>>) {
        self.0.push(Tlv::new(tag, value));
    }

    /// The value of the first parameter with this tag.
    pub fn get(&self, tag: u16) -> Option<&[u8]> {
        let found = self.0.iter().find(|tlv| tlv.tag == tag)?;
        Some(&found.value)
    }

    /// The value as an unsigned integer, whatever its length: peers send a one-octet field in
    /// two or four octets. `None` when absent, empty, or too large for 32 bits.
    pub fn integer(&self, tag: u16) -> Option<u32> {
        let value = self.get(tag)?;
        if value.is_empty() {
            return None;
        }
        value.iter().try_fold(0_u32, |sum, &octet| {
            Some(sum.checked_mul(256)? | u32::from(octet))
        })
    }

    /// The value up to its NUL, or all of it when the NUL is missing.
    pub fn c_string(&self, tag: u16) -> Option<&[u8]> {
        let value = self.get(tag)?;
        value.split(|&octet| octet == 0).next()
    }

    /// Reads the optional part of a body. It never fails: a value cut short is kept as far as
    /// it goes, and one to three trailing octets, too few for a TLV, are dropped.
    pub fn decode(mut rest: &[u8]) -> Self {
        let mut found = Vec::new();
        while let Some((header, after)) = rest.split_at_checked(TLV_HEADER_LEN) {
            let tag = u16::from_be_bytes([header[0], header[1]]);
            let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
            let (value, next) = after.split_at(length.min(after.len()));
            found.push(Tlv::new(tag, value));
            rest = next;
        }
        Self(found)
    }

    /// Appends all parameters to `out`.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] when a value is over 65,535 octets.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        for tlv in &self.0 {
            let length = u16::try_from(tlv.value.len()).map_err(|_| EncodeError::TooLong {
                field: "tlv",
                length: tlv.value.len(),
                max: usize::from(u16::MAX),
            })?;
            out.extend_from_slice(&tlv.tag.to_be_bytes());
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(&tlv.value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_value_is_kept_as_far_as_it_goes() {
        let tlvs = Tlvs::decode(&[0x04, 0x24, 0, 10, b'a', b'b']);
        assert_eq!(tlvs.get(tag::MESSAGE_PAYLOAD), Some(&b"ab"[..]));
    }

    #[test]
    fn trailing_octets_are_dropped() {
        let tlvs = Tlvs::decode(&[0x04, 0x27, 0, 1, 2, 0xFF, 0xFF]);
        assert_eq!(tlvs, Tlvs(vec![Tlv::new(tag::MESSAGE_STATE, vec![2])]));
    }

    #[test]
    fn wrong_lengths_are_forgiven() {
        let mut tlvs = Tlvs::new();
        tlvs.push(tag::MESSAGE_STATE, vec![0, 0, 0, 2]);
        tlvs.push(tag::RECEIPTED_MESSAGE_ID, b"abc".to_vec());
        tlvs.push(tag::SAR_MSG_REF_NUM, vec![]);
        assert_eq!(tlvs.integer(tag::MESSAGE_STATE), Some(2));
        assert_eq!(tlvs.c_string(tag::RECEIPTED_MESSAGE_ID), Some(&b"abc"[..]));
        assert_eq!(tlvs.integer(tag::SAR_MSG_REF_NUM), None);
    }
}
