//! What one process accepts is heard by the others at once, and without `NOTIFY` nothing is lost.

use domain::account::AccountSettings;
use domain::ids::{AccountId, LineId, OperatorId};
use domain::line::{LineSettings, Terms};
use domain::line_number::LineNumber;
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::recipient::{Address, NewRecipient};
use domain::text::ReferenceBits;
use domain::time::UnixMillis;
use libtest_mimic::{Arguments, Trial};
use private_postgres::{Server, Settings};
use std::process::ExitCode;
use std::time::Duration;
use store::{AcceptBulk, NewAccount, NewLine, Store, TopUp};
use store_postgres::{Config, PostgresStore};

const T0: UnixMillis = UnixMillis(1_750_000_000_000);
/// Far longer than a notice takes.
const HEARD_WITHIN: Duration = Duration::from_secs(20);

async fn open(url: &str, notify: bool) -> PostgresStore {
    let mut config = Config::parse(url).expect("a URL");
    config.notify = notify;
    PostgresStore::open(&config).await.expect("the store opens")
}

async fn account_and_line(store: &PostgresStore) -> (AccountId, LineId) {
    let new = NewAccount {
        name: "shop".into(),
        password_hash: String::new(),
        created_at: T0,
        expires_at: T0.plus_seconds(1_000_000),
        settings: AccountSettings::default(),
    };
    let account = store.create_account(new).await.expect("an account");
    let top_up = TopUp {
        account,
        amount: Rials(1_000),
        note: None,
        at: T0,
    };
    store.top_up(top_up).await.expect("credit");
    let line = NewLine {
        number: LineNumber::parse("3000100").expect("a line"),
        display: "3000100".into(),
        settings: LineSettings::default(),
    };
    (account, store.create_line(line).await.expect("a line"))
}

fn bulk(account: AccountId, line: LineId) -> AcceptBulk {
    AcceptBulk {
        account,
        line,
        terms: Terms {
            refund_basis: domain::line::RefundBasis::Send,
            in_doubt: domain::line::InDoubt::Resend,
        },
        report_seconds: 3_600,
        reference_bits: ReferenceBits::Eight,
        text: "hello".into(),
        accepted_at: T0,
        due_at: T0,
        expires_at: None,
        urgent: true,
        masked: false,
        idempotency_key: None,
        recipients: vec![NewRecipient {
            address: Address::Mobile(Msisdn::from_national(9_120_000_001).expect("a number")),
            operator: OperatorId(1),
            parts: 1,
            unit_price: Rials(10),
            text: None,
            ends_as: None,
        }],
        day_limit: None,
        whole: true,
        approval: None,
    }
}

async fn another_process_hears_what_was_accepted(url: String) {
    let (here, there) = (open(&url, true).await, open(&url, true).await);
    let (account, line) = account_and_line(&here).await;
    let due = there.due();
    // The ring of the first connection of the listener.
    let first = tokio::time::timeout(HEARD_WITHIN, due.notified()).await;
    first.expect("it listens");
    here.accept_bulk(bulk(account, line))
        .await
        .expect("accepted");
    let heard = tokio::time::timeout(HEARD_WITHIN, due.notified()).await;
    heard.expect("the other process hears it");
    here.close().await;
    there.close().await;
}

async fn without_notices_the_work_is_found_all_the_same(url: String) {
    let (here, there) = (open(&url, false).await, open(&url, false).await);
    let (account, line) = account_and_line(&here).await;
    here.accept_bulk(bulk(account, line))
        .await
        .expect("accepted");
    let waiting = there.waiting_lanes(T0).await.expect("lanes");
    assert_eq!(waiting.due.len(), 1);
    here.close().await;
    there.close().await;
}

fn run(case: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(case);
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let missing = private_postgres::missing();
    if let Some(why) = &missing {
        eprintln!("skipped: {why}");
    }
    let skipped = missing.is_some();
    let trials = vec![
        Trial::test("another_process_hears_what_was_accepted", || {
            let server = Server::start(Settings::default()).expect("the server starts");
            run(another_process_hears_what_was_accepted(
                server.create_database("bell").expect("a database"),
            ));
            Ok(())
        })
        .with_ignored_flag(skipped),
        Trial::test("without_notices_the_work_is_found_all_the_same", || {
            let server = Server::start(Settings::default()).expect("the server starts");
            run(without_notices_the_work_is_found_all_the_same(
                server.create_database("bell").expect("a database"),
            ));
            Ok(())
        })
        .with_ignored_flag(skipped),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}
