//! Statements are planned once, on a database that has nothing in it yet, and the plans are kept.
//! They must be the ones for a full database.

use crate::world::*;
use domain::ids::{AccountId, BulkNo, UserNo};
use domain::status::State;
use domain::user::{Role, UserSettings};
use std::time::Duration;
use store::*;
use store_postgres::PostgresStore;

/// Times that the message's way is gone on the full database.
const ROUNDS: u8 = 10;

/// Rows that the way may read in all through the indexes of a table, about a hundred times what
/// it touches; reading past a table's rows once would be far more.
const ROWS_READ_MAX: i64 = 5_000;

/// Bulks, and recipients and receipts of each.
const BULKS: i64 = 2_000;
const RECIPIENTS: i64 = 150;
const RECEIPTS: i64 = 100;

const CONSOLE_TABLES: [&str; 5] = [
    "console_counter",
    "console_user",
    "console_session",
    "console_draft",
    "audit_entry",
];

/// Rows of each of them, of all accounts together.
const CONSOLE_ROWS: i64 = 40_000;

const TABLES: [&str; 9] = [
    "recipient",
    "bulk",
    "slice",
    "receipt_map",
    "parked_receipt",
    "idempotency",
    "ledger_entry",
    "statistic",
    "commit_mark",
];

/// One way of a message through everything that is asked on it.
async fn the_way(store: &PostgresStore, w: World, account: AccountId, key: u8) {
    let command = AcceptBulk {
        idempotency_key: Some([key; 32]),
        ..w.bulk(account, "سلام", 3)
    };
    let bulk = send(store, command.clone()).await;
    let again = store.accept_bulk(command).await.expect("accept_bulk");
    assert_eq!((again.bulk, again.repeated), (bulk, true));
    let waiting = store.waiting_lanes(T0).await.expect("waiting_lanes");
    assert_eq!(waiting.due.len(), 1);
    let claimed = store.claim_due(w.claim(0, 100)).await.expect("claim_due");
    assert_eq!(claimed.len(), 3);
    let parts = parts_of(&claimed);
    // One receipt comes before its answer.
    let early = store.record_receipts(w.receipts(0, &parts[..1])).await;
    assert_eq!(early.expect("record_receipts").parked, 1);
    let recorded = store.record_outcomes(w.outcomes(0, &parts)).await;
    recorded.expect("record_outcomes");
    let received = store.record_receipts(w.receipts(0, &parts[1..])).await;
    assert_eq!(received.expect("record_receipts").matched, 2);
    store.sweep(T0.plus_seconds(1)).await.expect("sweep");
    let links = w.links.map(|link| HeldLink { link, epoch: 0 }).to_vec();
    let recovered = store
        .recover_in_doubt(RecoverInDoubt { links, now: T0 })
        .await;
    assert_eq!(recovered.expect("recover_in_doubt").recipients, []);
    let report = store.bulk(account, bulk).await.expect("bulk");
    assert_eq!(report.expect("it is there").counts.of(State::Delivered), 3);
    let page = store.recipients(account, bulk, None, 100).await;
    assert_eq!(page.expect("recipients").len(), 3);
    let found = store.bulk_by_key(account, [key; 32], T0).await;
    assert_eq!(found.expect("bulk_by_key"), Some(bulk));
    store.ledger(account, None, 10).await.expect("ledger");
    let stopped = send(store, w.bulk(account, "سلام", 2)).await;
    for pause in [true, false] {
        let command = PauseBulk {
            account,
            bulk: stopped,
            pause,
            now: T0,
        };
        let paused = store.pause_bulk(command).await.expect("pause_bulk");
        assert_eq!(paused, Stopped::Done);
    }
    what_people_look_at(store, account, bulk).await;
    let stop = StopBulk {
        account,
        bulk: stopped,
        reason: StopReason::Cancelled,
        now: T0,
    };
    assert_eq!(
        store.stop_bulk(stop).await.expect("stop_bulk"),
        Stopped::Done
    );
}

/// Lists as a person sees them first.
async fn what_people_look_at(store: &PostgresStore, account: AccountId, bulk: BulkNo) {
    let query = BulkQuery {
        account,
        before: None,
        since: None,
        until: None,
        line: None,
        stage: None,
        open: None,
        text: None,
        limit: 10,
    };
    let page = store.bulks(query).await.expect("bulks");
    assert!(page.bulks.iter().any(|one| one.report.no == bulk));
    let query = RecipientQuery {
        account,
        bulk,
        after: None,
        states: vec![],
        number: None,
        limit: 10,
    };
    let page = store.recipient_rows(query).await.expect("recipient_rows");
    assert_eq!(page.rows.len(), 3);
    let hour = domain::schedule::tehran_hour(T0);
    for account in [Some(account), None] {
        let query = StatisticQuery {
            account,
            from_hour: hour,
            to_hour: hour + 1,
        };
        let found = store.statistics(query).await.expect("statistics");
        assert_eq!(found.len(), 1);
    }
    store.approvals_waiting_count().await.expect("a count");
}

