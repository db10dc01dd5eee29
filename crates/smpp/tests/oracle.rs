//! Another codec reads what ours writes, field by field, and writes the same bytes again.

use rusmpp_core::command::borrowed::Command;
use rusmpp_core::decode::borrowed::DecodeWithLength;
use rusmpp_core::encode::Encode;
use rusmpp_core::pdus::borrowed::Pdu as OraclePdu;
use smpp::{Address, Bind, BindResp, CommandStatus, DeliverSm, Pdu, SmResp, SubmitSm};

const LENGTH_WORD: usize = 4;

/// Writes a PDU with our codec, gives what the oracle reads to `check`, and compares the bytes.
fn compare(pdu: &Pdu, check: impl FnOnce(&OraclePdu<'_, 8>)) {
    let mut ours = Vec::new();
    pdu.encode(CommandStatus(0), 7, &mut ours).unwrap();
    let body = &ours[LENGTH_WORD..];
    let (command, used) = Command::<8>::decode(body, body.len()).unwrap();
    assert_eq!(used, body.len());
    assert_eq!(command.sequence_number(), 7);
    let mut theirs = vec![0; ours.len()];
    let written = command.encode(&mut theirs);
    assert_eq!(&theirs[..written], body);
    check(command.pdu().unwrap());
}

fn line() -> Address {
    Address::new(1, 1, &b"983000123"[..])
}

fn handset() -> Address {
    Address::new(1, 1, &b"989121234567"[..])
}

#[test]
fn submit_sm_is_read_by_the_oracle() {
    let mut sm = SubmitSm {
        service_type: b"CMT".to_vec(),
        source: line(),
        destination: handset(),
        esm_class: 0x40,
        protocol_id: 3,
        priority_flag: 1,
        validity_period: b"000001000000000R".to_vec(),
        registered_delivery: 1,
        data_coding: 8,
        short_message: b"\x05\x00\x03\x01\x02\x01text".to_vec(),
        ..SubmitSm::default()
    };
    smpp::Segment {
        reference: 9,
        total: 2,
        number: 1,
    }
    .push_sar(&mut sm.tlvs);
    compare(&Pdu::SubmitSm(sm), |pdu| {
        let OraclePdu::SubmitSm(read) = pdu else {
            panic!("{pdu:?}");
        };
        assert_eq!(read.source_addr.as_str(), "983000123");
        assert_eq!(read.destination_addr.as_str(), "989121234567");
        assert_eq!(u8::from(read.data_coding), 8);
        assert_eq!(read.tlvs().len(), 3);
        assert_eq!(
            read.short_message().bytes(),
            b"\x05\x00\x03\x01\x02\x01text"
        );
    });
}

#[test]
fn deliver_sm_is_read_by_the_oracle() {
    let receipt = smpp::Receipt {
        message_id: b"1A2B".to_vec().into(),
        state: smpp::MessageState::Delivered,
        error: None,
        submit_date: None,
        done_date: None,
        text: None,
    };
    let sm: DeliverSm = receipt.to_deliver(smpp::ReceiptStyle::Both, handset(), line());
    compare(&Pdu::DeliverSm(sm), |pdu| {
        let OraclePdu::DeliverSm(read) = pdu else {
            panic!("{pdu:?}");
        };
        assert_eq!(read.source_addr.as_str(), "989121234567");
        assert_eq!(read.tlvs().len(), 2);
    });
}

#[test]
fn binds_and_answers_are_read_by_the_oracle() {
    let bind = Bind {
        system_id: b"esme".to_vec(),
        password: b"secret08".to_vec(),
        system_type: b"peyk".to_vec(),
        ..Bind::default()
    };
    compare(&Pdu::BindTransceiver(bind), |pdu| {
        let OraclePdu::BindTransceiver(read) = pdu else {
            panic!("{pdu:?}");
        };
        assert_eq!(read.system_id.as_str(), "esme");
        assert_eq!(read.password.as_str(), "secret08");
    });
    let mut answer = BindResp {
        system_id: b"smsc".to_vec(),
        ..BindResp::default()
    };
    answer
        .tlvs
        .push(smpp::tlv::tag::SC_INTERFACE_VERSION, [0x34]);
    compare(&Pdu::BindTransceiverResp(answer), |_| ());
    let id = SmResp::with_id(*b"0123456789abcdef");
    compare(&Pdu::SubmitSmResp(id), |_| ());
    compare(&Pdu::EnquireLink, |_| ());
    compare(&Pdu::Unbind, |_| ());
    compare(&Pdu::GenericNack, |_| ());
}
