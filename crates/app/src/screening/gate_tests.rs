use super::*;
use crate::fake_store::{FakeStore, account, line};
use crate::send::{SendRequest, TextSource, Texts};
use crate::send_numbers::NumbersRequest;
use crate::{Limits, SendError};
use domain::account::Account;
use domain::approval::{RuleMatch, RuleScope};
use domain::ids::RuleId;
use domain::line::LineClass;
use domain::money::Rials;
use domain::operator::Operators;
use domain::status::State;
use domain::tariff::TariffRow;
use domain::text::Alphabet;
use domain::time::ManualClock;
use std::io;

const NOW: UnixMillis = UnixMillis(1_795_329_672_000);
const LINE: LineId = LineId(1);

struct Scene {
    app: App,
    store: Arc<FakeStore>,
    clock: Arc<ManualClock>,
    account: Account,
}

/// An advertising line, prices, and credit.
fn scene() -> Scene {
    let store = Arc::new(FakeStore::default());
    let account = account("shop");
    store.with(|state| {
        state.credit = 1_000_000_000;
        state.accounts = vec![account.clone()];
    });
    store.change_catalog(|catalog| {
        catalog.lines = vec![line(1, "3000505")];
        catalog.lines[0].settings.class = LineClass::Advertising;
        catalog.grants = vec![(account.id, LINE)];
        catalog.tariffs = vec![TariffRow {
            line: None,
            operator: None,
            alphabet: Alphabet::Ucs2,
            price: Rials(100),
        }];
    });
    let clock = Arc::new(ManualClock::at(NOW));
    let operators = Arc::new(Operators::embedded());
    let limits = Limits::default();
    let app = App::new(store.clone(), clock.clone(), operators, limits, [7; 32]);
    Scene {
        app,
        store,
        clock,
        account,
    }
}

fn mobile(place: u64) -> Msisdn {
    Msisdn::from_national(9_121_000_000 + place).unwrap()
}

impl Scene {
    async fn put(&self, list: BlackList, places: impl Iterator<Item = u64>) {
        let numbers: Vec<_> = places.map(mobile).collect();
        let changed = self.app.change_blacklist(list, &numbers, true).await;
        assert_eq!(changed.unwrap(), numbers.len() as u64);
    }

    async fn send(&self, texts: Texts<'_>, to: &[u64]) -> AcceptBulk {
        let to: Vec<String> = to.iter().map(|place| mobile(*place).to_string()).collect();
        let request = SendRequest {
            from: "3000505",
            text: texts,
            to: &to,
            time: None,
            idempotency_key: None,
        };
        self.app.send(&self.account, request).await.unwrap();
        self.last()
    }

    fn last(&self) -> AcceptBulk {
        self.store
            .with(|state| state.bulks.last().cloned().unwrap())
    }

    fn looked_up(&self) -> Vec<Msisdn> {
        self.store
            .with(|state| std::mem::take(&mut state.screens.looked_up).concat())
    }

    async fn rule(&self, matches: RuleMatch) -> RuleId {
        let scope = RuleScope::default();
        self.app
            .add_approval_rule(matches, scope, "")
            .await
            .unwrap()
    }

    fn line_wants_approval(&self) {
        self.store
            .change_catalog(|catalog| catalog.lines[0].settings.approve_texts = true);
        self.app.0.catalog.invalidate();
    }
}

fn reasons(bulk: &AcceptBulk) -> Vec<Option<(State, Reason)>> {
    bulk.recipients.iter().map(|one| one.ends_as).collect()
}

fn word(word: &str) -> RuleMatch {
    RuleMatch::Word(word.into())
}

#[tokio::test]
async fn who_is_on_a_list_is_discarded_for_its_reason_and_not_charged() {
    let scene = scene();
    scene.put(BlackList::Regulator, 0..2).await;
    scene.put(BlackList::Installation, 1..3).await;
    scene.put(BlackList::Line(LINE), 3..4).await;
    scene.put(BlackList::Line(LineId(2)), 4..5).await;
    let bulk = scene.send(Texts::One("سلام"), &[0, 1, 2, 3, 4]).await;
    let discarded = |reason| Some((State::Discarded, reason));
    let expected = [
        discarded(Reason::OnRegulatorList),
        discarded(Reason::OnRegulatorList),
        discarded(Reason::OnInstallationList),
        discarded(Reason::OnLineList),
        None,
    ];
    assert_eq!(reasons(&bulk), expected);
    assert_eq!(scene.store.with(|state| state.credit), 1_000_000_000 - 100);
}

