//! The few octets of SMPP that the sink reads and writes itself, because decoding whole PDUs would
//! cost more than all the rest of it (SMPP 3.4 sections 4.4 and 4.6).

use super::queue::Due;
use std::io::Write;

const SUBMIT_SM_RESP: u32 = 0x8000_0004;
const DELIVER_SM: u32 = 0x0000_0005;
/// `esm_class` of a delivery receipt.
const ESM_RECEIPT: u8 = 0x04;
/// Writing into a `Vec` cannot fail.
const CANNOT_FAIL: &str = "a Vec takes everything";

/// What the sink wants to know of a `submit_sm`.
pub(super) struct Submit<'a> {
    pub(super) source: &'a [u8],
    pub(super) destination: &'a [u8],
    pub(super) wants_receipt: bool,
}

/// Reads the body of a `submit_sm`; `None` when it is cut off.
pub(super) fn submit(body: &[u8]) -> Option<Submit<'_>> {
    let (_, rest) = c_string(body)?;
    let (source, rest) = c_string(rest.get(2..)?)?;
    let (destination, rest) = c_string(rest.get(2..)?)?;
    // esm_class, protocol_id, priority_flag
    let (_, rest) = c_string(rest.get(3..)?)?;
    let (_, rest) = c_string(rest)?;
    let wants_receipt = rest.first()? & 0x03 != 0;
    Some(Submit {
        source,
        destination,
        wants_receipt,
    })
}

fn c_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|octet| *octet == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

/// Digits as a number, to keep them in eight octets; what is no digit is left out.
pub(super) fn digits(text: &[u8]) -> u64 {
    let digits = text.iter().filter(|octet| octet.is_ascii_digit());
    digits.fold(0, |number, digit| {
        number
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit - b'0'))
    })
}

/// Appends a `submit_sm_resp`; without an id it carries none.
pub(super) fn put_answer(out: &mut Vec<u8>, status: u32, sequence: u32, id: Option<u64>) {
    put(out, SUBMIT_SM_RESP, status, sequence, |out| {
        if let Some(id) = id {
            write!(out, "{id}").expect(CANNOT_FAIL);
        }
        out.push(0);
    });
}

/// Appends the `deliver_sm` of a receipt, with its id in the text and in the parameter.
pub(super) fn put_receipt(out: &mut Vec<u8>, sequence: u32, due: &Due, source: &[u8]) {
    put(out, DELIVER_SM, 0, sequence, |out| {
        out.extend_from_slice(&[0, 1, 1]);
        write!(out, "{}", due.number).expect(CANNOT_FAIL);
        out.extend_from_slice(&[0, 1, 1]);
        out.extend_from_slice(source);
        // NUL, esm_class, protocol_id, priority_flag, two empty times, registered_delivery,
        // replace_if_present, data_coding, sm_default_msg_id, sm_length.
        out.extend_from_slice(&[0, ESM_RECEIPT, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let length_at = out.len() - 1;
        write!(out, "id:{} ", due.id).expect(CANNOT_FAIL);
        out.extend_from_slice(
            b"sub:001 dlvrd:001 submit date:2611220900 done date:2611220900 stat:DELIVRD err:000 text:",
        );
        out[length_at] = u8::try_from(out.len() - length_at - 1).unwrap_or(u8::MAX);
        out.extend_from_slice(&[0x04, 0x27, 0, 1, 2]);
        out.extend_from_slice(&[0x00, 0x1E, 0, 0]);
        let value_at = out.len();
        write!(out, "{}", due.id).expect(CANNOT_FAIL);
        out.push(0);
        out[value_at - 1] = u8::try_from(out.len() - value_at).unwrap_or(u8::MAX);
    });
}

fn put(out: &mut Vec<u8>, id: u32, status: u32, sequence: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    for word in [0, id, status, sequence] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    body(out);
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use smpp::{Address, CommandStatus, Pdu, Receipt, Recognise, SubmitSm, next_frame};

    #[test]
    fn a_submit_of_our_encoder_is_read() {
        let sm = SubmitSm {
            source: Address::new(1, 1, &b"983000505"[..]),
            destination: Address::new(1, 1, &b"989121234567"[..]),
            registered_delivery: 1,
            short_message: b"hello".to_vec(),
            ..SubmitSm::default()
        };
        let mut out = Vec::new();
        Pdu::SubmitSm(sm)
            .encode(CommandStatus(0), 7, &mut out)
            .unwrap();
        let read = submit(&out[16..]).unwrap();
        assert_eq!(read.source, b"983000505");
        assert_eq!(digits(read.destination), 989_121_234_567);
        assert!(read.wants_receipt);
        assert!(submit(&out[16..30]).is_none());
    }

    #[test]
    fn a_receipt_is_one_for_our_decoder() {
        let mut out = Vec::new();
        let due = Due {
            id: 123,
            number: 989_121_234_567,
            source: 0,
        };
        put_receipt(&mut out, 9, &due, b"983000505");
        let (frame, used) = next_frame(&out, 1000).unwrap().unwrap();
        assert_eq!(used, out.len());
        let Pdu::DeliverSm(sm) = Pdu::decode(&frame).unwrap() else {
            panic!("{frame:?}");
        };
        assert_eq!(sm.source.digits, b"989121234567");
        let receipt = Receipt::from_deliver(&sm, Recognise::Marked).unwrap();
        assert_eq!(&*receipt.message_id, b"123");
        assert_eq!(receipt.state, smpp::MessageState::Delivered);
    }
}
