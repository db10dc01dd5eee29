//! Large bulks: no command may take long, however large the bulk is.

use super::{LINE, NOW, OPERATOR, account, bulk, open, recipients};
use domain::ids::LinkId;
use domain::status::State;
use std::time::{Duration, Instant};
use store::{
    AcceptBulk, AddRecipients, ClaimDue, Lane, LaneShare, LinkShare, StopBulk, StopReason, Stopped,
    Store,
};
use tempfile::TempDir;

/// Far above the 50 ms that are meant, since tests run unoptimised on busy machines; far below
/// what work in proportion to the bulk would take.
const COMMAND_MAX: Duration = Duration::from_secs(3);

const COMMANDS: u64 = 40;
const EACH: u64 = 5_000;

#[tokio::test]
async fn no_command_on_a_large_bulk_takes_long() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder.path().join("peyk.db"));
    let sender = account(&store, "sender", 1_000_000_000).await;
    let first = AcceptBulk {
        whole: false,
        ..bulk(sender, recipients(EACH, 10))
    };
    let no = store.accept_bulk(first).await.unwrap().bulk;
    let mut longest = Duration::ZERO;
    for _ in 1..COMMANDS {
        let add = AddRecipients {
            account: sender,
            bulk: no,
            recipients: recipients(EACH, 10),
            approval: None,
            now: NOW,
        };
        let started = Instant::now();
        store.add_recipients(add).await.unwrap();
        longest = longest.max(started.elapsed());
    }
    let started = Instant::now();
    store.seal_bulk(sender, no, None).await.unwrap();
    longest = longest.max(started.elapsed());

    let lane = Lane {
        line: LINE,
        operator: OPERATOR,
    };
    let share = LinkShare {
        link: LinkId(1),
        epoch: 0,
        parts_max: 1_000,
        lanes: vec![LaneShare {
            lane,
            parts_max: 1_000,
        }],
    };
    for _ in 0..5 {
        let links = vec![share.clone()];
        let started = Instant::now();
        let claimed = store.claim_due(ClaimDue { now: NOW, links }).await.unwrap();
        longest = longest.max(started.elapsed());
        assert_eq!(claimed.len(), 1_000);
    }
    let stop = StopBulk {
        account: sender,
        bulk: no,
        reason: StopReason::Cancelled,
        now: NOW,
    };
    let mut calls = 0;
    loop {
        let started = Instant::now();
        let stopped = store.stop_bulk(stop).await.unwrap();
        longest = longest.max(started.elapsed());
        calls += 1;
        match stopped {
            Stopped::More => {}
            Stopped::Done => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(calls > 100, "settled in slices: {calls}");
    assert!(longest < COMMAND_MAX, "{longest:?}");
    let report = store.bulk(sender, no).await.unwrap().unwrap();
    assert_eq!(report.counts.of(State::Attempted), 5_000);
    let cancelled = u64::from(report.counts.of(State::Cancelled));
    assert_eq!(cancelled, COMMANDS * EACH - 5_000);
    assert_eq!(store.check().await.unwrap(), vec![]);
}
