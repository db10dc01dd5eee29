//! The session machine, played by hand.

use std::time::Duration;

use super::*;
use crate::frame::{Header, next_frame};
use crate::pdu::{BindResp, DecodeError, DeliverSm};
use crate::status::Class;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn session(window: usize) -> EsmeSession {
    let bind = Bind {
        system_id: b"esme".to_vec(),
        ..Bind::default()
    };
    let mut config = SessionConfig::new(bind, BindMode::Transceiver);
    config.window = window;
    EsmeSession::new(config)
}

fn bytes(pdu: &Pdu, status: u32, sequence: u32) -> Vec<u8> {
    let mut out = Vec::new();
    pdu.encode(CommandStatus(status), sequence, &mut out)
        .unwrap();
    out
}

fn bare(id: CommandId, status: u32, sequence: u32) -> Vec<u8> {
    let mut out = Vec::new();
    wire::put_bare(&mut out, id, CommandStatus(status), sequence);
    out
}

fn headers(mut bytes: &[u8]) -> Vec<Header> {
    let mut found = Vec::new();
    while let Some((frame, used)) = next_frame(bytes, 100_000).unwrap() {
        found.push(frame.header);
        bytes = &bytes[used..];
    }
    found
}

fn bound(window: usize) -> EsmeSession {
    let mut session = session(window);
    session.start(at(0), &mut Vec::new()).unwrap();
    let answer = Pdu::BindTransceiverResp(BindResp::default());
    let events = receive(&mut session, at(0), &bytes(&answer, 0, 1)).0;
    assert!(matches!(events[..], [Event::Bound { .. }]));
    session
}

fn receive(session: &mut EsmeSession, now: Duration, bytes: &[u8]) -> (Vec<Event>, Vec<Header>) {
    let (mut out, mut events) = (Vec::new(), Vec::new());
    session.receive(now, bytes, &mut out, &mut events);
    (events, headers(&out))
}

fn tick(session: &mut EsmeSession, now: Duration) -> (Vec<Event>, Vec<Header>) {
    let (mut out, mut events) = (Vec::new(), Vec::new());
    session.tick(now, &mut out, &mut events);
    (events, headers(&out))
}

fn submit(session: &mut EsmeSession, now: Duration, ticket: u64) -> u32 {
    let sm = SubmitSm::default();
    session.submit(now, ticket, &sm, &mut Vec::new()).unwrap()
}

#[test]
fn an_answer_with_status_0_and_no_body_is_an_answer() {
    let mut session = bound(10);
    let sequence = submit(&mut session, at(1), 70);
    let answer = bare(CommandId::SubmitSmResp, 0, sequence);
    assert_eq!(
        receive(&mut session, at(3), &answer).0,
        [Event::Answer {
            ticket: 70,
            status: CommandStatus::ESME_ROK,
            class: Class::Ok,
            message_id: None,
            round_trip: at(2),
        }]
    );
}

#[test]
fn error_answers_come_with_and_without_a_body() {
    let mut session = bound(10);
    let first = submit(&mut session, at(0), 1);
    let second = submit(&mut session, at(0), 2);
    let mut answers = bare(CommandId::SubmitSmResp, 0x58, first);
    let with_body = Pdu::SubmitSmResp(SmResp::default());
    answers.extend(bytes(&with_body, 0x0B, second));
    let events = receive(&mut session, at(0), &answers).0;
    let classes: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::Answer { ticket, class, .. } => (*ticket, *class),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(classes, [(1, Class::Throttled), (2, Class::Permanent)]);
}

#[test]
fn the_window_bounds_what_is_outstanding() {
    let mut session = bound(2);
    submit(&mut session, at(0), 1);
    let second = submit(&mut session, at(0), 2);
    assert_eq!(session.free_window(), 0);
    let mut out = Vec::new();
    let refused = session.submit(at(0), 3, &SubmitSm::default(), &mut out);
    assert_eq!(refused, Err(SubmitRefused::WindowFull));
    assert!(out.is_empty());
    receive(
        &mut session,
        at(0),
        &bare(CommandId::SubmitSmResp, 0, second),
    );
    assert_eq!(session.free_window(), 1);
}

#[test]
fn many_submits_share_one_buffer() {
    let mut session = bound(10);
    let mut out = Vec::new();
    for ticket in 0..5 {
        session
            .submit(at(0), ticket, &SubmitSm::default(), &mut out)
            .unwrap();
    }
    let sequences: Vec<_> = headers(&out).iter().map(|header| header.sequence).collect();
    assert_eq!(sequences, [2, 3, 4, 5, 6]);
}

