//! A claimed message as `submit_sm` PDUs, by its link's settings. Pure.

use crate::learnt::Step;
use domain::ids::{LineId, PartKey};
use domain::line::Line;
use domain::link::{Concatenation, LinkSettings};
use domain::status::WHOLE_MESSAGE;
use domain::text::{Alphabet, ReferenceBits, Segments, segments};
use domain::time::UnixMillis;
use smpp::concat::{ESM_UDHI, Segment};
use smpp::pdu::{Address, SubmitSm};
use smpp::tlv::tag;
use store::ClaimedMessage;

/// Octets that `short_message` holds (SMPP 3.4 section 5.2.22).
const SHORT_MESSAGE_MAX: usize = 254;
/// Type of number of a sender that is a name (SMPP 3.4 section 5.2.5).
const TON_ALPHANUMERIC: u8 = 5;
/// Type of number of an international one.
const TON_INTERNATIONAL: u8 = 1;
/// Asks for a receipt on success and on failure (SMPP 3.4 section 5.2.17).
const REGISTERED_DELIVERY: u8 = 1;
/// The longest relative validity period that its form can hold: 99 days are plenty.
const VALIDITY_DAYS_MAX: i64 = 99;

/// One PDU that waits for a bind.
#[derive(Debug)]
pub(crate) struct QueuedPart {
    /// Which part it is; [`WHOLE_MESSAGE`] when the whole text is in it.
    pub part: PartKey,
    /// The line that sends it.
    pub line: LineId,
    /// Messages a second that the line may send.
    pub line_rate: Option<u32>,
    /// The rate of the link under which it was claimed; set by who claims.
    pub step: Step,
    /// The PDU.
    pub pdu: SubmitSm,
}

/// The texts of a bulk are the same, so its parts are cut once for the messages claimed together.
#[derive(Default)]
pub(crate) struct Cutter {
    last: Option<(std::sync::Arc<str>, ReferenceBits, Segments)>,
}

impl Cutter {
    fn cut(&mut self, message: &ClaimedMessage) -> &Segments {
        let known = matches!(&self.last, Some((text, bits, _))
            if *bits == message.reference_bits
                && (std::sync::Arc::ptr_eq(text, &message.text) || *text == message.text));
        if !known {
            self.last = None;
        }
        &self
            .last
            .get_or_insert_with(|| {
                let cut = segments(&message.text, message.reference_bits);
                (message.text.clone(), message.reference_bits, cut)
            })
            .2
    }

    /// The PDUs of the parts that are outstanding; `None` when the text does not give the parts
    /// that were counted at acceptance, which nothing but a damaged row can cause.
    pub(crate) fn pdus(
        &mut self,
        message: &ClaimedMessage,
        line: &Line,
        link: &LinkSettings,
        now: UnixMillis,
    ) -> Option<Vec<QueuedPart>> {
        let cut = self.cut(message);
        if cut.parts.len() != usize::from(message.parts) || cut.parts.is_empty() {
            return None;
        }
        let frame = frame(message, line, link, cut.alphabet, now);
        let queued = |part, pdu| QueuedPart {
            part: PartKey {
                recipient: message.key,
                part,
            },
            line: line.id,
            line_rate: line.settings.rate_per_second,
            step: Step::default(),
            pdu,
        };
        if let [only] = cut.parts.as_slice() {
            let pdu = SubmitSm {
                short_message: only.clone(),
                ..frame
            };
            return Some(vec![queued(0, pdu)]);
        }
        if link.concatenation == Concatenation::MessagePayload {
            return Some(vec![queued(WHOLE_MESSAGE, whole(frame, cut))]);
        }
        message
            .outstanding
            .iter()
            .map(|part| {
                let payload = cut.parts.get(usize::from(part))?;
                let segment = segment(message, part);
                let pdu = long(
                    frame.clone(),
                    segment,
                    message.reference_bits,
                    link,
                    payload,
                )?;
                Some(queued(part, pdu))
            })
            .collect()
    }
}

