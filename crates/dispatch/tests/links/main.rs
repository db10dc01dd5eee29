//! A dispatcher with real sockets against a scripted SMSC: what goes well, and what does not.

mod common;
mod fleet;
mod tls;

use common::{CREDIT, PRICE, World, sim, submits_by_recipient, texts, to, until};
use domain::line::{InDoubt, LineSettings, RefundBasis, Route};
use domain::link::{BindMode, Concatenation, IdFormat, LinkSettings, LinkState};
use domain::money::Rials;
use domain::reason::Reason;
use domain::status::State;
use smpp::{CommandStatus, MessageState};
use smsc_sim::{
    Action, Behaviour, Garbage, IdDigits, IdStyle, Match, Mo, Outcome, ReceiptPlan, Rule, Sim,
    SimConfig,
};
use std::collections::HashSet;
use std::time::Duration;

const PERSIAN: &str = "سلام! سفارش شما ثبت شد و به‌زودی به دست شما می‌رسد. از خرید شما سپاسگزاریم؛ پیگیری از راه همین شماره ممکن است. 😀 پایان";

async fn spent(world: &World) -> Rials {
    let balance = world.balance().await;
    assert_eq!(balance.reserved, Rials(0), "something is still reserved");
    Rials(CREDIT - balance.credit.0)
}

fn receipts(plan: ReceiptPlan) -> Behaviour {
    Behaviour {
        receipts: plan,
        ..Behaviour::default()
    }
}

#[tokio::test]
async fn a_message_goes_out_and_its_receipt_delivers_it() {
    let sim = sim(Behaviour::default()).await;
    let mut world = World::running(to(sim.addr()), LineSettings::default()).await;
    let bulk = world.accept("سلام", 9_121_111_111, 1).await;
    world.until(bulk, State::Delivered, 1).await;
    assert_eq!(texts(&sim)["989121111111"], "سلام");
    assert_eq!(spent(&world).await, Rials(PRICE));
    world.stop().await;
    world.must_be_sound().await;
}

#[tokio::test]
async fn a_long_persian_text_arrives_whole_in_each_form_of_concatenation() {
    for concatenation in [
        Concatenation::Udh,
        Concatenation::Sar,
        Concatenation::MessagePayload,
    ] {
        let sim = sim(Behaviour::default()).await;
        let settings = LinkSettings {
            concatenation,
            ..to(sim.addr())
        };
        let world = World::running(settings, LineSettings::default()).await;
        let bulk = world.accept(PERSIAN, 9_121_111_111, 3).await;
        world.until(bulk, State::Delivered, 3).await;
        for to in ["989121111111", "989121111112", "989121111113"] {
            assert_eq!(texts(&sim)[to], PERSIAN, "{concatenation:?}");
        }
        assert_eq!(spent(&world).await, Rials(3 * 2 * PRICE));
        world.must_be_sound().await;
    }
}

#[tokio::test]
async fn a_multi_part_message_is_delivered_only_when_all_its_parts_are() {
    // Receipts of every second part never come.
    let rule = Rule {
        when: Match {
            every_nth: 2,
            ..Match::default()
        },
        receipts: Some(ReceiptPlan::never()),
        ..Rule::default()
    };
    let sim = sim(Behaviour {
        rules: vec![rule],
        ..Behaviour::default()
    })
    .await;
    let world = World::running(to(sim.addr()), LineSettings::default()).await;
    let bulk = world.accept(PERSIAN, 9_121_111_111, 1).await;
    world.until(bulk, State::Submitted, 1).await;
    until("the one receipt", || async {
        sim.counts().acknowledged == 1
    })
    .await;
    assert_eq!(world.bulk(bulk).await.counts.of(State::Submitted), 1);
}

