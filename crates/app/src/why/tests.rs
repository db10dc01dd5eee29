use super::*;
use crate::fake_store::line;
use domain::bulk::StateCounts;
use domain::ids::{AccountId, LineId};
use domain::line::Route;
use domain::link::LinkSettings;
use domain::money::Rials;

/// 2026-11-22 11:05:00 in Tehran.
const NOW: UnixMillis = UnixMillis(1_795_332_900_000);

fn bulk(states: &[(State, u32)]) -> BulkReport {
    let mut counts = StateCounts::default();
    for (state, count) in states {
        counts.0[*state as usize] = *count;
    }
    BulkReport {
        no: BulkNo::FIRST,
        line: LineId(1),
        stage: BulkStage::Accepted,
        accepted_at: NOW,
        due_at: NOW,
        masked: false,
        counts,
        reached: 0,
        price: Rials(0),
        returned: Rials(0),
    }
}

fn status(state: LinkState, since: i64, at: i64, error: Option<&str>) -> LinkStatus {
    LinkStatus {
        link: LinkId(1),
        state,
        since: NOW.plus_seconds(-since),
        at: NOW.plus_seconds(-at),
        binds_up: 0,
        in_flight: 0,
        last_error: error.map(str::to_owned),
        rate_learnt: None,
        per_second: None,
    }
}

/// Explains a bulk of line 3000505, whose only route goes over link mci-1.
fn said(change: impl FnOnce(&mut BulkReport, &mut Line, &mut Vec<LinkStatus>)) -> String {
    let mut bulk = bulk(&[(State::Waiting, 3)]);
    let mut line = line(1, "3000505");
    line.settings.routes = vec![Route {
        operator: Some(OperatorId(1)),
        link: LinkId(1),
        fallback: None,
    }];
    let settings = LinkSettings {
        host: "smsc".into(),
        ..LinkSettings::default()
    };
    let links = [Link {
        id: LinkId(1),
        name: "mci-1".into(),
        settings,
    }];
    let mut statuses = vec![status(LinkState::Up, 100, 1, None)];
    change(&mut bulk, &mut line, &mut statuses);
    explain(&Facts {
        bulk: &bulk,
        line: Some(&line),
        ways: Ways {
            links: &links,
            statuses: &statuses,
            operators: &Operators::embedded(),
            now: NOW,
        },
        approval: None,
        waiting: &[OperatorId(1)],
    })
    .english(NOW)
}

#[test]
fn each_obstacle_has_its_sentence() {
    assert_eq!(said(|_, _, _| {}), "waiting for its turn");
    assert_eq!(
        said(|bulk, _, _| bulk.due_at = NOW.plus_seconds(3_600)),
        "scheduled for 2026-11-22 12:05:00"
    );
    assert_eq!(
        said(|_, line, _| line.settings.hours = Some("08:00-11:00".parse().unwrap())),
        "waiting: line +983000505 opens at 08:00"
    );
    assert_eq!(
        said(|_, line, _| line.settings.routes.clear()),
        "waiting: no link is configured for line +983000505 and operator tci"
    );
    assert_eq!(
        said(|_, _, statuses| statuses[0] = status(LinkState::Down, 180, 1, None)),
        "waiting: link mci-1 is down since 11:02"
    );
    assert_eq!(
        said(|_, _, statuses| statuses[0] = status(LinkState::Down, 90_000, 1, Some("refused"))),
        "waiting: link mci-1 is down since 2026-11-21 10:05:00 (refused)"
    );
    assert_eq!(
        said(|_, _, statuses| statuses[0] = status(LinkState::Up, 180, 60, None)),
        "waiting: no process serves link mci-1 since 11:04"
    );
    assert_eq!(
        said(|_, _, statuses| statuses.clear()),
        "waiting: link mci-1 was never up"
    );
}

#[test]
fn what_is_under_way_or_ended_is_counted() {
    use State::*;
    let table: &[(&[(State, u32)], &str)] = &[
        (
            &[(Waiting, 2), (Submitted, 3)],
            "being sent: 2 of 5 still wait",
        ),
        (
            &[(Attempted, 4), (Submitted, 1)],
            "being sent: 4 are with the link",
        ),
        (&[(Submitted, 4)], "sent: 4 await their delivery receipt"),
        (&[(Held, 2)], "held: the operator's answer to 2 was lost"),
        (
            &[(Delivered, 4), (Failed, 1)],
            "finished: 4 delivered, 1 failed",
        ),
    ];
    for (states, sentence) in table {
        assert_eq!(said(|report, _, _| *report = bulk(states)), *sentence);
    }
    let cancelled = said(|report, _, _| {
        *report = bulk(&[(Cancelled, 2)]);
        report.stage = BulkStage::Cancelled;
    });
    assert_eq!(cancelled, "cancelled by the sender");
    let paused = |states: &[(State, u32)]| {
        said(|report, _, _| {
            *report = bulk(states);
            report.stage = BulkStage::Paused;
        })
    };
    assert_eq!(
        paused(&[(Waiting, 2), (Submitted, 1)]),
        "paused by the sender"
    );
    let ended = paused(&[(Delivered, 2)]);
    assert_eq!(ended, "finished: 2 delivered");
}

#[test]
fn a_text_that_waits_or_was_rejected_says_why() {
    let mut report = bulk(&[(State::Waiting, 2)]);
    report.stage = BulkStage::AwaitingApproval;
    let mut approval = Approval {
        account: AccountId(1),
        bulk: report.no,
        line: report.line,
        since: report.accepted_at,
        wanted: store::ApprovalWanted {
            rule: None,
            why: "rule 3 (word \"x\")".into(),
            text: None,
            until: report.accepted_at,
        },
        text: String::new(),
        recipients: 2,
        state: store::ApprovalState::Waiting,
        decided_at: None,
        decided_by: None,
        reason: None,
    };
    let said = |report: &BulkReport, approval: &Approval| {
        explain(&Facts {
            bulk: report,
            line: None,
            ways: Ways {
                links: &[],
                statuses: &[],
                operators: &Operators::embedded(),
                now: report.accepted_at,
            },
            approval: Some(approval),
            waiting: &[],
        })
        .english(report.accepted_at)
    };
    let waits = said(&report, &approval);
    assert!(
        waits.starts_with("waiting for approval of its text since "),
        "{waits}"
    );
    assert!(waits.ends_with(": rule 3 (word \"x\")"), "{waits}");
    report.stage = BulkStage::Rejected;
    approval.decided_by = Some("sara".into());
    approval.reason = Some("a lottery".into());
    let rejected = said(&report, &approval);
    assert_eq!(rejected, "its text was rejected by sara: a lottery");
}