/// Fills the tables with what has ended, and the queue with what is due in a year.
fn fill(url: &str, w: World, accounts: &[AccountId; 4]) {
    let (line, link, t0) = (w.line, w.links[0], T0.0);
    let first = accounts[0].0;
    let delivered = State::Delivered as u8;
    let all = format!(
        "CREATE TEMP TABLE b AS SELECT {first} + n % 4 AS a, (20001 + n)::int4 AS no
           FROM generate_series(0, {BULKS} - 1) n;
         INSERT INTO bulk (account_id, line_id, accepted_at, due_at, price, bulk_no,
           report_seconds, next_seq, delivered, reached, stage, terms, urgent, text)
           SELECT a, {line}, {t0}, {t0}, 0, no, 3600, {RECIPIENTS}, {RECIPIENTS}, {RECIPIENTS},
           (SELECT max(stage) FROM bulk WHERE submitted = 0 AND delivered > 0), 0, false, 'x' FROM b;
         INSERT INTO recipient (account_id, number, unit_price, bulk_no, seq, operator, state,
           reason, parts, accepted, delivered, link_id)
           SELECT a, 9120000000 + s, 0, no, s, 1, {delivered}, 0, 1, 1, 1, {link}
           FROM b, generate_series(0, {RECIPIENTS} - 1) s;
         INSERT INTO receipt_map (link_id, message_id, account_id, bulk_no, seq, part)
           SELECT {link}, convert_to(a || '-' || no || '-' || s || '-0', 'UTF8'), a, no, s, 0
           FROM b, generate_series(0, {RECEIPTS} - 1) s;
         INSERT INTO idempotency (account_id, key, bulk_no, at)
           SELECT a, decode(md5(no::text) || md5(a::text), 'hex'), no, {t0} FROM b;
         INSERT INTO ledger_entry (account_id, no, kind, amount, bulk_no, at)
           SELECT a, 1000000 + s * 10000 + no, 1, 0, no, {t0} FROM b, generate_series(0, 9) s;
         INSERT INTO statistic (account_id, hour, line_id, operator)
           SELECT a, 24 * s, {line}, 1
           FROM (SELECT DISTINCT a FROM b) d, generate_series(0, 9999) s;
         INSERT INTO commit_mark (process, no, run) SELECT 7, n, 1 FROM generate_series(1, 50000) n;
         INSERT INTO slice (account_id, line_id, due_at, bulk_no, slice_no, waiting, attempted,
           first_seq, operator, urgent)
           SELECT a, {line}, {t0} + 31536000000, no + 10000, s, 1, 0, 0, 1, s % 2 = 0
           FROM b, generate_series(0, 9) s;
         UPDATE account SET next_bulk_no = 50001;"
    );
    place().sql(url, &all);
}

pub async fn plans_that_were_made_on_an_empty_database_are_good_for_a_full_one() {
    let url = place().fresh();
    let store = open(&config(&url)).await;
    let w = World::make(&store).await;
    let mut accounts = [AccountId(0); 4];
    for (n, id) in accounts.iter_mut().enumerate() {
        *id = account(&store, &format!("customer-{n}")).await;
    }
    // More than once, so that the server would think of keeping its plans.
    for n in 0..3 {
        the_way(&store, w, accounts[0], n).await;
    }
    fill(&url, w, &accounts);
    place().sql(&url, "SELECT pg_stat_reset()");
    for n in 0..ROUNDS {
        the_way(&store, w, accounts[usize::from(n) % 4], 100 + n).await;
    }
    store.close().await;
    nothing_was_read_as_a_whole(&url, &TABLES).await;
}

/// No table was read as a whole, and none much through its indexes.
async fn nothing_was_read_as_a_whole(url: &str, tables: &[&str]) {
    // What sessions counted is known when they have ended.
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
         AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    for _ in 0..200 {
        if place().sql(url, sessions) == "0" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for table in tables {
        let sql = format!(
            "SELECT seq_scan, coalesce((SELECT sum(idx_tup_read)::int8 FROM pg_stat_user_indexes
               WHERE relname = '{table}'), 0)
             FROM pg_stat_user_tables WHERE relname = '{table}'"
        );
        let row = place().sql(url, &sql);
        let (scans, read) = row.split_once('|').expect("two columns");
        assert_eq!(scans, "0", "{table} was read as a whole");
        let read: i64 = read.parse().expect("a number");
        assert!(read <= ROWS_READ_MAX, "{read} rows of {table} were read");
    }
}

