//! An installation in the middle of its work is moved twice, and goes on each time: nothing is sent
//! twice or lost, receipts find their messages, and no number is handed out again.

use crate::stores::{assert_healthy, copy_all, database, file, postgres, sqlite};
use domain::account::AccountSettings;
use domain::api_key::ApiKeySettings;
use domain::blacklist::BlackList;
use domain::ids::{AccountId, BookId, BulkNo, LineId, LinkId, OperatorId, PartKey};
use domain::line::{InDoubt, LineSettings, RefundBasis, Terms};
use domain::line_number::LineNumber;
use domain::link::LinkSettings;
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::pattern::{Kind, Pattern, PatternStatus, Variable};
use domain::recipient::{Address, NewRecipient};
use domain::status::{ReceiptKind, State};
use domain::text::ReferenceBits;
use domain::ticket::{Author, Importance, Kind as TicketKind};
use domain::time::UnixMillis;
use store::*;

/// When everything begins.
pub const T0: UnixMillis = UnixMillis(1_750_000_000_000);

const OPERATOR: OperatorId = OperatorId(1);

/// An account with this name.
pub fn account(name: &str) -> NewAccount {
    NewAccount {
        name: name.into(),
        password_hash: "$argon2id$".into(),
        created_at: T0,
        expires_at: T0.plus_seconds(86_400 * 365),
        settings: AccountSettings::default(),
    }
}

fn mobile(n: u64) -> Msisdn {
    Msisdn::from_national(9_120_000_000 + n).expect("a mobile number")
}

fn bulk(count: u64) -> AcceptBulk {
    let recipient = |n| NewRecipient {
        address: Address::Mobile(mobile(n)),
        operator: OPERATOR,
        parts: 1,
        unit_price: Rials(100),
        text: None,
        ends_as: None,
    };
    AcceptBulk {
        account: AccountId(1),
        line: LineId(1),
        terms: Terms {
            refund_basis: RefundBasis::Send,
            in_doubt: InDoubt::Resend,
        },
        report_seconds: 3_600,
        reference_bits: ReferenceBits::Eight,
        text: "سلام".into(),
        accepted_at: T0,
        due_at: T0,
        expires_at: None,
        urgent: false,
        masked: false,
        idempotency_key: Some([7; 32]),
        day_limit: None,
        recipients: (0..count).map(recipient).collect(),
        whole: true,
        approval: None,
    }
}

fn book() -> NewBook {
    NewBook {
        account: AccountId(1),
        title: "مشتریان".into(),
        at: T0,
        books_max: 10,
    }
}

fn list(numbers: &[u64], add: bool) -> ListChange {
    ListChange {
        list: BlackList::Installation,
        numbers: numbers.iter().map(|n| mobile(*n)).collect(),
        add,
        at: T0,
    }
}

fn ticket() -> NewTicket {
    NewTicket {
        account: AccountId(1),
        subject: "خط ۳۰۰۰".into(),
        kind: TicketKind::LineServices,
        importance: Importance::Acute,
        notify: true,
        message: NewTicketMessage {
            author: Author::Customer,
            text: "سلام".into(),
            file: None,
            at: T0,
        },
    }
}

fn key(digest: u8) -> NewApiKey {
    NewApiKey {
        account: AccountId(1),
        digest: [digest; 32],
        title: "site".into(),
        hint: "peyk_ab".into(),
        settings: ApiKeySettings::default(),
        created_at: T0,
        expires_at: None,
    }
}

fn pattern(owner: AccountId) -> Pattern {
    Pattern {
        owner,
        code: "login".into(),
        title: "ورود".into(),
        text: "کد: %code%".into(),
        variables: vec![Variable::new("code", Kind::Code)],
        status: PatternStatus::Waiting,
        note: String::new(),
        created_at: T0,
    }
}

