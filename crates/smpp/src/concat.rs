//! Segments of long messages: user data headers (3GPP TS 23.040 section 9.2.3.24) and the SAR
//! optional parameters (SMPP 3.4 section 5.3.2.22 to 5.3.2.24).
//!
//! It writes and reads the marks. It neither cuts texts nor puts segments together.

use crate::pdu::{DeliverSm, SubmitSm};
use crate::tlv::{Tlvs, tag};

/// The bit of `esm_class` that says the text begins with a header (SMPP 3.4 section 5.2.12).
pub const ESM_UDHI: u8 = 0x40;

/// Information element of a concatenation with an 8-bit reference.
const IE_CONCAT_8: u8 = 0x00;
/// Information element of a concatenation with a 16-bit reference.
const IE_CONCAT_16: u8 = 0x08;

/// Which part of which long message a PDU carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Segment {
    /// Common to all parts of one message.
    pub reference: u16,
    /// How many parts there are.
    pub total: u8,
    /// Which part this is, from 1.
    pub number: u8,
}

/// A text taken apart: what a header said, and the text after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The concatenation, by header or by SAR parameters.
    pub segment: Option<Segment>,
    /// The whole header with its length octet; empty without one.
    pub header: &'a [u8],
    /// The text itself.
    pub text: &'a [u8],
}

impl Segment {
    /// The header with an 8-bit reference, 6 octets. Only the low octet of the reference is kept.
    pub const fn header_8(self) -> [u8; 6] {
        let [_, low] = self.reference.to_be_bytes();
        [5, IE_CONCAT_8, 3, low, self.total, self.number]
    }

    /// The header with a 16-bit reference, 7 octets.
    pub const fn header_16(self) -> [u8; 7] {
        let [high, low] = self.reference.to_be_bytes();
        [6, IE_CONCAT_16, 4, high, low, self.total, self.number]
    }

    /// Appends the three SAR parameters, for a text without a header.
    pub fn push_sar(self, tlvs: &mut Tlvs) {
        tlvs.push(tag::SAR_MSG_REF_NUM, self.reference.to_be_bytes());
        tlvs.push(tag::SAR_TOTAL_SEGMENTS, [self.total]);
        tlvs.push(tag::SAR_SEGMENT_SEQNUM, [self.number]);
    }

    /// The segment that the SAR parameters describe; `None` unless all three are there and make
    /// sense.
    pub fn from_sar(tlvs: &Tlvs) -> Option<Self> {
        let reference = tlvs.integer(tag::SAR_MSG_REF_NUM)?;
        let total = tlvs.integer(tag::SAR_TOTAL_SEGMENTS)?;
        let number = tlvs.integer(tag::SAR_SEGMENT_SEQNUM)?;
        Self {
            reference: u16::try_from(reference).ok()?,
            total: u8::try_from(total).ok()?,
            number: u8::try_from(number).ok()?,
        }
        .sensible()
    }

    /// A part number outside 1..=total is to be ignored (3GPP TS 23.040 section 9.2.3.24.1).
    fn sensible(self) -> Option<Self> {
        (self.number >= 1 && self.number <= self.total).then_some(self)
    }
}

impl<'a> Parts<'a> {
    /// Takes apart a mobile-originated message.
    pub fn of_deliver(sm: &'a DeliverSm) -> Self {
        Self::of(sm.esm_class, sm.payload(), &sm.tlvs)
    }

    /// Takes apart a submitted message.
    pub fn of_submit(sm: &'a SubmitSm) -> Self {
        Self::of(sm.esm_class, sm.payload(), &sm.tlvs)
    }

    /// Takes apart any message. A header whose length cannot be true is left in the text: an odd
    /// text is better than a lost one.
    pub fn of(esm_class: u8, payload: &'a [u8], tlvs: &Tlvs) -> Self {
        let sar = Segment::from_sar(tlvs);
        let whole = Self {
            segment: sar,
            header: &[],
            text: payload,
        };
        if esm_class & ESM_UDHI == 0 {
            return whole;
        }
        let Some(&length) = payload.first() else {
            return whole;
        };
        match payload.split_at_checked(usize::from(length) + 1) {
            Some((header, text)) => Self {
                segment: concatenation(&header[1..]).or(sar),
                header,
                text,
            },
            None => whole,
        }
    }
}

/// Looks for a concatenation among the information elements of a header.
fn concatenation(mut elements: &[u8]) -> Option<Segment> {
    while let [id, length, rest @ ..] = elements {
        let (data, next) = rest.split_at_checked(usize::from(*length))?;
        let found = match (*id, data) {
            (IE_CONCAT_8, &[reference, total, number]) => Some(Segment {
                reference: u16::from(reference),
                total,
                number,
            }),
            (IE_CONCAT_16, &[high, low, total, number]) => Some(Segment {
                reference: u16::from_be_bytes([high, low]),
                total,
                number,
            }),
            _ => None,
        };
        if let Some(segment) = found.and_then(Segment::sensible) {
            return Some(segment);
        }
        elements = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_OF_THREE: Segment = Segment {
        reference: 0x1234,
        total: 3,
        number: 2,
    };

    fn parts(header: &[u8]) -> (Vec<u8>, Option<Segment>) {
        let payload = [header, b"text"].concat();
        let parts = Parts::of(ESM_UDHI, &payload, &Tlvs::new());
        assert_eq!(parts.header, header);
        (parts.text.to_vec(), parts.segment)
    }

    #[test]
    fn both_headers_come_back() {
        assert_eq!(SECOND_OF_THREE.header_8(), [5, 0, 3, 0x34, 3, 2]);
        assert_eq!(SECOND_OF_THREE.header_16(), [6, 8, 4, 0x12, 0x34, 3, 2]);
        let low = Segment {
            reference: 0x34,
            ..SECOND_OF_THREE
        };
        assert_eq!(
            parts(&SECOND_OF_THREE.header_8()),
            (b"text".to_vec(), Some(low))
        );
        assert_eq!(
            parts(&SECOND_OF_THREE.header_16()),
            (b"text".to_vec(), Some(SECOND_OF_THREE))
        );
    }

    #[test]
    fn a_concatenation_after_ports_is_found() {
        let header = [12, 5, 4, 0x0B, 0x84, 0, 0, 8, 4, 0x12, 0x34, 3, 2];
        assert_eq!(parts(&header).1, Some(SECOND_OF_THREE));
    }

    #[test]
    fn sar_parameters_come_back() {
        let mut tlvs = Tlvs::new();
        SECOND_OF_THREE.push_sar(&mut tlvs);
        let parts = Parts::of(0, b"text", &tlvs);
        assert_eq!(parts.segment, Some(SECOND_OF_THREE));
        assert_eq!(parts.text, b"text");
    }

    #[test]
    fn an_impossible_header_stays_in_the_text() {
        let parts = Parts::of(ESM_UDHI, b"\xFFtext", &Tlvs::new());
        assert_eq!((parts.segment, parts.text), (None, &b"\xFFtext"[..]));
    }

    #[test]
    fn a_part_beyond_the_total_is_no_segment() {
        assert_eq!(parts(&[5, 0, 3, 1, 2, 3]).1, None);
        assert_eq!(parts(&[5, 0, 3, 1, 2, 0]).1, None);
    }
}
