//! Claims about all inputs: decoding never panics, what is written reads back, and how the bytes
//! are cut into reads does not matter.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use smpp::{
    Address, Bind, BindMode, BindResp, CommandStatus, DeliverSm, EsmeSession, Event, Outbind, Pdu,
    Receipt, Recognise, Segment, SessionConfig, SmResp, SubmitSm, Tlv, Tlvs, next_frame,
};

const MAX_FRAME: usize = 70_000;

fn c_string(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(1_u8..=255, 0..=max)
}

fn address() -> impl Strategy<Value = Address> {
    (any::<u8>(), any::<u8>(), c_string(20)).prop_map(|(ton, npi, d)| Address::new(ton, npi, d))
}

fn tlvs() -> impl Strategy<Value = Tlvs> {
    // message_payload is left out: beside a short_message it is refused.
    let tag = any::<u16>().prop_filter("no second text", |tag| *tag != 0x0424);
    let tlv = (tag, vec(any::<u8>(), 0..40)).prop_map(|(tag, value)| Tlv::new(tag, value));
    vec(tlv, 0..4).prop_map(Tlvs)
}

fn time() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(Vec::new()), vec(b'0'..=b'9', 16)]
}

fn bind() -> impl Strategy<Value = Bind> {
    let octets = (any::<u8>(), any::<u8>(), any::<u8>());
    (
        c_string(15),
        c_string(8),
        c_string(12),
        octets,
        c_string(40),
    )
        .prop_map(
            |(system_id, password, system_type, octets, address_range)| Bind {
                system_id,
                password,
                system_type,
                interface_version: octets.0,
                addr_ton: octets.1,
                addr_npi: octets.2,
                address_range,
                long_credentials: false,
            },
        )
}

fn submit_sm() -> impl Strategy<Value = SubmitSm> {
    let octets = any::<[u8; 7]>();
    let text = vec(any::<u8>(), 0..=254);
    (
        c_string(5),
        address(),
        address(),
        (time(), time()),
        octets,
        text,
        tlvs(),
    )
        .prop_map(
            |(service_type, source, destination, times, octets, short_message, tlvs)| SubmitSm {
                service_type,
                source,
                destination,
                esm_class: octets[0],
                protocol_id: octets[1],
                priority_flag: octets[2],
                schedule_delivery_time: times.0,
                validity_period: times.1,
                registered_delivery: octets[3],
                replace_if_present: octets[4],
                data_coding: octets[5],
                sm_default_msg_id: octets[6],
                short_message,
                tlvs,
            },
        )
}

fn deliver_sm() -> impl Strategy<Value = DeliverSm> {
    let octets = any::<[u8; 5]>();
    let text = vec(any::<u8>(), 0..=254);
    (c_string(5), address(), address(), octets, text, tlvs()).prop_map(
        |(service_type, source, destination, octets, short_message, tlvs)| DeliverSm {
            service_type,
            source,
            destination,
            esm_class: octets[0],
            protocol_id: octets[1],
            priority_flag: octets[2],
            registered_delivery: octets[3],
            data_coding: octets[4],
            short_message,
            tlvs,
        },
    )
}

fn data_sm() -> impl Strategy<Value = DeliverSm> {
    deliver_sm().prop_map(|sm| DeliverSm {
        protocol_id: 0,
        priority_flag: 0,
        short_message: Vec::new(),
        ..sm
    })
}

fn sm_resp() -> impl Strategy<Value = SmResp> {
    (vec(1_u8..=255, 1..=80), tlvs()).prop_map(|(id, tlvs)| SmResp {
        message_id: Some(id.into()),
        tlvs,
    })
}

fn pdu() -> impl Strategy<Value = Pdu> {
    let bind_resp =
        || (c_string(15), tlvs()).prop_map(|(system_id, tlvs)| BindResp { system_id, tlvs });
    let outbind = (c_string(15), c_string(8));
    prop_oneof![
        bind().prop_map(Pdu::BindTransmitter),
        bind().prop_map(Pdu::BindReceiver),
        bind().prop_map(Pdu::BindTransceiver),
        bind_resp().prop_map(Pdu::BindTransmitterResp),
        bind_resp().prop_map(Pdu::BindReceiverResp),
        bind_resp().prop_map(Pdu::BindTransceiverResp),
        outbind.prop_map(|(system_id, password)| Pdu::Outbind(Outbind {
            system_id,
            password
        })),
        submit_sm().prop_map(Pdu::SubmitSm),
        sm_resp().prop_map(Pdu::SubmitSmResp),
        deliver_sm().prop_map(Pdu::DeliverSm),
        sm_resp().prop_map(Pdu::DeliverSmResp),
        data_sm().prop_map(Pdu::DataSm),
        sm_resp().prop_map(Pdu::DataSmResp),
        Just(Pdu::EnquireLink),
        Just(Pdu::EnquireLinkResp),
        Just(Pdu::Unbind),
        Just(Pdu::UnbindResp),
        Just(Pdu::GenericNack),
    ]
}

