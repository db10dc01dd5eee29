//! The connection is lost while a command commits. Whatever became of the commit, the command
//! answers once, and what it says is there exactly once.

use crate::proxy::{Cut, Proxy, Said};
use crate::world::*;
use domain::ids::AccountId;
use domain::ledger::EntryKind::{self, Charge, Reserve, TopUp as Paid, Transfer as Moved};
use domain::money::Rials;
use domain::status::State;
use std::sync::Arc;
use std::time::Duration;
use store::*;
use store_postgres::PostgresStore;
use tokio::task::JoinSet;
use tokio_postgres::NoTls;

const PAUSE: Duration = Duration::from_millis(600);

/// The ways to lose a commit.
const CUTS: [(&str, Cut); 4] = [
    ("before it reaches the server", Cut::Before),
    ("before its answer comes back", Cut::After),
    ("and arrives late", Cut::Late(PAUSE)),
    ("and arrives late with its mark", Cut::LateMark(PAUSE)),
];

/// The commands that lose theirs.
pub const COMMANDS: [(&str, Command); 8] = [
    ("accept_bulk", Command::Accept),
    ("add_recipients", Command::Add),
    ("seal_bulk", Command::Seal),
    ("claim_due", Command::Claim),
    ("record_outcomes", Command::Outcomes),
    ("record_receipts", Command::Receipts),
    ("top_up", Command::TopUp),
    ("transfer", Command::Transfer),
];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Command {
    TopUp,
    Transfer,
    Accept,
    Add,
    Seal,
    Claim,
    Outcomes,
    Receipts,
}

/// A store that reaches its database directly, and one whose way there breaks.
struct Two {
    direct: PostgresStore,
    broken: PostgresStore,
    proxy: Proxy,
    w: World,
    account: AccountId,
    cut: Cut,
}

impl Two {
    async fn make() -> Self {
        let url = place().fresh();
        let direct = open(&config(&url)).await;
        let proxy = Proxy::start(&url).await;
        let broken = open(&config(proxy.url())).await;
        let w = World::make(&direct).await;
        let (account, cut) = (AccountId(0), Cut::Before);
        Self {
            direct,
            broken,
            proxy,
            w,
            account,
            cut,
        }
    }

    /// The next commit through the proxy is lost.
    fn lose(&self) -> &PostgresStore {
        self.proxy.cut_next(self.cut);
        &self.broken
    }

    async fn entries(&self, account: AccountId) -> Vec<(EntryKind, i64)> {
        let entries = entries(&self.direct, account).await;
        entries
            .iter()
            .map(|entry| (entry.kind, entry.amount.0))
            .collect()
    }

    /// What became of the lost commit is one of what may, and the store is sound.
    async fn settle(&self) {
        assert!(self.proxy.was_cut(), "the commit was lost");
        let said = self.proxy.said().await;
        let expected: &[Said] = match self.cut {
            Cut::Before => &[Said::Nothing],
            Cut::After | Cut::AfterAndAway => &[Said::Committed],
            // The second run waits for the end of the first one.
            Cut::Late(_) => &[Said::Committed],
            // The two wait for each other, and the server ends one.
            Cut::LateMark(_) => &[Said::Committed, Said::RolledBack],
        };
        assert!(expected.contains(&said), "the server said {said:?}");
        assert_sound(&self.direct).await;
    }
}

pub async fn a_lost_commit_is_written_once(command: Command) {
    let mut two = Two::make().await;
    for (lost, cut) in CUTS {
        (two.account, two.cut) = (account(&two.direct, lost).await, cut);
        match command {
            Command::TopUp => top_up_once(&two).await,
            Command::Transfer => transfer_once(&two, lost).await,
            Command::Accept => accept_once(&two).await,
            Command::Add | Command::Seal => build_once(&two, command).await,
            Command::Claim | Command::Outcomes | Command::Receipts => {
                carry_once(&two, command).await;
            }
        }
        two.settle().await;
    }
    two.broken.close().await;
    two.direct.close().await;
}