async fn claim(store: &dyn Store, now: UnixMillis, parts_max: u32) -> Vec<PartKey> {
    let lane = Lane {
        line: LineId(1),
        operator: OPERATOR,
    };
    let share = LinkShare {
        link: LinkId(1),
        epoch: 0,
        parts_max,
        lanes: vec![LaneShare { lane, parts_max }],
    };
    let links = vec![share];
    let claimed = store.claim_due(ClaimDue { now, links }).await;
    let part = |message: ClaimedMessage| PartKey {
        recipient: message.key,
        part: message.outstanding.iter().next().expect("a part"),
    };
    claimed.expect("a claim").into_iter().map(part).collect()
}

async fn take(store: &dyn Store, part: PartKey, message_id: &str) {
    let message_id = Some(message_id.as_bytes().into());
    let outcomes = vec![Outcome {
        part,
        result: SubmitResult::Accepted { message_id },
    }];
    let command = RecordOutcomes {
        link: LinkId(1),
        epoch: 0,
        now: T0,
        outcomes,
    };
    store.record_outcomes(command).await.expect("recorded");
}

async fn receive(store: &dyn Store, message_id: &str) -> ReceiptsRecorded {
    let receipts = vec![NewReceipt {
        message_id: message_id.as_bytes().into(),
        kind: ReceiptKind::Delivered,
        error: None,
    }];
    let command = RecordReceipts {
        link: LinkId(1),
        now: T0,
        receipts,
    };
    store.record_receipts(command).await.expect("recorded")
}

async fn states(store: &dyn Store, bulk: BulkNo) -> Vec<State> {
    let recipients = store.recipients(AccountId(1), bulk, None, 100).await;
    let recipients = recipients.expect("recipients");
    recipients.iter().map(|one| one.state).collect()
}

/// What is there before the first move: of one bulk, one is taken, one is under way, one waits; a
/// receipt came before its answer; and the highest of many numbers was given and taken back.
async fn begin(store: &dyn Store) -> BulkNo {
    let line = NewLine {
        number: LineNumber::parse("3000100").expect("a line"),
        display: "3000100".into(),
        settings: LineSettings::default(),
    };
    store.create_line(line).await.expect("a line");
    let settings = LinkSettings {
        host: "smsc".into(),
        ..LinkSettings::default()
    };
    let link = store.create_link("mci".into(), settings).await;
    assert_eq!(link.expect("a link"), LinkId(1));
    for name in ["shop", "other"] {
        store.create_account(account(name)).await.expect("made");
    }
    let top_up = TopUp {
        account: AccountId(1),
        amount: Rials(10_000),
        note: Some("نقد".into()),
        at: T0,
    };
    store.top_up(top_up).await.expect("credit");
    let sent = store.accept_bulk(bulk(3)).await.expect("taken").bulk;
    let claimed = claim(store, T0, 2).await;
    assert_eq!(claimed.len(), 2);
    take(store, claimed[0], "first").await;
    assert_eq!(receive(store, "second").await.parked, 1);
    for id in [1, 2] {
        let made = store.create_book(book()).await.expect("a book");
        assert_eq!(made, BookId(id));
    }
    let removed = store.remove_book(AccountId(1), BookId(2)).await;
    assert_eq!(removed.expect("an answer"), BookRemoved::Done);
    store
        .change_list(list(&[5, 6], true))
        .await
        .expect("listed");
    store
        .change_list(list(&[6], false))
        .await
        .expect("taken off");
    store.open_ticket(ticket()).await.expect("a ticket");
    store.create_api_key(key(1)).await.expect("a key");
    let made = store.create_pattern(pattern(AccountId(1))).await;
    made.expect("a pattern");
    let grant = PatternGrant {
        owner: AccountId(1),
        code: "login".into(),
        account: AccountId(2),
        granted: true,
    };
    store.grant_pattern(grant).await.expect("granted");
    sent
}

