//! Messages from handsets over the SQLite store: from parts to what is done for them.

use app::inbox::{ANSWERS_PER_HOUR_MAX, Assembled, INBOX_MESSAGES_MAX};
use app::{App, CallBatch, CallResult, CallbackReport, CreateAccount, Limits, NewRule, SetTariff};
use domain::account::{Account, AccountSettings};
use domain::ids::{LinkId, RuleNo};
use domain::inbound::callback::CallbackState;
use domain::inbound::rule::{Actions, Matching};
use domain::line::{LineSettings, Route};
use domain::link::LinkSettings;
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::operator::Operators;
use domain::text::Alphabet;
use domain::time::{Clock, ManualClock, UnixMillis};
use std::sync::Arc;
use store::{InboundPart, Inbox, Store};
use store_sqlite::{Options, SqliteStore};

/// 2026-11-22 10:11:12 in Tehran.
const NOW: UnixMillis = UnixMillis(1_795_329_672_000);
const WAIT: u32 = 900;
const LEASE: u32 = 30;
const RETRY: i64 = 3 * 86_400;
const OWN: &str = "http://shop.example/in";

struct Scene {
    app: App,
    store: Arc<SqliteStore>,
    clock: Arc<ManualClock>,
    account: Arc<Account>,
    link: LinkId,
    _folder: tempfile::TempDir,
}

/// Account `shop` with line 3000505, prices and credit for ten answers.
async fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("peyk.db");
    let store = Arc::new(SqliteStore::open(&path, Options::default()).unwrap());
    let clock = Arc::new(ManualClock::at(NOW));
    let operators = Arc::new(Operators::embedded());
    let limits = Limits::default();
    let app = App::new(store.clone(), clock.clone(), operators, limits, [7; 32]);
    let settings = LinkSettings {
        host: "smsc".into(),
        ..LinkSettings::default()
    };
    let link = app.add_link("mci", settings).await.unwrap();
    let route = Route {
        operator: None,
        link,
        fallback: None,
    };
    let settings = LineSettings {
        routes: vec![route],
        ..LineSettings::default()
    };
    app.add_line("3000505", settings).await.unwrap();
    let new = CreateAccount {
        name: "shop".into(),
        password: Some("p".into()),
        ..CreateAccount::default()
    };
    app.create_account(new).await.unwrap();
    app.top_up("shop", Rials(1_000), None).await.unwrap();
    app.grant_line("shop", "3000505", true).await.unwrap();
    for alphabet in [Alphabet::Gsm7, Alphabet::Ucs2] {
        let price = Some(Rials(100));
        app.set_tariff(SetTariff {
            line: None,
            operator: None,
            alphabet,
            price,
        })
        .await
        .unwrap();
    }
    let account = app.account("shop").await.unwrap();
    Scene {
        app,
        store,
        clock,
        account,
        link,
        _folder: folder,
    }
}

impl Scene {
    fn part(&self, text: &str) -> InboundPart {
        InboundPart {
            link: self.link,
            at: self.clock.now(),
            from: "989121234567".into(),
            to: "983000505".into(),
            data_coding: 0,
            payload: text.as_bytes().into(),
            part: None,
            header_octets: 0,
            disturbed_at: Some(NOW.plus_seconds(-3_600)),
        }
    }

    async fn receive(&self, parts: Vec<InboundPart>) -> Assembled {
        self.store.record_inbound(parts).await.unwrap();
        self.app.assemble_inbound(WAIT).await.unwrap()
    }

    /// Receives a text and does everything for it; says what was done.
    async fn handle(&self, text: &str) -> String {
        self.receive(vec![self.part(text)]).await;
        self.app.handle_inbound(None).await.unwrap();
        let messages = self.app.inbox_messages(Some(&self.account), None, 1).await;
        messages.unwrap()[0].outcome.clone().unwrap()
    }

    async fn rule(&self, matching: Matching, word: &str, actions: Actions) -> RuleNo {
        let new = NewRule {
            line: None,
            matching,
            word: word.into(),
            actions,
        };
        self.app.add_rule(&self.account, new).await.unwrap()
    }

    async fn set_url(&self, url: Option<&str>) {
        let settings = AccountSettings {
            inbound_url: url.map(str::to_owned),
            ..AccountSettings::default()
        };
        self.app
            .update_account("shop", None, Some(settings))
            .await
            .unwrap();
    }