/// What a person does in the console, from adding them to removing them.
async fn the_consoles_way(store: &PostgresStore, account: AccountId, n: u8) {
    let owner = Some(account);
    let new = NewUser {
        account: owner,
        name: format!("new-{n}"),
        role: Role::Sender,
        settings: UserSettings::default(),
        at: T0,
        users_max: 1_000_000,
    };
    let no = store.create_user(new).await.expect("create_user");
    let user = store.user(owner, no).await.expect("user").expect("there");
    let named = store.user_by_name(owner, &user.name).await;
    assert_eq!(named.expect("user_by_name").as_ref(), Some(&user));
    store.users(None).await.expect("users");
    let id = SessionId([n; 32]);
    let session = Session {
        id,
        account: owner,
        user: no,
        created_at: T0,
        seen_at: T0,
        expires_at: T0.plus_seconds(60),
        address: String::new(),
        agent: String::new(),
    };
    let touch = TouchSession {
        id,
        seen_at: T0.plus_seconds(1),
        expires_at: T0.plus_seconds(90),
        address: String::new(),
    };
    store.create_session(session).await.expect("create_session");
    store.touch_session(touch).await.expect("touch_session");
    assert!(store.session(id, T0).await.expect("session").is_some());
    let listed = store.sessions(owner, no, T0).await.expect("sessions");
    assert_eq!(listed.len(), 1);
    for which in [EndSessions::Others(id), EndSessions::One(id)] {
        let ended = store.end_sessions(owner, no, which).await;
        ended.expect("end_sessions");
    }
    the_consoles_papers(store, account, no).await;
    let change = ChangeUser {
        account: owner,
        no,
        version: user.version,
        role: user.role,
        settings: user.settings,
        second_factor: None,
        at: T0,
    };
    let changed = store.change_user(change).await.expect("change_user");
    assert_eq!(changed, UserChanged::Done);
    let removed = store.remove_user(owner, no).await.expect("remove_user");
    assert_eq!(removed, UserChanged::Done);
    store.sweep(T0).await.expect("sweep");
}

/// Drafts and the audit log.
async fn the_consoles_papers(store: &PostgresStore, account: AccountId, user: UserNo) {
    let draft = SaveDraft {
        account,
        no: None,
        user,
        title: String::new(),
        content: String::new(),
        at: T0,
    };
    let no = store.save_draft(draft.clone()).await.expect("save_draft");
    let again = SaveDraft {
        no: Some(no),
        ..draft
    };
    store.save_draft(again).await.expect("save_draft");
    store.draft(account, no).await.expect("draft");
    store.drafts(account).await.expect("drafts");
    assert!(store.remove_draft(account, no).await.expect("remove_draft"));
    let entry = NewAudit {
        account: Some(account),
        at: T0,
        actor: "new".into(),
        address: String::new(),
        action: "line.update".into(),
        subject: String::new(),
        details: String::new(),
    };
    let place = store.begin_audit(entry).await.expect("begin_audit");
    let ended = store.end_audit(place, "done".into()).await;
    ended.expect("end_audit");
    for account in [None, Some(account)] {
        for actor in [None, Some("nobody".to_owned())] {
            let query = AuditQuery {
                account,
                actor,
                before: Some(place),
                limit: 5,
                ..AuditQuery::default()
            };
            store.audit(query).await.expect("audit");
        }
    }
}

/// Fills the console's tables with what is of others. Few people are of one account, and they have
/// few drafts.
fn fill_console(url: &str, first: i64) {
    let (t0, others) = (T0.0, first + 100);
    let all = format!(
        "CREATE TEMP TABLE n AS SELECT n, {others} + n / 4 AS a
           FROM generate_series(1, {CONSOLE_ROWS}) n;
         INSERT INTO console_counter SELECT DISTINCT a, 1000000, 1000000, 1000000 FROM n;
         INSERT INTO console_user SELECT a, n, 'u' || n, 'sender', '{{}}', NULL, 0, 0 FROM n;
         INSERT INTO console_session SELECT decode(md5(n::text), 'hex'), a, n, {t0}, {t0},
           {t0} + 1000000, '', '' FROM n;
         INSERT INTO console_draft SELECT a, n, 1, '', {t0}, '' FROM n;
         INSERT INTO audit_entry SELECT {first} + n % 4, 2000000 + n, {t0} - n, 'old', '', 'x', '',
           '', 'done' FROM n;"
    );
    place().sql(url, &all);
}

pub async fn plans_of_the_console_are_good_for_a_full_database() {
    let url = place().fresh();
    let store = open(&config(&url)).await;
    let first = account(&store, "customer").await;
    for n in 0..3 {
        the_consoles_way(&store, first, n).await;
    }
    fill_console(&url, first.0);
    place().sql(&url, "SELECT pg_stat_reset()");
    for n in 0..ROUNDS {
        the_consoles_way(&store, first, 100 + n).await;
    }
    store.close().await;
    nothing_was_read_as_a_whole(&url, &CONSOLE_TABLES).await;
}