/// What look-ups answer after a move.
async fn everything_is_found(store: &dyn Store, sent: BulkNo) {
    let again = store.accept_bulk(bulk(3)).await.expect("answered");
    assert_eq!((again.bulk, again.repeated), (sent, true));
    let found = store.api_key_by_digest([1; 32]).await.expect("an answer");
    assert_eq!(found.expect("the key").1.id, AccountId(1));
    let found = store.pattern_by_code("login").await.expect("an answer");
    assert_eq!(found.expect("the pattern").owner, AccountId(1));
    let met = store.met_pattern(AccountId(2), "login").await;
    assert!(met.expect("an answer").is_some());
    // Neither a code nor a digest is given twice.
    let made = store.create_pattern(pattern(AccountId(2))).await;
    assert!(matches!(made, Err(AdminError::Exists(_))), "{made:?}");
    let made = store.create_api_key(key(1)).await;
    assert!(matches!(made, Err(AdminError::Exists(_))), "{made:?}");
    let lists = store.screening(None).await.expect("an answer");
    let set = lists.expect("the lists").lists[0].set;
    let listed = store.list_numbers(set, None, 10).await;
    assert_eq!(listed.expect("an answer")[0], mobile(5));
}

/// New things get numbers that were never given: the `n`th move is behind them.
async fn numbers_go_on(store: &dyn Store, n: u8, last_bulk: BulkNo) -> BulkNo {
    let name = format!("new-{n}");
    let made = store.create_account(account(&name)).await.expect("made");
    assert_eq!(made, AccountId(2 + i64::from(n)));
    let made = store.create_book(book()).await.expect("a book");
    assert_eq!(made, BookId(2 + u32::from(n)));
    let removed = store.remove_book(AccountId(1), made).await;
    assert_eq!(removed.expect("an answer"), BookRemoved::Done);
    let no = store.open_ticket(ticket()).await.expect("a ticket");
    assert_eq!(no.0, domain::ids::TicketNo::FIRST.0 + u32::from(n));
    let no = store.create_api_key(key(1 + n)).await.expect("a key");
    assert_eq!(no.0, 1 + u32::from(n));
    let version = store.screening(None).await.expect("an answer");
    let before = version.expect("the lists").version;
    let more = list(&[10 + u64::from(n)], true);
    store.change_list(more).await.expect("listed");
    let version = store.screening(None).await.expect("an answer");
    let after = version.expect("the lists").version;
    assert!(after.lists > before.lists && after.additions == before.additions + 1);
    let next = AcceptBulk {
        idempotency_key: Some([100 + n; 32]),
        ..bulk(1)
    };
    let next = store.accept_bulk(next).await.expect("taken").bulk;
    assert_eq!(next, BulkNo(last_bulk.0 + 1));
    next
}

pub async fn the_installation_goes_on_in_the_target_and_back() {
    let ((_one, one), (_other, other)) = (file(), file());
    let first = sqlite(&one);
    let sent = begin(&first).await;
    assert_healthy(&first).await;

    let between = postgres(&database()).await;
    copy_all(&first, &between).await;
    assert_healthy(&between).await;
    everything_is_found(&between, sent).await;
    assert_eq!(receive(&between, "first").await.matched, 1);
    let attempted = State::Attempted;
    let (delivered, waiting) = (State::Delivered, State::Waiting);
    assert_eq!(
        states(&between, sent).await,
        [delivered, attempted, waiting]
    );
    let second = numbers_go_on(&between, 1, sent).await;
    assert_healthy(&between).await;

    let last = sqlite(&other);
    copy_all(&between, &last).await;
    assert_healthy(&last).await;
    everything_is_found(&last, sent).await;
    // What was under way when the first one stopped is in doubt, and sent again by these terms.
    let links = vec![HeldLink {
        link: LinkId(1),
        epoch: 0,
    }];
    let recover = RecoverInDoubt { links, now: T0 };
    last.recover_in_doubt(recover).await.expect("recovered");
    // After the pause before another attempt.
    let claimed = claim(&last, T0.plus_seconds(900), 10).await;
    let whose: Vec<_> = claimed
        .iter()
        .map(|part| (part.recipient.bulk, part.recipient.seq.0))
        .collect();
    assert_eq!(whose, [(sent, 1), (sent, 2), (second, 0)]);
    // Its receipt came before the first move.
    take(&last, claimed[0], "second").await;
    assert_eq!(states(&last, sent).await[..2], [delivered, delivered]);
    assert_eq!(receive(&last, "first").await.matched, 1);
    numbers_go_on(&last, 2, second).await;
    assert_healthy(&last).await;
    between.close().await;
}
