//! The simulator, seen from an ESME on a real socket.

mod client;

use std::time::{Duration, Instant};

use client::{Client, PATIENCE};

use smpp::{
    Address, BindMode, Class, CloseReason, CommandStatus, Event, IdFormat, IdRules, MessageState,
    Receipt, Recognise,
};
use smsc_sim::{
    Account, Accounts, Action, Behaviour, Garbage, IdDigits, IdStyle, Match, Mo, Outcome,
    ReceiptPlan, Rule, Sim, SimConfig,
};
use tokio::net::TcpStream;
use tokio::time::timeout;

async fn start(behaviour: Behaviour) -> Sim {
    start_with(SimConfig {
        behaviour,
        ..SimConfig::default()
    })
    .await
}

async fn start_with(config: SimConfig) -> Sim {
    Sim::start(config).await.unwrap()
}

async fn eventually(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn receipts(plan: ReceiptPlan) -> Behaviour {
    Behaviour {
        receipts: plan,
        ..Behaviour::default()
    }
}

#[tokio::test]
async fn a_message_is_answered_and_its_receipt_follows() {
    let sim = start(Behaviour::default()).await;
    let mut client = Client::connect(&sim, BindMode::Transceiver).await;
    client.submit(7, "989121234567").await;
    let (class, id) = client.answer(7).await;
    assert_eq!((class, id.as_deref()), (Class::Ok, Some(&b"1"[..])));
    let receipt = client.receipt().await;
    assert_eq!(&*receipt.message_id, b"1");
    assert_eq!(receipt.state, MessageState::Delivered);
    eventually(|| sim.counts().acknowledged == 1).await;
    let counts = sim.counts();
    assert_eq!(
        (counts.submits, counts.accepted, counts.answered),
        (1, 1, 1)
    );
    assert_eq!((counts.receipts_sent, counts.unacknowledged), (1, 0));
    let records = sim.submits();
    assert_eq!(records[0].sm.short_message, b"hello");
    assert_eq!(records[0].message_id.as_deref(), Some(&b"1"[..]));
    client.session.unbind(Duration::ZERO, &mut client.out);
    let end = client.closed().await.pop();
    assert_eq!(
        end,
        Some(Event::Closed {
            reason: CloseReason::Unbound
        })
    );
    eventually(|| sim.counts().connections == 0).await;
    sim.stop().await;
}

#[tokio::test]
async fn receipts_go_to_the_receiver_of_the_same_name() {
    let sim = start(Behaviour::default()).await;
    let mut transmitter = Client::connect(&sim, BindMode::Transmitter).await;
    transmitter.submit(1, "989121234567").await;
    transmitter.answer(1).await;
    let mut receiver = Client::connect(&sim, BindMode::Receiver).await;
    assert_eq!(&*receiver.receipt().await.message_id, b"1");
    transmitter.submit(2, "989121234567").await;
    transmitter.answer(2).await;
    assert_eq!(&*receiver.receipt().await.message_id, b"2");
}

#[tokio::test]
async fn above_the_rate_messages_are_throttled() {
    let sim = start(Behaviour {
        throttle_per_second: Some(3),
        ..Behaviour::default()
    })
    .await;
    let mut client = Client::connect(&sim, BindMode::Transceiver).await;
    let mut classes = Vec::new();
    for ticket in 0..5 {
        client.submit(ticket, "98912").await;
        classes.push(client.answer(ticket).await.0);
    }
    use Class::{Ok, Throttled};
    assert_eq!(classes, [Ok, Ok, Ok, Throttled, Throttled]);
    assert_eq!(sim.counts().throttled, 2);
}

#[tokio::test]
async fn a_lost_answer_still_has_its_receipt() {
    let sim = start(Behaviour::default()).await;
    sim.script().next(1, Action::LoseAnswer);
    let mut client = Client::connect(&sim, BindMode::Transceiver).await;
    client.submit(1, "98912").await;
    client.submit(2, "98912").await;
    let events = client
        .until(|event| matches!(event, Event::Answer { .. }))
        .await;
    assert!(matches!(
        events.last(),
        Some(Event::Answer { ticket: 2, .. })
    ));
    assert_eq!(client.session.outstanding(), 1);
    let ids = client
        .until(
            |event| matches!(event, Event::Deliver { sm, .. } if sm.payload().starts_with(b"id:2")),
        )
        .await;
    let all = events.iter().chain(&ids);
    let receipts = all.filter(|event| matches!(event, Event::Deliver { .. }));
    assert_eq!(receipts.count(), 2);
}

#[tokio::test]
async fn a_disconnect_after_accepting_loses_the_answer_and_keeps_the_receipt() {
    let sim = start(Behaviour::default()).await;
    sim.script().next(2, Action::Accept);
    sim.script().next(1, Action::Disconnect { accepted: true });
    let mut client = Client::connect(&sim, BindMode::Transceiver).await;
    for ticket in 1..=3 {
        client.submit(ticket, "98912").await;
    }
    let events = client.closed().await;
    assert!(events.contains(&Event::AnswerLost { ticket: 3 }));
    let mut again = Client::connect(&sim, BindMode::Transceiver).await;
    loop {
        if &*again.receipt().await.message_id == b"3" {
            break;
        }
    }
}

#[tokio::test]
async fn receipts_come_doubled_and_for_nobody() {
    let sim = start(receipts(ReceiptPlan {
        copies: 2,
        unknown_id: true,
        ..ReceiptPlan::default()
    }))
    .await;
    let mut client = Client::connect(&sim, BindMode::Transceiver).await;
    client.submit(1, "98912").await;
    client.answer(1).await;
    for _ in 0..2 {
        assert_eq!(&*client.receipt().await.message_id, b"no-such-id");
    }
}

#[tokio::test]
async fn a_receipt_may_come_before_its_answer() {
    let sim = start(receipts(ReceiptPlan {
        before_answer: true,
        ..ReceiptPlan::default()
    }))
    .await;
    let mut client = Client::connect(&sim, BindMode::Transceiver).await;
    client.submit(1, "98912").await;
    let events = client
        .until(|event| matches!(event, Event::Answer { .. }))
        .await;
    assert!(matches!(
        events[..],
        [Event::Deliver { .. }, Event::Answer { .. }]
    ));
}

#[tokio::test]
async fn receipts_that_were_not_acknowledged_come_again() {
    let sim = start(Behaviour::default()).await;
    let mut client = Client::connect(&sim, BindMode::Transceiver).await;
    client.acknowledge = false;
    client.submit(1, "98912").await;
    client.answer(1).await;
    client.receipt().await;
    assert_eq!(sim.counts().unacknowledged, 1);
    drop(client);
    let mut again = Client::connect(&sim, BindMode::Transceiver).await;
    assert_eq!(&*again.receipt().await.message_id, b"1");
    eventually(|| sim.counts().acknowledged == 1).await;
    assert_eq!(sim.counts().receipts_sent, 2);
}

#[tokio::test]
async fn rules_choose_by_destination() {
    let failed = Outcome::always(MessageState::Undeliverable);
    let sim = start(Behaviour {
        rules: vec![
            Rule {
                when: Match {
                    dest_prefix: b"98935".to_vec(),
                    ..Match::default()
                },
                action: Action::Refuse(CommandStatus::ESME_RINVDSTADR),
                receipts: None,
            },
            Rule {
                when: Match {
                    dest_suffix: b"9".to_vec(),
                    every_nth: 2,
                    ..Match::default()
                },
                action: Action::AcceptWithoutBody,
                receipts: Some(ReceiptPlan {
                    outcomes: vec![failed],
                    ..ReceiptPlan::default()
                }),
            },
        ],
        ..Behaviour::default()
    })
    .await;
    let mut client = Client::connect(&sim, BindMode::Transceiver).await;
    client.submit(1, "98935000").await;
    assert_eq!(client.answer(1).await, (Class::Permanent, None));
    client.submit(2, "98912009").await;
    assert!(client.answer(2).await.1.is_some());
    assert_eq!(client.receipt().await.state, MessageState::Delivered);
    client.submit(3, "98912009").await;
    assert_eq!(client.answer(3).await, (Class::Ok, None));
    assert_eq!(client.receipt().await.state, MessageState::Undeliverable);
}

#[tokio::test]
async fn ids_are_hex_in_the_answer_and_decimal_in_the_receipt() {
    let sim = start_with(SimConfig {
        ids: IdStyle {
            answer: IdDigits::HexUpper,
            receipt: IdDigits::Decimal,
            answer_width: 8,
            receipt_width: 12,
            first: 6699,
        },
        ..SimConfig::default()
    })
    .await;
    let mut client = Client::connect(&sim, BindMode::Transceiver).await;
    client.submit(1, "98912").await;
    let answer = client.answer(1).await.1.unwrap();
    let receipt = client.receipt().await.message_id;
    assert_eq!(
        (&*answer, &*receipt),
        (&b"00001A2B"[..], &b"000000006699"[..])
    );
    let rules = IdRules {
        answer: IdFormat::Hex,
        receipt: IdFormat::Decimal,
        ..IdRules::default()
    };
    assert_eq!(rules.answer_key(&answer), rules.receipt_key(&receipt));
}

#[tokio::test]
async fn wrong_credentials_and_too_many_binds_are_refused() {
    let sim = start_with(SimConfig {
        accounts: Accounts::Only(vec![Account {
            system_id: b"esme".to_vec(),
            password: b"twelve-chars".to_vec(),
        }]),
        max_binds: 1,
        ..SimConfig::default()
    })
    .await;
    let mut held = Vec::new();
    for (system_id, password, wanted) in [
        (&b"who"[..], &b""[..], Some(CommandStatus::ESME_RINVSYSID)),
        (b"esme", b"wrong", Some(CommandStatus::ESME_RINVPASWD)),
        (b"esme", b"twelve-chars", None),
        (b"esme", b"twelve-chars", Some(CommandStatus::ESME_RALYBND)),
    ] {
        let mut client = Client::open(&sim, BindMode::Transceiver, system_id, password).await;
        let answered =
            |event: &Event| matches!(event, Event::Bound { .. } | Event::BindRefused { .. });
        let status = match client.until(answered).await.pop() {
            Some(Event::BindRefused { status }) => Some(status),
            _ => None,
        };
        assert_eq!(status, wanted);
        held.push(client);
    }
}

#[tokio::test]
async fn a_mobile_originated_message_arrives_in_segments() {
    let sim = start(Behaviour::default()).await;
    let mut client = Client::connect(&sim, BindMode::Receiver).await;
    let mo = Mo {
        from: Address::new(1, 1, &b"989121234567"[..]),
        to: Address::new(1, 1, &b"983000"[..]),
        data_coding: 8,
        payload: vec![6; 300],
        ..Mo::default()
    };
    assert_eq!(sim.send_mo(&mo).unwrap(), 3);
    let mut text = Vec::new();
    for number in 1..=3 {
        let sm = client.delivery().await;
        assert_eq!(Receipt::from_deliver(&sm, Recognise::MarkedOrText), None);
        let parts = smpp::concat::Parts::of_deliver(&sm);
        let segment = parts.segment.unwrap();
        assert_eq!((segment.number, segment.total), (number, 3));
        text.extend_from_slice(parts.text);
    }
    assert_eq!(text, mo.payload);
}

#[tokio::test]
async fn garbage_is_survived_and_only_a_bad_length_is_fatal() {
    let sim = start(Behaviour::default()).await;
    let mut client = Client::connect(&sim, BindMode::Transceiver).await;
    for garbage in [Garbage::BadBody, Garbage::UnknownAnswer] {
        assert_eq!(sim.send_garbage(garbage), 1);
        let fault = |event: &Event| matches!(event, Event::ProtocolError(_));
        client.until(fault).await;
    }
    sim.send_garbage(Garbage::EnquireWithBody);
    sim.send_garbage(Garbage::TruncatedTlv);
    assert_eq!(client.delivery().await.short_message, b"truncated");
    eventually(|| sim.counts().nacks_received == 1).await;
    sim.script()
        .next(1, Action::AcceptAndSend(Garbage::BadLength));
    client.submit(1, "98912").await;
    client.answer(1).await;
    let end = client.closed().await.pop();
    assert!(matches!(
        end,
        Some(Event::Closed {
            reason: CloseReason::BadLength(_)
        })
    ));
}

#[tokio::test]
async fn down_refuses_and_up_takes_again() {
    let sim = start(Behaviour::default()).await;
    let mut client = Client::connect(&sim, BindMode::Transceiver).await;
    sim.down().await.unwrap();
    client.closed().await;
    assert!(TcpStream::connect(sim.addr()).await.is_err());
    sim.up().await.unwrap();
    let mut again = Client::connect(&sim, BindMode::Transceiver).await;
    sim.drop_connections();
    again.closed().await;
    Client::connect(&sim, BindMode::Transceiver).await;
    timeout(PATIENCE, sim.stop()).await.unwrap();
}

#[tokio::test]
async fn answers_may_be_late_and_links_are_asked_for_life() {
    let sim = start_with(SimConfig {
        enquire_link: Duration::from_millis(30),
        behaviour: Behaviour {
            answer_delay: Duration::from_millis(100),
            ..receipts(ReceiptPlan::never())
        },
        ..SimConfig::default()
    })
    .await;
    let mut client = Client::connect(&sim, BindMode::Transceiver).await;
    let begun = Instant::now();
    client.submit(1, "98912").await;
    client.answer(1).await;
    assert!(begun.elapsed() >= Duration::from_millis(100));
    assert_eq!(sim.counts().receipts_sent, 0);
    sim.unbind_all();
    let end = client.closed().await.pop();
    assert!(matches!(
        end,
        Some(Event::Closed {
            reason: CloseReason::PeerUnbound
        })
    ));
}

#[tokio::test]
async fn a_nack_answers_one_message() {
    let sim = start(Behaviour::default()).await;
    sim.script()
        .next(1, Action::Nack(CommandStatus::ESME_RSYSERR));
    let mut client = Client::connect(&sim, BindMode::Transceiver).await;
    client.submit(1, "98912").await;
    assert_eq!(client.answer(1).await, (Class::Temporary, None));
}