#[tokio::test]
async fn a_throttled_link_slows_down_and_loses_nothing() {
    let behaviour = Behaviour {
        throttle_per_second: Some(40),
        ..Behaviour::default()
    };
    let sim = sim(behaviour).await;
    let world = World::running(to(sim.addr()), LineSettings::default()).await;
    let bulk = world.accept("x", 9_121_000_000, 120).await;
    world.until(bulk, State::Delivered, 120).await;
    let counts = sim.counts();
    assert!(counts.throttled > 0, "the simulator never throttled");
    assert_eq!(counts.accepted, 120);
    assert_eq!(spent(&world).await, Rials(120 * PRICE));
}

#[tokio::test]
async fn a_permanent_refusal_fails_and_a_temporary_one_is_tried_again() {
    let sim = sim(Behaviour::default()).await;
    sim.script()
        .next(1, Action::Refuse(CommandStatus::ESME_RINVDSTADR));
    sim.script()
        .next(1, Action::Refuse(CommandStatus::ESME_RSYSERR));
    let world = World::running(to(sim.addr()), LineSettings::default()).await;
    let bulk = world.accept("x", 9_121_000_000, 2).await;
    world.until(bulk, State::Delivered, 1).await;
    let recipients = world.recipients(bulk).await;
    let refused = recipients
        .iter()
        .find(|r| r.state == State::Failed)
        .expect("one failed");
    assert_eq!(refused.reason, Reason::RefusedByOperator);
    assert_eq!(refused.detail, Some(CommandStatus::ESME_RINVDSTADR.0));
    let delivered = recipients
        .iter()
        .find(|r| r.state == State::Delivered)
        .expect("one delivered");
    assert_eq!(delivered.attempts, 1);
    assert_eq!(spent(&world).await, Rials(PRICE));
    world.must_be_sound().await;
}

#[tokio::test]
async fn a_links_own_error_table_overrules_the_built_in_one() {
    let sim = sim(Behaviour::default()).await;
    sim.script().next(1, Action::Refuse(CommandStatus(0x405)));
    let mut settings = to(sim.addr());
    settings
        .errors
        .insert(0x405, domain::link::ErrorClass::Temporary);
    let world = World::running(settings, LineSettings::default()).await;
    let bulk = world.accept("x", 9_121_000_000, 1).await;
    world.until(bulk, State::Delivered, 1).await;
    assert_eq!(sim.counts().submits, 2);
}

#[tokio::test]
async fn a_lost_answer_is_resent_or_held_as_the_line_says() {
    for (in_doubt, submits, state) in [
        (InDoubt::Resend, 2, State::Delivered),
        (InDoubt::Hold, 1, State::Held),
    ] {
        let sim = sim(Behaviour::default()).await;
        sim.script().next(1, Action::LoseAnswer);
        let line = LineSettings {
            in_doubt,
            ..LineSettings::default()
        };
        let world = World::running(to(sim.addr()), line).await;
        let bulk = world.accept("x", 9_121_000_000, 1).await;
        world.until(bulk, state, 1).await;
        assert_eq!(sim.counts().submits, submits, "{in_doubt:?}");
        world.must_be_sound().await;
    }
}

#[tokio::test]
async fn a_connection_that_breaks_doubles_only_what_was_in_flight() {
    let sim = sim(Behaviour {
        answer_delay: Duration::from_millis(3),
        ..Behaviour::default()
    })
    .await;
    let world = World::running(to(sim.addr()), LineSettings::default()).await;
    let bulk = world.accept("x", 9_121_000_000, 600).await;
    for _ in 0..4 {
        let before = sim.counts().submits;
        until("more submits", || async {
            sim.counts().submits > before + 30
        })
        .await;
        sim.drop_connections();
    }
    world.until(bulk, State::Delivered, 600).await;
    let doubled: usize = submits_by_recipient(&sim)
        .values()
        .map(|count| count - 1)
        .sum();
    assert!(
        doubled <= 4 * 10,
        "{doubled} were doubled; four windows are 40"
    );
    assert_eq!(spent(&world).await, Rials(600 * PRICE));
    world.must_be_sound().await;
}