#[test]
fn a_bad_body_costs_one_generic_nack() {
    let mut session = bound(10);
    let mut bad = bytes(&Pdu::DeliverSm(DeliverSm::default()), 0, 77);
    bad.truncate(20);
    bad[..4].copy_from_slice(&20_u32.to_be_bytes());
    bad.extend(bytes(&Pdu::DeliverSm(DeliverSm::default()), 0, 78));
    let (events, answers) = receive(&mut session, at(0), &bad);
    assert_eq!(
        events,
        [
            Event::ProtocolError(ProtocolFault::BadBody {
                id: CommandId::DeliverSm,
                sequence: 77,
                error: DecodeError::Truncated {
                    field: "destination_addr"
                },
            }),
            Event::Deliver {
                reply: DeliverRef {
                    sequence: 78,
                    data_sm: false
                },
                sm: DeliverSm::default(),
            },
        ]
    );
    assert_eq!(
        answers,
        [Header {
            id: CommandId::GenericNack,
            status: CommandStatus::ESME_RINVCMDLEN,
            sequence: 77
        }]
    );
    assert_eq!(session.state(), SessionState::Bound);
}

#[test]
fn an_impossible_length_is_nacked_and_ends_the_session() {
    let mut session = bound(10);
    submit(&mut session, at(0), 5);
    let (events, answers) = receive(&mut session, at(0), &[0, 0, 0, 3, 9, 9]);
    assert_eq!(answers[0].id, CommandId::GenericNack);
    assert_eq!(answers[0].sequence, 0);
    assert_eq!(events[0], Event::AnswerLost { ticket: 5 });
    assert!(matches!(events[1], Event::Closed { .. }));
    assert_eq!(events.len(), 2);
}

#[test]
fn an_enquire_link_with_a_body_is_answered() {
    let mut session = bound(10);
    let odd = Pdu::Other(CommandId::EnquireLink, b"body".to_vec().into());
    let (events, answers) = receive(&mut session, at(0), &bytes(&odd, 0, 9));
    assert!(events.is_empty());
    assert_eq!(answers[0].id, CommandId::EnquireLinkResp);
    assert_eq!(answers[0].sequence, 9);
}

#[test]
fn a_generic_nack_answers_the_submit_even_with_status_0() {
    let mut session = bound(10);
    let sequence = submit(&mut session, at(0), 8);
    let nack = bare(CommandId::GenericNack, 0, sequence);
    let events = receive(&mut session, at(0), &nack).0;
    assert!(
        matches!(events[..], [Event::Answer { ticket: 8, status, .. }]
            if status == CommandStatus::ESME_RUNKNOWNERR)
    );
}

#[test]
fn a_late_answer_is_reported_apart() {
    let mut session = bound(10);
    let sequence = submit(&mut session, at(1), 4);
    assert_eq!(session.next_deadline(), Some(at(30)));
    assert_eq!(
        tick(&mut session, at(31)).0,
        [Event::AnswerLost { ticket: 4 }]
    );
    let answer = Pdu::SubmitSmResp(SmResp::with_id(*b"id"));
    let answer = bytes(&answer, 0, sequence);
    assert_eq!(
        receive(&mut session, at(32), &answer).0,
        [Event::LateAnswer {
            ticket: 4,
            status: CommandStatus::ESME_ROK,
            message_id: Some(b"id".to_vec().into()),
        }]
    );
    let events = receive(&mut session, at(33), &answer).0;
    assert!(matches!(
        events[..],
        [Event::ProtocolError(ProtocolFault::UnknownAnswer { .. })]
    ));
}

#[test]
fn a_silent_peer_is_asked_and_then_given_up() {
    let mut session = bound(10);
    assert_eq!(session.next_deadline(), Some(at(30)));
    let (events, asked) = tick(&mut session, at(30));
    assert!(events.is_empty());
    assert_eq!(asked[0].id, CommandId::EnquireLink);
    assert_eq!(session.next_deadline(), Some(at(60)));
    assert!(tick(&mut session, at(59)).0.is_empty());
    assert_eq!(
        tick(&mut session, at(60)).0,
        [Event::Closed {
            reason: CloseReason::EnquireTimeout
        }]
    );
    assert_eq!(session.next_deadline(), None);
}

#[test]
fn any_pdu_is_a_sign_of_life() {
    let mut session = bound(10);
    let asked = tick(&mut session, at(30)).1;
    let answer = bare(CommandId::EnquireLinkResp, 0, asked[0].sequence + 100);
    receive(&mut session, at(40), &answer);
    assert_eq!(session.next_deadline(), Some(at(70)));
}