#[tokio::test]
async fn without_lists_and_rules_there_is_no_gate() {
    let scene = scene();
    let gate = scene.app.line_screen(scene.account.id, LINE).await.unwrap();
    assert!(gate.is_none());
    scene.put(BlackList::Line(LineId(2)), 0..1).await;
    let gate = scene.app.line_screen(scene.account.id, LINE).await.unwrap();
    assert!(gate.is_none(), "another line's list is none of ours");
}

#[tokio::test]
async fn the_store_is_asked_only_about_those_who_may_be_listed() {
    let scene = scene();
    scene.put(BlackList::Regulator, 0..100).await;
    scene.send(Texts::One("سلام"), &[5_000, 5_001, 5]).await;
    assert!(scene.looked_up().contains(&mobile(5)));
    let others: Vec<u64> = (10_000..11_000).collect();
    scene.send(Texts::One("سلام"), &others).await;
    let asked = scene.looked_up().len();
    assert!(asked < 50, "{asked} of 1000");
}

#[tokio::test]
async fn who_comes_onto_a_list_or_off_it_is_known_at_once() {
    let scene = scene();
    scene.put(BlackList::Regulator, 100..101).await;
    let sent = async |out: bool| {
        let bulk = scene.send(Texts::One("سلام"), &[7]).await;
        assert_eq!(reasons(&bulk)[0].is_some(), out);
    };
    sent(false).await;
    scene
        .app
        .set_opted_out(LINE, mobile(7), true)
        .await
        .unwrap();
    sent(true).await;
    scene
        .app
        .set_opted_out(LINE, mobile(7), false)
        .await
        .unwrap();
    sent(false).await;
}

#[tokio::test]
async fn what_another_process_changes_is_known_after_the_refresh() {
    let scene = scene();
    scene.send(Texts::One("سلام"), &[7]).await;
    let change = store::ListChange {
        list: BlackList::Installation,
        numbers: vec![mobile(7)],
        add: true,
        at: NOW,
    };
    store::Screening::change_list(&*scene.store, change)
        .await
        .unwrap();
    scene.clock.set(NOW.plus_millis(499));
    assert_eq!(reasons(&scene.send(Texts::One("سلام"), &[7]).await), [None]);
    scene.clock.set(NOW.plus_millis(500));
    let bulk = scene.send(Texts::One("سلام"), &[7]).await;
    let expected = (State::Discarded, Reason::OnInstallationList);
    assert_eq!(reasons(&bulk), [Some(expected)]);
}

#[tokio::test]
async fn while_a_large_list_is_read_the_store_answers_for_it() {
    let scene = scene();
    scene.put(BlackList::Installation, 0..50_000).await;
    // The filling runs on this thread, and has had no turn yet.
    let reasons = scene
        .app
        .screen_numbers(LINE, &[mobile(49_999), mobile(50_000)])
        .await
        .unwrap();
    assert_eq!(reasons, [Some(Reason::OnInstallationList), None]);
    assert_eq!(scene.looked_up().len(), 2);
    // Let it read its pages: then only those who may be listed are asked about.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let far: Vec<Msisdn> = (500_000..500_100).map(mobile).collect();
    let free = scene.app.screen_numbers(LINE, &far).await.unwrap();
    assert_eq!(free, vec![None; 100]);
    assert!(scene.looked_up().len() < 20);
}

#[tokio::test]
async fn a_store_that_cannot_say_who_is_listed_sends_nothing() {
    let scene = scene();
    scene.store.with(|state| state.screens.fails = true);
    let to = [mobile(1).to_string()];
    let request = SendRequest {
        from: "3000505",
        text: Texts::One("سلام"),
        to: &to,
        time: None,
        idempotency_key: None,
    };
    let sent = scene.app.send(&scene.account, request).await;
    assert!(matches!(sent, Err(SendError::Unavailable(_))), "{sent:?}");
    assert!(scene.store.with(|state| state.bulks.is_empty()));
}

#[tokio::test]
async fn every_command_of_a_large_bulk_passes_the_gate() {
    let scene = scene();
    scene
        .put(BlackList::Line(LINE), (0..12_000).step_by(1_000))
        .await;
    let numbers = (0..12_000).map(|place| io::Result::Ok(mobile(place).to_string()));
    let request = NumbersRequest {
        from: "3000505",
        text: "سلام",
        time: None,
        idempotency_key: None,
        masked: false,
    };
    let sent = scene
        .app
        .send_numbers(&scene.account, request, numbers, |_| {})
        .await;
    assert_eq!(sent.unwrap().recipients, 12_000);
    let bulk = scene.last();
    let left_out = bulk.recipients.iter().filter(|one| one.ends_as.is_some());
    assert_eq!(left_out.count(), 12);
}