#[tokio::test]
async fn messages_wait_while_the_link_is_down_and_go_out_when_it_is_up() {
    let sim = sim(Behaviour::default()).await;
    sim.down().await.expect("down");
    let world = World::running(to(sim.addr()), LineSettings::default()).await;
    let bulk = world.accept("x", 9_121_000_000, 3).await;
    until("the link to be seen down", || async {
        let statuses = world.store.link_statuses().await.expect("a store");
        statuses
            .iter()
            .any(|status| status.state == LinkState::Down && status.last_error.is_some())
    })
    .await;
    assert_eq!(world.bulk(bulk).await.counts.of(State::Waiting), 3);
    sim.up().await.expect("up");
    world.until(bulk, State::Delivered, 3).await;
}

#[tokio::test]
async fn the_fallback_link_takes_over_while_the_first_is_down() {
    let (first, second) = (
        sim(Behaviour::default()).await,
        sim(Behaviour::default()).await,
    );
    first.down().await.expect("down");
    let mut world = World::new(to(first.addr()), LineSettings::default()).await;
    let fallback = world
        .store
        .create_link("mci-2".into(), to(second.addr()))
        .await
        .expect("a link");
    let routes = vec![Route {
        operator: None,
        link: world.link,
        fallback: Some(fallback),
    }];
    let settings = LineSettings {
        routes,
        ..LineSettings::default()
    };
    world
        .store
        .update_line(world.line, settings)
        .await
        .expect("a line");
    world.start().await;
    let bulk = world.accept("x", 9_121_000_000, 20).await;
    world.until(bulk, State::Delivered, 20).await;
    assert_eq!(second.counts().accepted, 20);
}

#[tokio::test]
async fn receipts_may_come_early_late_doubled_reordered_or_for_nobody() {
    let plans = [
        ReceiptPlan {
            before_answer: true,
            ..ReceiptPlan::default()
        },
        ReceiptPlan {
            delay: Duration::from_millis(700),
            ..ReceiptPlan::default()
        },
        ReceiptPlan {
            copies: 3,
            ..ReceiptPlan::default()
        },
        ReceiptPlan {
            jitter: Duration::from_millis(500),
            ..ReceiptPlan::default()
        },
    ];
    for plan in plans {
        let sim = sim(receipts(plan.clone())).await;
        let world = World::running(to(sim.addr()), LineSettings::default()).await;
        let bulk = world.accept(PERSIAN, 9_121_000_000, 40).await;
        world.until(bulk, State::Delivered, 40).await;
        until("all receipts to be answered", || async {
            let counts = sim.counts();
            counts.queued == 0 && counts.acknowledged >= 80 * u64::from(plan.copies)
        })
        .await;
        assert_eq!(world.bulk(bulk).await.counts.of(State::Delivered), 40);
        assert_eq!(spent(&world).await, Rials(80 * PRICE));
        assert_eq!(submits_by_recipient(&sim).len(), 40);
        world.must_be_sound().await;
    }
    let sim = sim(receipts(ReceiptPlan {
        unknown_id: true,
        ..ReceiptPlan::default()
    }))
    .await;
    let world = World::running(to(sim.addr()), LineSettings::default()).await;
    let bulk = world.accept("x", 9_121_000_000, 5).await;
    until("five parked receipts", || async {
        world.store.totals().await.expect("a store").parked_receipts == 5
    })
    .await;
    world.until(bulk, State::Submitted, 5).await;
}

#[tokio::test]
async fn a_failed_delivery_is_refunded_where_the_line_refunds_by_delivery() {
    let plan = ReceiptPlan {
        outcomes: vec![Outcome {
            weight: 1,
            state: MessageState::Undeliverable,
            error: 27,
        }],
        ..ReceiptPlan::default()
    };
    for (refund_basis, cost) in [(RefundBasis::Send, PRICE), (RefundBasis::Delivery, 0)] {
        let sim = sim(receipts(plan.clone())).await;
        let line = LineSettings {
            refund_basis,
            ..LineSettings::default()
        };
        let world = World::running(to(sim.addr()), line).await;
        let bulk = world.accept("x", 9_121_000_000, 1).await;
        world.until(bulk, State::Failed, 1).await;
        let recipients = world.recipients(bulk).await;
        assert_eq!(recipients[0].reason, Reason::ReceiptUndeliverable);
        assert_eq!(recipients[0].detail, Some(27));
        assert_eq!(spent(&world).await, Rials(cost));
        world.must_be_sound().await;
    }
}