#[test]
fn a_refused_bind_ends_the_session() {
    for id in [CommandId::BindTransceiverResp, CommandId::GenericNack] {
        let mut session = session(1);
        session.start(at(0), &mut Vec::new()).unwrap();
        let status = CommandStatus::ESME_RINVPASWD;
        assert_eq!(
            receive(&mut session, at(0), &bare(id, status.0, 1)).0,
            [
                Event::BindRefused { status },
                Event::Closed {
                    reason: CloseReason::BindRefused(status)
                }
            ]
        );
    }
}

#[test]
fn a_bind_without_an_answer_times_out() {
    let mut session = session(1);
    session.start(at(5), &mut Vec::new()).unwrap();
    assert_eq!(session.next_deadline(), Some(at(15)));
    assert!(tick(&mut session, at(14)).0.is_empty());
    assert_eq!(
        tick(&mut session, at(15)).0,
        [Event::Closed {
            reason: CloseReason::BindTimeout
        }]
    );
}

#[test]
fn unbinding_still_takes_answers() {
    let mut session = bound(10);
    let sequence = submit(&mut session, at(0), 3);
    let mut out = Vec::new();
    session.unbind(at(1), &mut out);
    let unbind = headers(&out)[0];
    assert_eq!(unbind.id, CommandId::Unbind);
    assert_eq!(session.free_window(), 0);
    let mut last = bare(CommandId::SubmitSmResp, 0, sequence);
    last.extend(bare(CommandId::UnbindResp, 0, unbind.sequence));
    let events = receive(&mut session, at(1), &last).0;
    assert!(matches!(
        events[..],
        [
            Event::Answer { ticket: 3, .. },
            Event::Closed {
                reason: CloseReason::Unbound
            }
        ]
    ));
}

#[test]
fn an_unbind_of_the_peer_returns_all_tickets() {
    let mut session = bound(10);
    submit(&mut session, at(0), 1);
    submit(&mut session, at(0), 2);
    let (events, answers) = receive(&mut session, at(0), &bare(CommandId::Unbind, 0, 6));
    assert_eq!(answers[0].id, CommandId::UnbindResp);
    assert_eq!(
        events,
        [
            Event::AnswerLost { ticket: 1 },
            Event::AnswerLost { ticket: 2 },
            Event::Closed {
                reason: CloseReason::PeerUnbound
            }
        ]
    );
    let mut more = Vec::new();
    session.close(&mut more);
    assert!(more.is_empty());
}

#[test]
fn a_delivery_is_answered_only_when_the_owner_says_so() {
    let mut session = bound(10);
    let sm = Pdu::DataSm(DeliverSm::default());
    let (events, answers) = receive(&mut session, at(0), &bytes(&sm, 0, 12));
    assert!(answers.is_empty());
    let Event::Deliver { reply, .. } = events[0] else {
        panic!("{events:?}");
    };
    let mut out = Vec::new();
    session.deliver_resp(reply, CommandStatus::ESME_ROK, &mut out);
    let answer = headers(&out)[0];
    assert_eq!((answer.id, answer.sequence), (CommandId::DataSmResp, 12));
}

#[test]
fn an_unserved_request_is_nacked_but_an_unknown_answer_is_not() {
    let mut session = bound(10);
    let mut odd = bare(CommandId::QuerySm, 0, 3);
    odd.extend(bare(CommandId::Unknown(0x8001_0000), 0, 4));
    odd.extend(bare(CommandId::AlertNotification, 0, 5));
    let (events, answers) = receive(&mut session, at(0), &odd);
    assert_eq!(events.len(), 3);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].status, CommandStatus::ESME_RINVCMDID);
    assert_eq!(session.counts().faults, 3);
}

#[test]
fn a_receiver_never_submits() {
    let config = SessionConfig::new(Bind::default(), BindMode::Receiver);
    let mut session = EsmeSession::new(config);
    session.start(at(0), &mut Vec::new()).unwrap();
    let answer = bytes(&Pdu::BindReceiverResp(BindResp::default()), 0, 1);
    receive(&mut session, at(0), &answer);
    assert_eq!(session.state(), SessionState::Bound);
    assert_eq!(session.free_window(), 0);
    let refused = session.submit(at(0), 1, &SubmitSm::default(), &mut Vec::new());
    assert_eq!(refused, Err(SubmitRefused::NotBound));
}
