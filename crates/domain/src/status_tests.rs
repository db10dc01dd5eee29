//! The table of decisions, and what must hold for any sequence of events.

use super::*;
use proptest::prelude::*;

const NOW: UnixMillis = UnixMillis(1_000_000);
const SEND: Terms = Terms {
    refund_basis: RefundBasis::Send,
    in_doubt: InDoubt::Resend,
};
const DELIVERY: Terms = Terms {
    refund_basis: RefundBasis::Delivery,
    in_doubt: InDoubt::Resend,
};
const HOLD: Terms = Terms {
    refund_basis: RefundBasis::Delivery,
    in_doubt: InDoubt::Hold,
};

fn run(parts: u8, terms: &Terms, events: &[Event]) -> (Progress, LedgerMove) {
    let mut sum = LedgerMove::default();
    let mut progress = Progress::accepted(parts, Rials(100));
    for event in events {
        let decision = progress.apply(*event, terms, NOW);
        sum.add(decision.ledger);
        progress = decision.progress;
    }
    (progress, sum)
}

fn moves(charge: i64, release: i64, refund: i64) -> LedgerMove {
    LedgerMove {
        charge: Rials(charge),
        release: Rials(release),
        refund: Rials(refund),
    }
}

fn receipt(part: u8, kind: ReceiptKind) -> Event {
    Event::Receipt {
        part,
        kind,
        error: None,
    }
}

type Way<'a> = (
    &'a str,
    u8,
    &'a Terms,
    Vec<Event>,
    State,
    Reason,
    LedgerMove,
);