#[tokio::test]
async fn ids_in_hex_and_decimal_with_leading_zeros_are_one_id() {
    let ids = IdStyle {
        answer: IdDigits::HexUpper,
        receipt: IdDigits::Decimal,
        answer_width: 10,
        receipt_width: 12,
        first: 0xABCDE,
    };
    let sim = Sim::start(SimConfig {
        ids,
        ..SimConfig::default()
    })
    .await
    .expect("a simulator");
    let settings = LinkSettings {
        answer_id: IdFormat::Hex,
        receipt_id: IdFormat::Decimal,
        ..to(sim.addr())
    };
    let world = World::running(settings, LineSettings::default()).await;
    let bulk = world.accept("x", 9_121_000_000, 30).await;
    world.until(bulk, State::Delivered, 30).await;
}

#[tokio::test]
async fn several_binds_and_separate_directions_carry_the_same_bulk() {
    for (mode, binds, connections) in [
        (BindMode::Transceiver, 4, 4),
        (BindMode::TransmitterReceiver, 2, 4),
    ] {
        let sim = sim(Behaviour::default()).await;
        let settings = LinkSettings {
            mode,
            binds,
            ..to(sim.addr())
        };
        let world = World::running(settings, LineSettings::default()).await;
        until("all binds", || async { sim.counts().binds == connections }).await;
        let bulk = world.accept("x", 9_121_000_000, 500).await;
        world.until(bulk, State::Delivered, 500).await;
        let used: HashSet<_> = sim
            .submits()
            .iter()
            .map(|record| record.connection)
            .collect();
        assert_eq!(used.len(), usize::from(binds), "{mode:?}");
        assert!(submits_by_recipient(&sim).values().all(|count| *count == 1));
    }
}

#[tokio::test]
async fn a_message_from_a_handset_is_written_before_it_is_answered() {
    let sim = sim(Behaviour::default()).await;
    let _world = World::running(to(sim.addr()), LineSettings::default()).await;
    until("a bind", || async { sim.counts().binds == 1 }).await;
    let mo = Mo {
        from: smpp::Address::new(1, 1, "989121111111"),
        to: smpp::Address::new(1, 1, "983000505"),
        data_coding: 8,
        payload: PERSIAN.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ..Mo::default()
    };
    let segments = sim.send_mo(&mo).expect("sent") as u64;
    assert_eq!(segments, 2);
    until("their answers", || async {
        sim.counts().acknowledged == segments
    })
    .await;
}

#[tokio::test]
async fn an_smsc_that_answers_without_a_body_or_sends_garbage_does_not_stop_the_link() {
    let sim = sim(Behaviour::default()).await;
    let world = World::running(to(sim.addr()), LineSettings::default()).await;
    sim.script().next(1, Action::AcceptWithoutBody);
    let unmatched = world.accept("x", 9_121_000_000, 1).await;
    world.until(unmatched, State::Submitted, 1).await;
    let all = [
        Garbage::BadBody,
        Garbage::TruncatedTlv,
        Garbage::EnquireWithBody,
        Garbage::UnknownAnswer,
        Garbage::BadLength,
        Garbage::Bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
    ];
    for garbage in all {
        sim.send_garbage(garbage);
        let bulk = world.accept("x", 9_122_000_000, 3).await;
        world.until(bulk, State::Delivered, 3).await;
    }
    world.must_be_sound().await;
}