    fn later(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus_seconds(seconds));
    }

    async fn claim(&self) -> Vec<CallBatch> {
        self.app.claim_calls(10, LEASE).await.unwrap()
    }

    async fn end(&self, batch: &mut CallBatch, result: CallResult) -> bool {
        self.app
            .call_ended(batch, &result, false, LEASE, RETRY)
            .await
            .unwrap()
    }

    async fn log(&self) -> Vec<(u32, CallbackState, u32)> {
        let log = self.app.callbacks(&self.account, 100).await.unwrap();
        let row = |one: &CallbackReport| (one.no.0, one.state, one.attempts);
        log.iter().map(row).collect()
    }

    async fn sound(&self) {
        assert_eq!(self.store.check().await.unwrap(), []);
    }
}

fn answer(text: &str) -> Actions {
    Actions {
        answer: Some(text.into()),
        ..Actions::default()
    }
}

fn forward(url: &str) -> Actions {
    Actions {
        forward: Some(url.into()),
        ..Actions::default()
    }
}

fn unreachable() -> CallResult {
    CallResult::Failed("cannot connect".into())
}

#[tokio::test]
async fn the_same_words_again_are_a_repetition_only_when_an_answer_was_lost_in_between() {
    let scene = scene().await;
    let first = scene.receive(vec![scene.part("yes")]).await;
    scene.later(10);
    let person = scene.receive(vec![scene.part("yes")]).await;
    scene.later(10);
    // The connection ended in between, so the operator sends what it got no answer for.
    let again = InboundPart {
        disturbed_at: Some(scene.clock.now().plus_seconds(-1)),
        ..scene.part("yes")
    };
    let repeated = scene.receive(vec![again.clone()]).await;
    let other = InboundPart {
        from: "989350000000".into(),
        ..again.clone()
    };
    let others = scene.receive(vec![other]).await;
    // Once answered for, the same words are the person's again.
    scene.later(10);
    let person_again = InboundPart {
        at: scene.clock.now(),
        ..again
    };
    let third = scene.receive(vec![person_again]).await;
    let counts = [first, person, repeated, others, third];
    let counts = counts.map(|done| (done.messages, done.repeated));
    assert_eq!(counts, [(1, 0), (1, 0), (0, 1), (1, 0), (1, 0)]);
    scene.sound().await;
}

#[tokio::test]
async fn a_message_is_fetched_with_its_time_in_tehran_and_only_by_its_account() {
    let scene = scene().await;
    scene.receive(vec![scene.part("a"), scene.part("b")]).await;
    let items = scene.app.read_inbox(&scene.account, false).await.unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].time, "2026/11/22 10:11:12");
    assert_eq!(
        (&*items[0].from, &*items[0].to),
        ("+989121234567", "+983000505")
    );
    assert_eq!(
        scene.app.read_inbox(&scene.account, true).await.unwrap(),
        items
    );
    let many = (0..=INBOX_MESSAGES_MAX).map(|n| scene.part(&format!("m{n}")));
    scene.receive(many.collect()).await;
    scene.app.assemble_inbound(WAIT).await.unwrap();
    let page = scene.app.read_inbox(&scene.account, false).await.unwrap();
    assert_eq!(page.len(), INBOX_MESSAGES_MAX as usize);
    let rest = scene.app.read_inbox(&scene.account, false).await.unwrap();
    assert_eq!(rest.len(), 1);
}

#[tokio::test]
async fn the_first_rule_that_takes_a_text_decides() {
    let scene = scene().await;
    scene
        .rule(Matching::FirstWord, "price", answer("A hundred."))
        .await;
    let both = Actions {
        forward: Some(OWN.into()),
        ..answer("Thanks.")
    };
    scene.rule(Matching::Any, "", both).await;
    assert_eq!(
        scene.handle("Price?").await,
        "rule 1: answered as bulk 10001"
    );
    assert_eq!(
        scene.handle("hello").await,
        "rule 2: queued for its URL; rule 2: answered as bulk 10002"
    );
    scene
        .app
        .remove_rule(&scene.account, RuleNo(2))
        .await
        .unwrap();
    assert_eq!(scene.handle("hello").await, "nothing was to be done");
    scene.sound().await;
}