#[test]
fn the_ways_of_a_message_end_as_the_table_says() {
    use Event::*;
    let taken = |part| PartAccepted { part };
    let refused = PartRefused { part: 0, code: 11 };
    let bad = ReceiptKind::Undeliverable;
    let ok = ReceiptKind::Delivered;
    let table: &[Way] = &[
        (
            "its text was not approved",
            2,
            &SEND,
            vec![NotApproved],
            State::Cancelled,
            Reason::TextNotApproved,
            moves(0, 200, 0),
        ),
        (
            "opted out while it waited",
            2,
            &SEND,
            vec![Listed(Reason::OnLineList)],
            State::Discarded,
            Reason::OnLineList,
            moves(0, 200, 0),
        ),
        (
            "opted out when it was with the link",
            1,
            &SEND,
            vec![
                Claimed,
                Listed(Reason::OnLineList),
                taken(0),
                receipt(0, ok),
            ],
            State::Delivered,
            Reason::Delivered,
            moves(100, 0, 0),
        ),
        (
            "delivered",
            1,
            &SEND,
            vec![Claimed, taken(0), receipt(0, ok)],
            State::Delivered,
            Reason::Delivered,
            moves(100, 0, 0),
        ),
        (
            "refused",
            1,
            &SEND,
            vec![Claimed, refused],
            State::Failed,
            Reason::RefusedByOperator,
            moves(0, 100, 0),
        ),
        (
            "failed, by send",
            1,
            &SEND,
            vec![Claimed, taken(0), receipt(0, bad)],
            State::Failed,
            Reason::ReceiptUndeliverable,
            moves(100, 0, 0),
        ),
        (
            "failed, by delivery",
            1,
            &DELIVERY,
            vec![Claimed, taken(0), receipt(0, bad)],
            State::Failed,
            Reason::ReceiptUndeliverable,
            moves(100, 0, 100),
        ),
        (
            "no receipt, by delivery",
            1,
            &DELIVERY,
            vec![Claimed, taken(0), ReportTimeOut],
            State::Unreported,
            Reason::ReportTimeOut,
            moves(100, 0, 100),
        ),
        (
            "no receipt, by send",
            1,
            &SEND,
            vec![Claimed, taken(0), ReportTimeOut],
            State::Unreported,
            Reason::ReportTimeOut,
            moves(100, 0, 0),
        ),
        (
            "one of two parts refused",
            2,
            &SEND,
            vec![Claimed, refused, taken(1)],
            State::Failed,
            Reason::RefusedByOperator,
            moves(100, 100, 0),
        ),
        (
            "one of two parts delivered",
            2,
            &SEND,
            vec![Claimed, taken(0), taken(1), receipt(1, ok)],
            State::Submitted,
            Reason::AcceptedByOperator,
            moves(200, 0, 0),
        ),
        (
            "all parts delivered",
            2,
            &SEND,
            vec![Claimed, taken(0), taken(1), receipt(1, ok), receipt(0, ok)],
            State::Delivered,
            Reason::Delivered,
            moves(200, 0, 0),
        ),
        (
            "one PDU for the whole text",
            2,
            &SEND,
            vec![Claimed, taken(WHOLE_MESSAGE), receipt(WHOLE_MESSAGE, ok)],
            State::Delivered,
            Reason::Delivered,
            moves(200, 0, 0),
        ),
        (
            "receipt before the last answer",
            2,
            &SEND,
            vec![Claimed, taken(0), receipt(0, ok), taken(1), receipt(1, ok)],
            State::Delivered,
            Reason::Delivered,
            moves(200, 0, 0),
        ),
        (
            "answer lost, resend",
            1,
            &SEND,
            vec![Claimed, AnswerLost { part: 0 }],
            State::Waiting,
            Reason::AnswerLostResend,
            moves(0, 0, 0),
        ),
        (
            "answer lost, hold",
            1,
            &HOLD,
            vec![Claimed, AnswerLost { part: 0 }],
            State::Held,
            Reason::AnswerLostHeld,
            moves(100, 0, 0),
        ),
        (
            "held for ever",
            1,
            &HOLD,
            vec![Claimed, AnswerLost { part: 0 }, ReportTimeOut],
            State::Unreported,
            Reason::ReportTimeOut,
            moves(100, 0, 100),
        ),
        (
            "one part held",
            2,
            &HOLD,
            vec![Claimed, AnswerLost { part: 0 }, taken(1)],
            State::Held,
            Reason::AnswerLostHeld,
            moves(200, 0, 0),
        ),
        (
            "not sent",
            1,
            &HOLD,
            vec![Claimed, PartNotSent { part: 0 }],
            State::Waiting,
            Reason::LinkLostBeforeSending,
            moves(0, 0, 0),
        ),
        (
            "cancelled",
            2,
            &SEND,
            vec![Cancel],
            State::Cancelled,
            Reason::Cancelled,
            moves(0, 200, 0),
        ),
        (
            "cancelled too late",
            1,
            &SEND,
            vec![Claimed, Cancel],
            State::Attempted,
            Reason::HandedToLink,
            moves(0, 0, 0),
        ),
        (
            "validity over",
            1,
            &SEND,
            vec![ValidityOver],
            State::Failed,
            Reason::ValidityOver,
            moves(0, 100, 0),
        ),
        (
            "no parts can be made",
            1,
            &SEND,
            vec![Claimed, Undeliverable(Reason::TextCannotBeSent)],
            State::Failed,
            Reason::TextCannotBeSent,
            moves(0, 100, 0),
        ),
    ];
    for (name, parts, terms, events, state, reason, ledger) in table {
        let (progress, sum) = run(*parts, terms, events);
        assert_eq!(
            (progress.state, progress.reason, sum),
            (*state, *reason, *ledger),
            "{name}"
        );
    }
}

#[test]
fn a_deferred_message_waits_longer_each_time_and_is_given_up_at_the_end() {
    let mut progress = Progress::accepted(1, Rials(7));
    let mut pauses = Vec::new();
    while !progress.state.is_final() {
        progress = progress.apply(Event::Claimed, &SEND, NOW).progress;
        progress = progress
            .apply(Event::PartDeferred { part: 0, code: 8 }, &SEND, NOW)
            .progress;
        pauses.extend(progress.not_before.map(|at| at.millis_since(NOW) / 1_000));
    }
    assert_eq!(progress.reason, Reason::AttemptsExhausted);
    assert_eq!(progress.attempts, ATTEMPTS_MAX);
    assert_eq!(pauses, [2, 5, 15, 60, 300, 900, 900, 900, 900, 900, 900]);
}