/// What all parts of a message share.
fn frame(
    message: &ClaimedMessage,
    line: &Line,
    link: &LinkSettings,
    alphabet: Alphabet,
    now: UnixMillis,
) -> SubmitSm {
    let data_coding = match alphabet {
        Alphabet::Gsm7 => link.data_coding_gsm7,
        Alphabet::Ucs2 => link.data_coding_ucs2,
    };
    SubmitSm {
        source: source(line, link),
        destination: destination(message, link),
        registered_delivery: REGISTERED_DELIVERY,
        data_coding,
        validity_period: message
            .expires_at
            .map_or_else(Vec::new, |at| relative_time(at, now)),
        ..SubmitSm::default()
    }
}

fn source(line: &Line, link: &LinkSettings) -> Address {
    if !line.number.is_numeric() {
        return Address::new(TON_ALPHANUMERIC, 0, line.display.as_bytes());
    }
    let digits = line.number.as_str();
    let written = if link.source_ton == TON_INTERNATIONAL {
        format!("98{digits}")
    } else {
        digits.to_owned()
    };
    Address::new(link.source_ton, link.source_npi, written)
}

fn destination(message: &ClaimedMessage, link: &LinkSettings) -> Address {
    let national = message.to.national();
    let written = if link.dest_ton == TON_INTERNATIONAL {
        format!("98{national}")
    } else {
        format!("0{national}")
    };
    Address::new(link.dest_ton, link.dest_npi, written)
}

/// `YYMMDDhhmmsstnnR`: a time from now (SMPP 3.4 section 7.1.1.2), so that the clocks of the two
/// sides need not agree.
fn relative_time(at: UnixMillis, now: UnixMillis) -> Vec<u8> {
    let seconds = (at.millis_since(now) / 1_000).clamp(1, VALIDITY_DAYS_MAX * 86_400);
    // Days above 30 would run over into the next month of the form, whose length is not fixed.
    let (months, days) = (seconds / 86_400 / 30, seconds / 86_400 % 30);
    let rest = seconds % 86_400;
    format!(
        "00{months:02}{days:02}{:02}{:02}{:02}000R",
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
    .into_bytes()
}

/// The same message always gets the same reference, so that a part that is sent again later still
/// joins the parts that went before.
fn segment(message: &ClaimedMessage, part: u8) -> Segment {
    let mixed = message
        .key
        .bulk
        .0
        .wrapping_mul(31)
        .wrapping_add(message.key.seq.0);
    let reference = match message.reference_bits {
        ReferenceBits::Eight => (mixed & 0xFF) as u16,
        ReferenceBits::Sixteen => (mixed & 0xFFFF) as u16,
    };
    Segment {
        reference,
        total: message.parts,
        number: part + 1,
    }
}

fn long(
    mut pdu: SubmitSm,
    segment: Segment,
    bits: ReferenceBits,
    link: &LinkSettings,
    payload: &[u8],
) -> Option<SubmitSm> {
    if link.concatenation == Concatenation::Sar {
        segment.push_sar(&mut pdu.tlvs);
        pdu.short_message = payload.to_vec();
    } else {
        pdu.esm_class |= ESM_UDHI;
        pdu.short_message = match bits {
            ReferenceBits::Eight => segment.header_8().to_vec(),
            ReferenceBits::Sixteen => segment.header_16().to_vec(),
        };
        pdu.short_message.extend_from_slice(payload);
    }
    (pdu.short_message.len() <= SHORT_MESSAGE_MAX).then_some(pdu)
}

fn whole(mut pdu: SubmitSm, cut: &Segments) -> SubmitSm {
    pdu.tlvs.push(tag::MESSAGE_PAYLOAD, cut.parts.concat());
    pdu
}

#[cfg(test)]
#[path = "parts_tests.rs"]
mod tests;
