//! What a message looks like on the wire, setting by setting.

use super::*;
use domain::ids::{AccountId, BulkNo, LineId, LinkId, OperatorId, RecipientKey, Seq};
use domain::line::LineSettings;
use domain::line_number::LineNumber;
use domain::msisdn::Msisdn;
use domain::status::PartSet;
use domain::text::{decode, measure};
use smpp::concat::Parts;
use store::Lane;

const NOW: UnixMillis = UnixMillis(1_795_336_200_000);

fn line(number: &str) -> Line {
    Line {
        id: LineId(1),
        number: LineNumber::parse(number).expect("a line"),
        display: number.to_owned(),
        settings: LineSettings::default(),
    }
}

fn message(text: &str, reference_bits: ReferenceBits) -> ClaimedMessage {
    let parts = u8::try_from(measure(text, reference_bits).parts).expect("few parts");
    ClaimedMessage {
        link: LinkId(1),
        lane: Lane {
            line: LineId(1),
            operator: OperatorId(1),
        },
        key: RecipientKey {
            account: AccountId(1),
            bulk: BulkNo(10_001),
            seq: Seq(7),
        },
        to: Msisdn::from_national(9_121_111_111).expect("a mobile number"),
        outstanding: PartSet::all(parts),
        parts,
        text: text.into(),
        reference_bits,
        expires_at: None,
    }
}

fn pdus(message: &ClaimedMessage, from: &str, settings: &LinkSettings) -> Vec<QueuedPart> {
    Cutter::default()
        .pdus(message, &line(from), settings, NOW)
        .expect("parts")
}

fn joined(parts: &[QueuedPart], alphabet: Alphabet) -> String {
    parts
        .iter()
        .map(|queued| decode(alphabet, Parts::of_submit(&queued.pdu).text))
        .collect()
}

#[test]
fn a_short_persian_text_is_one_pdu_in_ucs2_with_a_receipt_asked_for() {
    let parts = pdus(
        &message("سلام", ReferenceBits::Eight),
        "3000505",
        &LinkSettings::default(),
    );
    let [QueuedPart { part, pdu, .. }] = parts.as_slice() else {
        panic!("one part")
    };
    assert_eq!(part.part, 0);
    assert_eq!(pdu.data_coding, 8);
    assert_eq!(pdu.registered_delivery, 1);
    assert_eq!(pdu.esm_class, 0);
    assert_eq!(
        pdu.short_message,
        [0x06, 0x33, 0x06, 0x44, 0x06, 0x27, 0x06, 0x45]
    );
    assert_eq!(
        (pdu.source.ton, pdu.source.digits.as_slice()),
        (1, b"983000505".as_slice())
    );
    assert_eq!(
        (pdu.destination.ton, pdu.destination.digits.as_slice()),
        (1, b"989121111111".as_slice())
    );
    assert!(pdu.validity_period.is_empty());
}

#[test]
fn a_long_text_is_tied_together_as_the_link_wants_it() {
    let text = "سلام دنیا ".repeat(15);
    for bits in [ReferenceBits::Eight, ReferenceBits::Sixteen] {
        let message = message(&text, bits);
        for concatenation in [Concatenation::Udh, Concatenation::Sar] {
            let settings = LinkSettings {
                concatenation,
                ..LinkSettings::default()
            };
            let parts = pdus(&message, "3000505", &settings);
            assert_eq!(parts.len(), 3);
            assert_eq!(joined(&parts, Alphabet::Ucs2), text);
            let segments: Vec<_> = parts
                .iter()
                .map(|queued| Parts::of_submit(&queued.pdu).segment.expect("a segment"))
                .collect();
            assert!(
                segments
                    .iter()
                    .all(|s| s.total == 3 && s.reference == segments[0].reference)
            );
            assert_eq!(
                segments.iter().map(|s| s.number).collect::<Vec<_>>(),
                [1, 2, 3]
            );
            let header = concatenation == Concatenation::Udh;
            assert_eq!(parts[0].pdu.esm_class, if header { 0x40 } else { 0 });
        }
    }
}

#[test]
fn a_text_as_message_payload_is_one_pdu_that_stands_for_all_its_parts() {
    let text = "x".repeat(400);
    let settings = LinkSettings {
        concatenation: Concatenation::MessagePayload,
        ..LinkSettings::default()
    };
    let parts = pdus(&message(&text, ReferenceBits::Eight), "3000505", &settings);
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].part.part, WHOLE_MESSAGE);
    assert_eq!(joined(&parts, Alphabet::Gsm7), text);
}

#[test]
fn only_the_outstanding_parts_are_sent_and_they_keep_number_and_reference() {
    let text = "x".repeat(400);
    let whole = message(&text, ReferenceBits::Eight);
    let rest = ClaimedMessage {
        outstanding: PartSet(0b100),
        ..whole.clone()
    };
    let settings = LinkSettings::default();
    let (all, one) = (
        pdus(&whole, "3000505", &settings),
        pdus(&rest, "3000505", &settings),
    );
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].part.part, 2);
    assert_eq!(one[0].pdu, all[2].pdu);
}

#[test]
fn senders_and_recipients_are_written_by_type_of_number() {
    let national = LinkSettings {
        source_ton: 0,
        dest_ton: 2,
        ..LinkSettings::default()
    };
    let plain = message("x", ReferenceBits::Eight);
    let pdu = &pdus(&plain, "3000505", &national)[0].pdu;
    assert_eq!(pdu.source.digits, b"3000505");
    assert_eq!(pdu.destination.digits, b"09121111111");
    let named = &pdus(&plain, "EVENT", &LinkSettings::default())[0].pdu;
    assert_eq!((named.source.ton, named.source.npi), (5, 0));
    assert_eq!(named.source.digits, b"EVENT");
}

#[test]
fn a_validity_is_written_as_a_time_from_now() {
    let table = [
        (90, "000000000130000R"),
        (3_600, "000000010000000R"),
        (2 * 86_400 + 5, "000002000005000R"),
        (45 * 86_400, "000115000000000R"),
    ];
    for (seconds, written) in table {
        let message = ClaimedMessage {
            expires_at: Some(NOW.plus_seconds(seconds)),
            ..message("x", ReferenceBits::Eight)
        };
        let pdu = &pdus(&message, "3000505", &LinkSettings::default())[0].pdu;
        assert_eq!(String::from_utf8_lossy(&pdu.validity_period), written);
    }
}

#[test]
fn a_text_that_does_not_give_the_counted_parts_is_not_sent() {
    let damaged = ClaimedMessage {
        parts: 2,
        ..message("x", ReferenceBits::Eight)
    };
    let settings = LinkSettings::default();
    assert!(
        Cutter::default()
            .pdus(&damaged, &line("3000505"), &settings, NOW)
            .is_none()
    );
}