#[test]
fn the_parts_that_went_out_together_are_one_attempt() {
    for lost in [true, false] {
        let mut progress = Progress::accepted(32, Rials(7))
            .apply(Event::Claimed, &SEND, NOW)
            .progress;
        for part in 0..32 {
            let event = if lost {
                Event::AnswerLost { part }
            } else {
                Event::PartDeferred { part, code: 8 }
            };
            progress = progress.apply(event, &SEND, NOW).progress;
        }
        assert_eq!((progress.state, progress.attempts), (State::Waiting, 1));
        assert_eq!(progress.not_before, Some(NOW.plus_seconds(2)));
    }
}

#[test]
fn throttling_never_uses_up_the_attempts() {
    let mut progress = Progress::accepted(1, Rials(7));
    for _ in 0..100 {
        progress = progress.apply(Event::Claimed, &SEND, NOW).progress;
        progress = progress
            .apply(
                Event::PartThrottled {
                    part: 0,
                    code: 0x58,
                },
                &SEND,
                NOW,
            )
            .progress;
    }
    assert_eq!((progress.state, progress.attempts), (State::Waiting, 0));
}

#[test]
fn only_the_parts_that_the_operator_did_not_take_are_offered_again() {
    let (progress, _) = run(
        3,
        &SEND,
        &[
            Event::Claimed,
            Event::PartAccepted { part: 1 },
            Event::AnswerLost { part: 0 },
            Event::PartNotSent { part: 2 },
            Event::Claimed,
        ],
    );
    assert_eq!(progress.outstanding, PartSet(0b101));
}

fn any_event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![
        Just(ReceiptKind::Delivered),
        Just(ReceiptKind::Expired),
        Just(ReceiptKind::Undeliverable),
        Just(ReceiptKind::Intermediate),
    ];
    let part = prop_oneof![9 => 0u8..5, 1 => Just(WHOLE_MESSAGE)];
    prop_oneof![
        3 => Just(Event::Claimed),
        4 => part.clone().prop_map(|part| Event::PartAccepted { part }),
        1 => part.clone().prop_map(|part| Event::PartRefused { part, code: 1 }),
        1 => part.clone().prop_map(|part| Event::PartDeferred { part, code: 8 }),
        1 => part.clone().prop_map(|part| Event::PartThrottled { part, code: 0x58 }),
        1 => part.clone().prop_map(|part| Event::AnswerLost { part }),
        1 => part.clone().prop_map(|part| Event::PartNotSent { part }),
        3 => (part, kind).prop_map(|(part, kind)| Event::Receipt { part, kind, error: Some(1) }),
        1 => Just(Event::ReportTimeOut),
        1 => Just(Event::ValidityOver),
        1 => Just(Event::Cancel),
        1 => Just(Event::NotApproved),
        1 => Just(Event::Listed(Reason::OnLineList)),
    ]
}

proptest! {
    #[test]
    fn money_adds_up_and_final_states_stay_final(
        parts in 1u8..5,
        refund in any::<bool>(),
        hold in any::<bool>(),
        events in proptest::collection::vec(any_event(), 0..60),
    ) {
        let terms = Terms {
            refund_basis: if refund { RefundBasis::Delivery } else { RefundBasis::Send },
            in_doubt: if hold { InDoubt::Hold } else { InDoubt::Resend },
        };
        let whole = Rials(100 * i64::from(parts));
        let mut progress = Progress::accepted(parts, Rials(100));
        let mut sum = LedgerMove::default();
        for event in events {
            let before = progress.clone();
            let decision = progress.apply(event, &terms, NOW);
            sum.add(decision.ledger);
            progress = decision.progress;
            if before.state.is_final() {
                prop_assert_eq!(&progress, &before);
                prop_assert!(!decision.changed && decision.ledger.is_nothing());
            }
            // What was reserved is spent, freed or still reserved; never more, never less.
            prop_assert_eq!(sum.charge + sum.release + progress.reserved(), whole);
            prop_assert!(sum.refund <= sum.charge);
            prop_assert_eq!(progress.state == State::Attempted, !progress.outstanding.is_empty());
            prop_assert!(progress.outstanding.0 & progress.accepted.0 == 0);
            if progress.state == State::Delivered {
                prop_assert_eq!(sum.refund, Rials(0));
                prop_assert_eq!(progress.delivered, PartSet::all(parts));
            }
        }
    }
}