async fn top_up_once(two: &Two) {
    let balance = two.lose().top_up(top_up(two.account, 77)).await;
    assert_eq!(balance.expect("top_up").credit, Rials(CREDIT + 77));
    assert_eq!(two.entries(two.account).await, [(Paid, CREDIT), (Paid, 77)]);
}

async fn transfer_once(two: &Two, lost: &str) {
    let opening = OpenAccount {
        account: new_account(&format!("below {lost}")),
        parent: Some(two.account),
        siblings_max: 1,
        package: None,
        person: None,
    };
    let child = two
        .direct
        .open_account(opening)
        .await
        .expect("open_account");
    let moved = two.lose().transfer(Transfer {
        from: two.account,
        to: child,
        amount: Rials(1_000),
        note_from: None,
        note_to: None,
        at: T0,
    });
    let moved = moved.await.expect("transfer");
    assert_eq!(moved.from.credit, Rials(CREDIT - 1_000));
    assert_eq!(moved.to.credit, Rials(1_000));
    let of_parent = two.entries(two.account).await;
    assert_eq!(of_parent, [(Paid, CREDIT), (Moved, -1_000)]);
    assert_eq!(two.entries(child).await, [(Moved, 1_000)]);
}

async fn accept_once(two: &Two) {
    let command = two.w.bulk(two.account, "سلام", 3);
    let bulk = send(two.lose(), command.clone()).await;
    assert_eq!(money(&two.direct, two.account).await, (CREDIT - 300, 300));
    let entries = two.entries(two.account).await;
    assert_eq!(entries, [(Paid, CREDIT), (Reserve, 300)]);
    let report = two.direct.bulk(two.account, bulk).await.expect("bulk");
    assert!(report.is_some(), "bulk {bulk} is there");
    // No number was left out or given twice.
    assert_eq!(send(&two.direct, command).await.0, bulk.0 + 1);
}

async fn build_once(two: &Two, command: Command) {
    let lost = |of| {
        if command == of {
            two.lose()
        } else {
            &two.broken
        }
    };
    let first = AcceptBulk {
        whole: false,
        ..two.w.bulk(two.account, "سلام", 2)
    };
    let bulk = send(&two.broken, first).await;
    let more = AddRecipients {
        account: two.account,
        bulk,
        recipients: recipients(4),
        approval: None,
        now: T0,
    };
    let added = lost(Command::Add).add_recipients(more).await;
    added.expect("add_recipients");
    let sealed = lost(Command::Seal).seal_bulk(two.account, bulk, None).await;
    sealed.expect("seal_bulk");
    let recipients = two.direct.recipients(two.account, bulk, None, 100).await;
    assert_eq!(recipients.expect("recipients").len(), 6);
    let entries = two.entries(two.account).await;
    assert_eq!(entries, [(Paid, CREDIT), (Reserve, 200), (Reserve, 400)]);
    let claimed = two.direct.claim_due(two.w.claim(0, 100)).await;
    assert_eq!(claimed.expect("claim_due").len(), 6, "all are due");
}

async fn carry_once(two: &Two, command: Command) {
    let lost = |of| {
        if command == of {
            two.lose()
        } else {
            &two.broken
        }
    };
    let bulk = send(&two.broken, two.w.bulk(two.account, "سلام", 5)).await;
    let claimed = lost(Command::Claim).claim_due(two.w.claim(0, 100)).await;
    let claimed = claimed.expect("claim_due");
    assert_eq!(claimed.len(), 5);
    let again = two.direct.claim_due(two.w.claim(1, 100)).await;
    assert_eq!(again.expect("claim_due"), [], "nobody gets them again");
    let parts = parts_of(&claimed);
    let recorded = lost(Command::Outcomes)
        .record_outcomes(two.w.outcomes(0, &parts))
        .await;
    recorded.expect("record_outcomes");
    let received = lost(Command::Receipts)
        .record_receipts(two.w.receipts(0, &parts))
        .await;
    let all = ReceiptsRecorded {
        matched: 5,
        parked: 0,
    };
    assert_eq!(received.expect("record_receipts"), all);
    let entries = two.entries(two.account).await;
    assert_eq!(entries, [(Paid, CREDIT), (Reserve, 500), (Charge, 500)]);
    assert_eq!(money(&two.direct, two.account).await, (CREDIT - 500, 0));
    let report = two.direct.bulk(two.account, bulk).await.expect("bulk");
    let counts = report.expect("the bulk is there").counts;
    assert_eq!(counts.of(State::Delivered), 5);
}