#[tokio::test]
async fn a_text_that_a_rule_finds_makes_its_bulk_wait() {
    let scene = scene();
    let free = scene.send(Texts::One("وام فوری"), &[1]).await;
    assert_eq!(free.approval, None);
    let rule = scene.rule(word("وام")).await;
    let bulk = scene.send(Texts::One("و ا م فوری"), &[1]).await;
    let expected = ApprovalWanted {
        rule: Some(rule),
        why: "rule 1 (word \"وام\")".into(),
        text: None,
        until: NOW.plus_seconds(7 * DAY_SECONDS),
    };
    assert_eq!(bulk.approval, Some(expected));
    assert_eq!(scene.send(Texts::One("سلام"), &[1]).await.approval, None);
}

#[tokio::test]
async fn one_text_of_many_makes_the_whole_bulk_wait() {
    let scene = scene();
    scene.rule(word("وام")).await;
    let mut texts = vec!["سلام".to_owned(); 7_000];
    let to: Vec<u64> = (0..7_000).collect();
    let free = scene.send(Texts::Each(&texts), &to).await;
    assert_eq!(free.approval, None);
    // One in the second command of the bulk.
    texts[6_500] = "وام".into();
    let bulk = scene.send(Texts::Each(&texts), &to).await;
    assert_eq!(bulk.approval.unwrap().text.as_deref(), Some("وام"));
}

#[tokio::test]
async fn the_text_of_somebody_who_is_left_out_is_not_judged() {
    let scene = scene();
    scene.rule(word("وام")).await;
    scene.put(BlackList::Installation, 1..2).await;
    let texts = ["سلام".to_owned(), "وام".to_owned()];
    let bulk = scene.send(Texts::Each(&texts), &[0, 1]).await;
    assert_eq!(bulk.approval, None);
}

#[tokio::test]
async fn a_line_may_want_every_text_approved() {
    let scene = scene();
    scene.line_wants_approval();
    let bulk = scene.send(Texts::One("سلام"), &[1]).await;
    let wanted = bulk.approval.unwrap();
    assert_eq!((wanted.rule, wanted.why.as_str()), (None, LINE_WANTS_IT));
    scene.rule(word("وام")).await;
    let bulk = scene.send(Texts::One("وام"), &[1]).await;
    assert_eq!(
        bulk.approval.unwrap().rule,
        Some(RuleId(1)),
        "a rule says more"
    );
}

#[tokio::test]
async fn a_trusted_account_waits_for_nobody() {
    let scene = scene();
    scene.rule(RuleMatch::Everything).await;
    scene.line_wants_approval();
    scene
        .store
        .with(|state| state.accounts[0].settings.texts_trusted = true);
    let bulk = scene.send(Texts::One("وام"), &[1]).await;
    assert_eq!(bulk.approval, None);
}

#[tokio::test]
async fn hostile_texts_pass_the_gate_unharmed() {
    let scene = scene();
    scene.rule(word("وام")).await;
    scene.rule(RuleMatch::Pattern(r"(a+)+$".into())).await;
    for text in [
        "<script>alert(1)</script>سلام".to_owned(),
        "سلام\u{202e}\u{2066}".to_owned(),
        "=HYPERLINK(\"س\")".to_owned(),
        format!("س{}!", "a".repeat(1_900)),
        "س\0".to_owned(),
    ] {
        let bulk = scene.send(Texts::One(&text), &[1]).await;
        assert_eq!(bulk.approval, None, "{text:?}");
        assert_eq!(*bulk.text, *text, "the text itself is never changed");
    }
}

#[tokio::test]
async fn the_text_of_a_pattern_is_not_judged_again_but_its_recipients_are() {
    let scene = scene();
    scene.rule(RuleMatch::Everything).await;
    scene.put(BlackList::Installation, std::iter::once(1)).await;
    let to = [mobile(1).to_string(), mobile(2).to_string()];
    let request = SendRequest {
        from: "3000505",
        text: Texts::One("کد: 1234"),
        to: &to,
        time: None,
        idempotency_key: None,
    };
    let sent = scene
        .app
        .send_judged(&scene.account, request, TextSource::Pattern)
        .await;
    sent.unwrap();
    let bulk = scene.last();
    assert_eq!(bulk.approval, None);
    assert!(bulk.recipients[0].ends_as.is_some());
    assert_eq!(bulk.recipients[1].ends_as, None);
}