#[tokio::test]
async fn a_rule_puts_the_sender_into_books_and_takes_it_out() {
    let scene = scene().await;
    let account = scene.account.id;
    let mut books = Vec::new();
    for title in ["members", "guests", "old"] {
        books.push(scene.app.create_book(account, title).await.unwrap());
    }
    let [members, guests, old] = books[..] else {
        panic!("three books");
    };
    let number = Msisdn::parse("989121234567").unwrap();
    scene
        .app
        .add_contact(account, guests, number, "Ali")
        .await
        .unwrap();
    let join = Actions {
        add_to: vec![old, members],
        remove_from: vec![guests],
        ..answer("Welcome.")
    };
    scene.rule(Matching::Whole, "join", join).await;
    assert!(scene.app.remove_book(account, old).await.unwrap());
    assert_eq!(
        scene.handle("Join").await,
        "rule 1: taken out of book 2; rule 1: book 3 is gone; rule 1: put into book 1; \
         rule 1: answered as bulk 10001"
    );
    assert_eq!(
        scene.handle("join").await,
        "rule 1: was not in book 2; rule 1: book 3 is gone; rule 1: is in book 1 already; \
         rule 1: answered as bulk 10002"
    );
    let found = scene.app.book(account, members).await.unwrap().unwrap();
    assert_eq!(found.contacts, 1);
    let found = scene.app.book(account, guests).await.unwrap().unwrap();
    assert_eq!(found.contacts, 0);
    let machine = InboundPart {
        from: "20001".into(),
        ..scene.part("join")
    };
    scene.receive(vec![machine]).await;
    scene.app.handle_inbound(None).await.unwrap();
    let list = scene
        .app
        .inbox_messages(Some(&scene.account), None, 1)
        .await;
    let outcome = list.unwrap()[0].outcome.clone().unwrap();
    assert!(
        outcome.starts_with("rule 1: phonebooks are left alone"),
        "{outcome}"
    );
    scene.sound().await;
}

#[tokio::test]
async fn a_rule_keeps_to_the_books_of_its_account() {
    let scene = scene().await;
    let other = CreateAccount {
        name: "other".into(),
        ..CreateAccount::default()
    };
    scene.app.create_account(other).await.unwrap();
    let other = scene.app.account("other").await.unwrap();
    let book = scene.app.create_book(other.id, "theirs").await.unwrap();
    let new = NewRule {
        line: None,
        matching: Matching::Any,
        word: String::new(),
        actions: Actions {
            add_to: vec![book],
            ..Actions::default()
        },
    };
    let said = scene.app.add_rule(&scene.account, new).await.unwrap_err();
    assert_eq!(said.to_string(), "account shop has no book 1");
}

#[tokio::test]
async fn an_answer_is_sent_once_however_often_the_step_is_run() {
    let scene = scene().await;
    scene.rule(Matching::Any, "", answer("Thanks.")).await;
    scene.receive(vec![scene.part("hello")]).await;
    let work = scene.store.inbound_work(None, 10).await.unwrap();
    // Two runs at the same time are what a crash between the answer and its record amounts to.
    let (one, two) = tokio::join!(
        scene.app.handle_inbound(None),
        scene.app.handle_inbound(None)
    );
    assert_eq!(
        (one.unwrap().failed + two.unwrap().failed, work.len()),
        (0, 1)
    );
    let balance = scene.app.balance(&scene.account).await.unwrap();
    assert_eq!((balance.credit.0, balance.reserved.0), (900, 100));
    scene.sound().await;
}