/// When nobody can say whether a group was committed, its commands are not written again one by
/// one, also not when the database comes back just then.
pub async fn a_group_whose_end_stays_unknown_is_not_written_twice() {
    let url = place().fresh();
    let direct = open(&config(&url)).await;
    let w = World::make(&direct).await;
    let account = account(&direct, "customer").await;
    let proxy = Proxy::start(&url).await;
    let mut config = config(proxy.url());
    (config.patience_seconds, config.writers) = (1, 1);
    let broken = Arc::new(open(&config).await);
    // Under the lock the first command waits, and the others become one group behind it.
    let (raw, connection) = tokio_postgres::connect(&url, NoTls).await.expect("connect");
    let connection = tokio::spawn(connection);
    let lock = format!("BEGIN; SELECT 1 FROM account WHERE id = {account} FOR UPDATE");
    raw.batch_execute(&lock).await.expect("the lock");
    proxy.cut_after(1, Cut::AfterAndAway);
    let mut sending = JoinSet::new();
    for n in 0..9 {
        let (store, command) = (Arc::clone(&broken), w.bulk(account, &format!("{n}"), 1));
        sending.spawn(async move { store.accept_bulk(command).await });
        // The first one is under way before the others come.
        tokio::time::sleep(Duration::from_millis(if n == 0 { 200 } else { 1 })).await;
    }
    raw.batch_execute("ROLLBACK")
        .await
        .expect("the lock is given back");
    let first = sending.join_next().await.expect("nine were sent");
    first.expect("no panic").expect("the first group is taken");
    assert_eq!(proxy.said().await, Said::Committed);
    while let Some(answer) = sending.join_next().await {
        let error = answer.expect("no panic").expect_err("it is not known");
        assert!(error.to_string().contains("not known whether"), "{error}");
        // The patience of the group is over, and that of another try would not be.
        proxy.back();
    }
    let bulks = place().sql(&url, "SELECT text FROM bulk ORDER BY text");
    assert_eq!(bulks, "0\n1\n2\n3\n4\n5\n6\n7\n8", "each is there once");
    assert_sound(&direct).await;
    connection.abort();
    broken.close().await;
    direct.close().await;
}

/// The second run of a command is lost as well. Its answer is that of the run that was committed.
pub async fn a_commit_that_is_lost_twice_is_written_once() {
    let mut two = Two::make().await;
    let cuts = [Cut::Before, Cut::After];
    for (first, second) in [(cuts[0], cuts[0]), (cuts[0], cuts[1]), (cuts[1], cuts[0])] {
        let name = format!("{first:?} {second:?}");
        two.account = account(&two.direct, &name).await;
        let command = two.w.bulk(two.account, &name, 3);
        two.proxy.cut_two(first, second);
        let bulk = send(&two.broken, command.clone()).await;
        let entries = two.entries(two.account).await;
        assert_eq!(entries, [(Paid, CREDIT), (Reserve, 300)], "{name}");
        assert_eq!(send(&two.direct, command).await.0, bulk.0 + 1, "{name}");
        // Whoever was committed at first is not run again, and nothing else was lost.
        let run_again = first == Cut::Before;
        assert_eq!(two.proxy.was_cut(), run_again, "{name}");
    }
    assert_sound(&two.direct).await;
    two.broken.close().await;
    two.direct.close().await;
}