/// Frames with true lengths and bodies of anything, so that decoding is reached.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let ids = prop_oneof![
        Just(0x8000_0000_u32),
        Just(0x8000_0009),
        Just(0x8000_0004),
        Just(0x0000_0005),
        Just(0x0000_0015),
        Just(0x0000_0103),
        Just(0x0000_0006),
        any::<u32>(),
    ];
    let garbage = (ids, 0_u32..3, 0_u32..4, vec(any::<u8>(), 0..60)).prop_map(
        |(id, status, sequence, body)| {
            let length = 16 + body.len() as u32;
            let words = [length, id, status, sequence].map(u32::to_be_bytes);
            [words.concat(), body].concat()
        },
    );
    let sound = (pdu(), 0_u32..8).prop_map(|(pdu, sequence)| written(&pdu, 0, sequence));
    let piece = prop_oneof![
        6 => garbage,
        4 => sound,
        1 => vec(any::<u8>(), 0..30),
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn written(pdu: &Pdu, status: u32, sequence: u32) -> Vec<u8> {
    let mut out = Vec::new();
    pdu.encode(CommandStatus(status), sequence, &mut out)
        .unwrap();
    out
}

fn play(chunks: &[&[u8]]) -> (Vec<u8>, Vec<Event>) {
    let config = SessionConfig::new(Bind::default(), BindMode::Transceiver);
    let mut session = EsmeSession::new(config);
    let (mut out, mut events) = (Vec::new(), Vec::new());
    let now = Duration::ZERO;
    session.start(now, &mut out).unwrap();
    let bound = written(&Pdu::BindTransceiverResp(BindResp::default()), 0, 1);
    session.receive(now, &bound, &mut out, &mut events);
    for ticket in 0..3 {
        session
            .submit(now, ticket, &SubmitSm::default(), &mut out)
            .unwrap();
    }
    for chunk in chunks {
        session.receive(now, chunk, &mut out, &mut events);
    }
    session.tick(Duration::from_secs(31), &mut out, &mut events);
    session.close(&mut events);
    (out, events)
}

proptest! {
    #[test]
    fn what_is_written_reads_back(pdu in pdu(), status in any::<u32>(), sequence in any::<u32>()) {
        let bytes = written(&pdu, status, sequence);
        let (frame, used) = next_frame(&bytes, MAX_FRAME).unwrap().unwrap();
        prop_assert_eq!(used, bytes.len());
        prop_assert_eq!(frame.header.status, CommandStatus(status));
        prop_assert_eq!(frame.header.sequence, sequence);
        prop_assert_eq!(Pdu::decode(&frame), Ok(pdu));
    }

    #[test]
    fn decoding_never_panics(bytes in stream()) {
        let mut rest = &bytes[..];
        while let Ok(Some((frame, used))) = next_frame(rest, MAX_FRAME) {
            if let Ok(Pdu::DeliverSm(sm)) = Pdu::decode(&frame) {
                let _ = Receipt::from_deliver(&sm, Recognise::MarkedOrText);
            }
            rest = &rest[used..];
        }
    }

    #[test]
    fn receipt_texts_never_panic(esm_class in any::<u8>(), text in vec(any::<u8>(), 0..80)) {
        let text = [b"id:1 stat:", &text[..], b" text:x err:"].concat();
        let sm = DeliverSm { esm_class, short_message: text, ..DeliverSm::default() };
        let _ = Receipt::from_deliver(&sm, Recognise::MarkedOrText);
    }

    #[test]
    fn the_cut_into_reads_does_not_matter(
        bytes in stream(),
        cuts in vec(any::<proptest::sample::Index>(), 0..12),
    ) {
        let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        let chunks: Vec<_> = at.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect();
        prop_assert_eq!(play(&chunks), play(&[&bytes]));
    }

    #[test]
    fn every_ticket_has_exactly_one_outcome(bytes in stream()) {
        let (_, events) = play(&[&bytes]);
        let mut tickets: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::Answer { ticket, .. } | Event::AnswerLost { ticket } => Some(*ticket),
                _ => None,
            })
            .collect();
        tickets.sort_unstable();
        prop_assert_eq!(tickets, [0, 1, 2]);
        let closed = matches!(events.last(), Some(Event::Closed { .. }));
        prop_assert!(closed);
    }

    #[test]
    fn sar_and_headers_come_back(
        reference in any::<u16>(),
        (total, number) in (1_u8..).prop_flat_map(|total| (Just(total), 1..=total)),
    ) {
        let segment = Segment { reference, total, number };
        let mut tlvs = Tlvs::new();
        segment.push_sar(&mut tlvs);
        prop_assert_eq!(Segment::from_sar(&tlvs), Some(segment));
        let header = segment.header_16();
        let parts = smpp::concat::Parts::of(smpp::concat::ESM_UDHI, &header, &Tlvs::new());
        prop_assert_eq!(parts.segment, Some(segment));
    }
}