#[tokio::test]
async fn a_handset_gets_only_so_many_answers_and_more_when_the_hour_is_over() {
    let scene = scene().await;
    scene.rule(Matching::Any, "", answer("Thanks.")).await;
    for n in 0..ANSWERS_PER_HOUR_MAX {
        let outcome = scene.handle(&format!("text {n}")).await;
        assert!(outcome.contains("answered as bulk"), "{outcome}");
    }
    let outcome = scene.handle("one more").await;
    assert!(outcome.contains("has had 5 answers"), "{outcome}");
    scene.later(3_601);
    let outcome = scene.handle("an hour later").await;
    assert!(outcome.contains("answered as bulk"), "{outcome}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_sent_says_why_and_is_not_tried_again() {
    let scene = scene().await;
    scene.rule(Matching::Any, "", answer("Thanks.")).await;
    scene.app.top_up("shop", Rials(-950), None).await.unwrap();
    assert_eq!(
        scene.handle("hello").await,
        "rule 1: not answered: not enough credit (code 5)"
    );
    let restricted = AccountSettings {
        restricted: true,
        inbound_url: Some(OWN.into()),
        ..AccountSettings::default()
    };
    scene
        .app
        .update_account("shop", None, Some(restricted))
        .await
        .unwrap();
    let outcome = scene.handle("again").await;
    assert!(outcome.contains("restricted"), "{outcome}");
    assert_eq!(scene.log().await, []);
}

#[tokio::test]
async fn calls_are_made_in_order_and_a_failed_one_holds_its_queue_for_longer_and_longer() {
    let scene = scene().await;
    scene.set_url(Some(OWN)).await;
    for text in ["a", "b", "c"] {
        scene.handle(text).await;
    }
    let mut batch = scene.claim().await.remove(0);
    assert!(batch.url().unwrap().ends_with("&id=1&message=a"));
    assert!(scene.end(&mut batch, CallResult::Answered(204)).await);
    assert!(batch.url().unwrap().ends_with("&id=2&message=b"));
    assert!(!scene.end(&mut batch, unreachable()).await);
    assert!(scene.claim().await.is_empty());
    for pause in [2, 10, 30] {
        scene.later(pause - 1);
        assert!(scene.claim().await.is_empty(), "before {pause} s");
        scene.later(1);
        let mut batch = scene.claim().await.remove(0);
        assert!(batch.url().unwrap().ends_with("&id=2&message=b"));
        assert!(!scene.end(&mut batch, unreachable()).await);
    }
    // The URL is mended: what waits goes to the new one.
    scene.set_url(Some("https://new.example/?k=1")).await;
    scene.later(60);
    let mut batch = scene.claim().await.remove(0);
    assert!(
        batch
            .url()
            .unwrap()
            .starts_with("https://new.example/?k=1&from=")
    );
    assert!(scene.end(&mut batch, CallResult::Answered(200)).await);
    assert!(!scene.end(&mut batch, CallResult::Answered(200)).await);
    let delivered = CallbackState::Delivered;
    assert_eq!(
        scene.log().await,
        [(3, delivered, 1), (2, delivered, 5), (1, delivered, 1)]
    );
    scene.sound().await;
}

#[tokio::test]
async fn a_message_that_the_server_refuses_steps_aside_and_the_others_go_by() {
    let scene = scene().await;
    scene.set_url(Some(OWN)).await;
    for text in ["poison", "b"] {
        scene.handle(text).await;
    }
    for _ in 0..5 {
        let mut batch = scene.claim().await.remove(0);
        assert!(batch.url().unwrap().contains("&id=1&"));
        scene.end(&mut batch, CallResult::Answered(500)).await;
        if scene.log().await[1].1 == CallbackState::Waiting {
            scene.later(120);
        }
    }
    let mut batch = scene.claim().await.remove(0);
    assert!(batch.url().unwrap().contains("&id=2&"));
    scene.end(&mut batch, CallResult::Answered(200)).await;
    assert_eq!(
        scene.log().await,
        [
            (2, CallbackState::Delivered, 1),
            (1, CallbackState::Aside, 5)
        ]
    );
    scene.later(120);
    let mut batch = scene.claim().await.remove(0);
    assert!(batch.url().unwrap().contains("&id=1&"));
    scene.end(&mut batch, CallResult::Answered(200)).await;
    assert_eq!(scene.log().await[1], (1, CallbackState::Delivered, 6));
    scene.later(9_999);
    assert!(scene.claim().await.is_empty());
    scene.sound().await;
}

#[tokio::test]
async fn what_cannot_be_delivered_for_days_is_given_up_and_what_has_no_url_is_dropped() {
    let scene = scene().await;
    scene.set_url(Some(OWN)).await;
    let rule = scene.rule(Matching::Whole, "x", forward(OWN)).await;
    scene.handle("x").await;
    scene.app.remove_rule(&scene.account, rule).await.unwrap();
    scene.handle("y").await;
    let mut batches = scene.claim().await;
    assert_eq!(batches.len(), 1, "the rule's queue has no URL any more");
    scene.later(RETRY + 1);
    scene.end(&mut batches[0], unreachable()).await;
    assert_eq!(
        scene.log().await,
        [
            (2, CallbackState::GivenUp, 0),
            (1, CallbackState::Dropped, 0),
            (1, CallbackState::GivenUp, 1)
        ]
    );
    scene.later(9_999);
    assert!(scene.claim().await.is_empty());
    scene.sound().await;
}

#[tokio::test]
async fn a_stop_leaves_the_rest_of_a_batch_due_at_once() {
    let scene = scene().await;
    scene.set_url(Some(OWN)).await;
    for text in ["a", "b"] {
        scene.handle(text).await;
    }
    let mut batch = scene.claim().await.remove(0);
    let done = CallResult::Answered(200);
    let goes_on = scene
        .app
        .call_ended(&mut batch, &done, true, LEASE, RETRY)
        .await
        .unwrap();
    assert!(!goes_on);
    assert!(scene.claim().await[0].url().unwrap().contains("&id=2&"));
}