#[tokio::test]
async fn a_stop_waits_for_answers_and_leaves_nothing_in_doubt() {
    let sim = sim(Behaviour {
        answer_delay: Duration::from_millis(30),
        ..Behaviour::default()
    })
    .await;
    let mut world = World::running(to(sim.addr()), LineSettings::default()).await;
    let bulk = world.accept("x", 9_121_000_000, 300).await;
    until("some submits", || async { sim.counts().submits > 50 }).await;
    world.stop().await;
    assert_eq!(world.store.duties().await.expect("a store"), []);
    let counts = world.bulk(bulk).await.counts;
    assert_eq!(counts.of(State::Attempted), 0, "nothing is in doubt");
    assert!(
        world.bulk(bulk).await.counts.of(State::Waiting) > 0,
        "it had finished before"
    );
    world.start().await;
    world.until(bulk, State::Delivered, 300).await;
    assert!(submits_by_recipient(&sim).values().all(|count| *count == 1));
}

#[tokio::test]
async fn after_a_crash_only_what_was_in_flight_is_sent_again() {
    let sim = sim(Behaviour {
        answer_delay: Duration::from_millis(20),
        ..Behaviour::default()
    })
    .await;
    let mut world = World::running(to(sim.addr()), LineSettings::default()).await;
    let bulk = world.accept("x", 9_121_000_000, 300).await;
    until("some submits", || async { sim.counts().submits > 50 }).await;
    // Dropped, not stopped: its tasks end where they stand.
    drop(world.dispatch.take());
    sim.drop_connections();
    let attempted: HashSet<_> = world
        .recipients(bulk)
        .await
        .into_iter()
        .filter(|recipient| recipient.state == State::Attempted)
        .map(|recipient| 989_121_000_000 + u64::from(recipient.seq.0))
        .map(|number| number.to_string())
        .collect();
    assert!(!attempted.is_empty() && attempted.len() <= 20);
    world.start().await;
    world.until(bulk, State::Delivered, 300).await;
    for (recipient, count) in submits_by_recipient(&sim) {
        assert!(
            count == 1 || attempted.contains(&recipient),
            "{recipient} went out {count} times"
        );
    }
    assert_eq!(spent(&world).await, Rials(300 * PRICE));
    world.must_be_sound().await;
}

#[tokio::test]
async fn a_changed_link_is_taken_up_while_running() {
    let (old, new) = (
        sim(Behaviour::default()).await,
        sim(Behaviour::default()).await,
    );
    let world = World::running(to(old.addr()), LineSettings::default()).await;
    until("the old link", || async { old.counts().binds == 1 }).await;
    world
        .store
        .update_link(world.link, to(new.addr()))
        .await
        .expect("a link");
    until("the new link", || async {
        new.counts().binds == 1 && old.counts().binds == 0
    })
    .await;
    let off = LinkSettings {
        enabled: false,
        ..to(new.addr())
    };
    world
        .store
        .update_link(world.link, off)
        .await
        .expect("a link");
    until("the link to be off", || async {
        let statuses = world.store.link_statuses().await.expect("a store");
        new.counts().binds == 0 && statuses[0].state == LinkState::Off
    })
    .await;
}

#[tokio::test]
async fn a_link_that_waits_for_its_last_answers_does_not_hold_up_the_new_one() {
    let (old, new) = (
        sim(Behaviour::default()).await,
        sim(Behaviour::default()).await,
    );
    old.script().next(1, Action::Swallow);
    let patient = LinkSettings {
        response_timeout_seconds: 60,
        ..to(old.addr())
    };
    let world = World::running(patient, LineSettings::default()).await;
    world.accept("x", 9_121_000_000, 1).await;
    until("the message that is never answered", || async {
        old.counts().submits == 1
    })
    .await;
    world
        .store
        .update_link(world.link, to(new.addr()))
        .await
        .expect("a link");
    until("the new link", || async { new.counts().binds == 1 }).await;
    assert_eq!(old.counts().binds, 1, "the old link must still be waiting");
    let bulk = world.accept("x", 9_122_000_000, 3).await;
    world.until(bulk, State::Delivered, 3).await;
    assert_eq!(new.counts().accepted, 3);
}
