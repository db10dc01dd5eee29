use super::*;
use crate::fake_store::{FakeStore, account, line};
use domain::ids::{LineId, LinkId, OperatorId};
use domain::line::{LineSettings, Route, WhenClosed};
use domain::link::{LinkState, LinkStatus};
use domain::money::Rials;
use domain::operator::Operators;
use domain::reason::Reason;
use domain::recipient::Address;
use domain::status::State;
use domain::tariff::TariffRow;
use domain::text::Alphabet;
use domain::time::{ManualClock, UnixMillis};

/// 2026-11-22 10:11:12 in Tehran.
const NOW: UnixMillis = UnixMillis(1_795_329_672_000);

struct Scene {
    app: App,
    store: Arc<FakeStore>,
    account: Account,
}

/// Line 3000505 is granted and open; every price is set; there is credit.
fn scene() -> Scene {
    let store = Arc::new(FakeStore::default());
    store.with(|state| state.credit = 1_000_000_000);
    store.change_catalog(|catalog| {
        catalog.lines = vec![line(1, "3000505"), line(2, "50004"), line(3, "9000")];
        catalog.grants = vec![
            (account("shop").id, LineId(1)),
            (account("shop").id, LineId(3)),
        ];
        catalog.lines[2].settings.can_send = false;
        catalog.tariffs = vec![tariff(None, None, Alphabet::Ucs2, 100)];
        catalog
            .tariffs
            .push(tariff(None, None, Alphabet::Gsm7, 250));
    });
    let clock = Arc::new(ManualClock::at(NOW));
    let operators = Arc::new(Operators::embedded());
    let app = App::new(store.clone(), clock, operators, Limits::default(), [7; 32]);
    Scene {
        app,
        store,
        account: account("shop"),
    }
}

fn tariff(line: Option<i64>, operator: Option<u8>, alphabet: Alphabet, price: i64) -> TariffRow {
    let (line, operator) = (line.map(LineId), operator.map(OperatorId));
    TariffRow {
        line,
        operator,
        alphabet,
        price: Rials(price),
    }
}

/// A request whose parts the tests spoil one by one.
#[derive(Clone)]
struct Ask {
    from: String,
    texts: Vec<String>,
    each: bool,
    to: Vec<String>,
    time: Option<String>,
    key: Option<String>,
}

fn ask() -> Ask {
    Ask {
        from: "+983000505".into(),
        texts: vec!["سلام".into()],
        each: false,
        to: vec!["09121111111".into()],
        time: None,
        key: None,
    }
}

impl Scene {
    async fn send(&self, ask: &Ask) -> Result<BulkNo, SendError> {
        let text = if ask.each {
            Texts::Each(&ask.texts)
        } else {
            Texts::One(&ask.texts[0])
        };
        let request = SendRequest {
            from: &ask.from,
            text,
            to: &ask.to,
            time: ask.time.as_deref(),
            idempotency_key: ask.key.as_deref(),
        };
        self.app.send(&self.account, request).await
    }

    async fn code(&self, ask: &Ask) -> u16 {
        match self.send(ask).await {
            Ok(_) => 0,
            Err(SendError::Refused(refusal)) => refusal.code(),
            Err(SendError::Unavailable(_)) => 503,
        }
    }

    fn settings(&self, change: impl FnOnce(&mut LineSettings)) {
        self.store
            .change_catalog(|catalog| change(&mut catalog.lines[0].settings));
        self.app.0.catalog.invalidate();
    }

    fn catalog(&self, change: impl FnOnce(&mut store::Catalog)) {
        self.store.change_catalog(change);
        self.app.0.catalog.invalidate();
    }

    fn last(&self) -> AcceptBulk {
        self.store
            .with(|state| state.bulks.last().cloned().unwrap())
    }
}

/// Closed at this hour, and refusing; open from noon on.
fn closed(settings: &mut LineSettings) {
    settings.hours = Some("12:00-22:00".parse().unwrap());
    settings.outside_hours = WhenClosed::Refuse;
}

fn route(operator: Option<u8>, link: i64) -> Route {
    Route {
        operator: operator.map(OperatorId),
        link: LinkId(link),
        fallback: None,
    }
}

#[tokio::test]
async fn refusals_come_in_the_order_of_the_contract() {
    let scene = scene();
    // Everything is wrong at once; then one fault after another is mended, first to last.
    scene.settings(|settings| {
        settings.bulk_allowed = false;
        settings.link_down = WhenClosed::Refuse;
        settings.routes = vec![route(None, 1)];
        closed(settings);
    });
    scene.catalog(|catalog| catalog.tariffs.clear());
    scene.store.with(|state| state.credit = 0);
    let mut ask = Ask {
        from: "50004".into(),
        texts: vec![" \u{200c}\n".into(), "x".repeat(9_000)],
        each: true,
        to: vec!["02188".into(); 100_001],
        time: Some("2020-01-01".into()),
        key: None,
    };
    let mut codes = vec![scene.code(&ask).await];
    ask.texts[0] = "سلام".into();
    codes.push(scene.code(&ask).await);
    ask.to[100_000] = "09121111111".into();
    codes.push(scene.code(&ask).await);
    ask.to = vec![
        "09121111111".into(),
        "09122222222".into(),
        "09123333333".into(),
    ];
    codes.push(scene.code(&ask).await);
    ask.texts.push("س".into());
    codes.push(scene.code(&ask).await);
    ask.texts[1] = "س".into();
    ask.key = Some("k".repeat(256));
    codes.push(scene.code(&ask).await);
    ask.key = None;
    codes.push(scene.code(&ask).await);
    ask.from = "3000505".into();
    codes.push(scene.code(&ask).await);
    scene.catalog(|catalog| catalog.tariffs = vec![tariff(None, None, Alphabet::Ucs2, 100)]);
    codes.push(scene.code(&ask).await);
    scene.settings(|settings| settings.bulk_allowed = true);
    codes.push(scene.code(&ask).await);
    ask.time = None;
    codes.push(scene.code(&ask).await);
    scene.settings(|settings| settings.hours = None);
    codes.push(scene.code(&ask).await);
    scene.settings(|settings| settings.link_down = WhenClosed::Queue);
    codes.push(scene.code(&ask).await);
    scene.store.with(|state| state.credit = 300);
    codes.push(scene.code(&ask).await);
    assert_eq!(codes, [1, 4, 98, 6, 422, 422, 3, 302, 7, 1006, 9, 99, 5, 0]);
}

#[tokio::test]
async fn a_line_that_is_unknown_foreign_or_mute_is_not_owned() {
    let scene = scene();
    for from in ["50004", "9000", "777777", "", "خط"] {
        assert_eq!(
            scene
                .code(&Ask {
                    from: from.into(),
                    ..ask()
                })
                .await,
            3,
            "{from}"
        );
    }
}

#[tokio::test]
async fn texts_that_are_too_long_are_an_invalid_input() {
    let scene = scene();
    for (text, code) in [
        ("س".repeat(32 * 67), 0),
        ("س".repeat(32 * 67 + 1), 422),
        ("a".repeat(32 * 153), 0),
        ("a".repeat(32 * 153 + 1), 422),
        ("a".repeat(5_001), 422),
        ("س".repeat(100_000), 422),
    ] {
        let ask = Ask {
            texts: vec![text],
            ..ask()
        };
        assert_eq!(scene.code(&ask).await, code, "{} bytes", ask.texts[0].len());
    }
    scene.settings(|settings| settings.reference_bits = ReferenceBits::Sixteen);
    let ask = Ask {
        texts: vec!["س".repeat(32 * 66 + 1)],
        ..ask()
    };
    assert_eq!(scene.code(&ask).await, 422);
}

#[tokio::test]
async fn times_are_past_unreadable_or_kept() {
    let scene = scene();
    for (time, code) in [
        ("2026-11-22 10:00:00", 1006),
        ("1405-09-01", 422),
        ("tomorrow", 422),
        ("2030-01-01", 422),
        ("", 0),
        ("2026-11-23 08:00:00", 0),
    ] {
        let ask = Ask {
            time: Some(time.into()),
            ..ask()
        };
        assert_eq!(scene.code(&ask).await, code, "{time}");
    }
    let bulk = scene.last();
    assert_eq!(
        (bulk.accepted_at, bulk.due_at),
        (NOW, NOW.plus_seconds(78_528))
    );
    assert_eq!(bulk.expires_at, None);
    scene.settings(|settings| settings.validity_seconds = Some(60));
    scene
        .send(&Ask {
            time: Some("2026-11-23 08:00:00".into()),
            ..ask()
        })
        .await
        .unwrap();
    assert_eq!(scene.last().expires_at, Some(NOW.plus_seconds(78_528 + 60)));
}

#[tokio::test]
async fn hours_and_links_refuse_by_the_time_of_sending_and_only_where_the_line_says_so() {
    let scene = scene();
    scene.settings(closed);
    assert_eq!(scene.code(&ask()).await, 9);
    let noon = Ask {
        time: Some("2026-11-22 12:00:00".into()),
        ..ask()
    };
    assert_eq!(scene.code(&noon).await, 0);
    scene.settings(|settings| settings.outside_hours = WhenClosed::Queue);
    assert_eq!(scene.code(&ask()).await, 0);
    scene.settings(|settings| {
        settings.link_down = WhenClosed::Refuse;
        settings.routes = vec![route(None, 1), route(Some(2), 2)];
    });
    assert_eq!(scene.code(&ask()).await, 99);
    assert_eq!(scene.code(&noon).await, 0);
    let up = LinkStatus {
        link: LinkId(1),
        state: LinkState::Up,
        since: NOW,
        at: NOW,
        binds_up: 1,
        in_flight: 0,
        last_error: None,
        rate_learnt: None,
        per_second: None,
    };
    scene.store.with(|state| state.statuses.push(up));
    *crate::lock(&scene.app.0.link_health.0) = None;
    let (mci, irancell) = ("09121111111".to_owned(), "09351111111".to_owned());
    assert_eq!(
        scene.app.operators().by_key("mtn").unwrap().id,
        OperatorId(2)
    );
    assert_eq!(
        scene
            .code(&Ask {
                to: vec![mci.clone()],
                ..ask()
            })
            .await,
        0
    );
    assert_eq!(
        scene
            .code(&Ask {
                to: vec![mci, irancell],
                ..ask()
            })
            .await,
        99
    );
}

#[tokio::test]
async fn parts_prices_and_terms_are_those_of_the_line_and_the_operator() {
    let scene = scene();
    scene.catalog(|catalog| {
        catalog
            .tariffs
            .push(tariff(None, Some(2), Alphabet::Ucs2, 120));
        catalog
            .tariffs
            .push(tariff(Some(1), Some(2), Alphabet::Ucs2, 90));
        catalog.lines[0].settings.reference_bits = ReferenceBits::Sixteen;
        catalog.lines[0].settings.report_hours = 3;
    });
    let to = vec![
        "09121111111".into(),
        "۰۹۳۵۱۱۱۱۱۱۱".into(),
        "02188888888".into(),
    ];
    let ask = Ask {
        texts: vec!["س".repeat(133)],
        to,
        ..ask()
    };
    assert_eq!(scene.send(&ask).await.unwrap(), BulkNo(10_001));
    let bulk = scene.last();
    let rows: Vec<_> = bulk
        .recipients
        .iter()
        .map(|r| (r.operator.0, r.parts, r.unit_price.0))
        .collect();
    assert_eq!(
        rows,
        [
            (1, 3, 100),
            (2, 3, 90),
            (scene.app.operators().other().0, 0, 0)
        ]
    );
    assert_eq!(
        bulk.recipients[2].address,
        Address::Invalid("02188888888".into())
    );
    assert_eq!(
        bulk.recipients[2].ends_as,
        Some((State::Failed, Reason::NotAMobileNumber))
    );
    assert_eq!(bulk.recipients[2].price(), Rials::ZERO);
    assert_eq!((bulk.report_seconds, bulk.line), (3 * 3_600, LineId(1)));
    assert_eq!(bulk.reference_bits, ReferenceBits::Sixteen);
    assert!(bulk.urgent && bulk.whole);
    assert_eq!(
        scene.store.with(|state| state.credit),
        1_000_000_000 - 3 * 190
    );
}

#[tokio::test]
async fn a_price_missing_for_one_valid_recipient_refuses_all() {
    let scene = scene();
    scene.catalog(|catalog| {
        catalog.tariffs = vec![tariff(None, Some(1), Alphabet::Ucs2, 100)];
    });
    let to = vec!["09121111111".into(), "09351111111".into()];
    assert_eq!(scene.code(&Ask { to, ..ask() }).await, 302);
    let to = vec!["09121111111".into(), "not a number".into()];
    assert_eq!(scene.code(&Ask { to, ..ask() }).await, 0);
}

#[tokio::test]
async fn the_same_number_with_the_same_text_is_sent_once_at_its_first_place() {
    let scene = scene();
    let given = [
        "0912 111 1111",
        "",
        "123",
        "+989122222222",
        "989121111111",
        "1-2-3",
        "9122222222",
    ];
    let to: Vec<String> = given.map(str::to_owned).into();
    scene
        .send(&Ask {
            to: to.clone(),
            ..ask()
        })
        .await
        .unwrap();
    let shown = |bulk: &AcceptBulk| -> Vec<String> {
        let one = |r: &NewRecipient| match &r.address {
            Address::Mobile(number) => number.national().to_string(),
            Address::Invalid(digits) => format!("!{digits}"),
            Address::Masked(number) => number.to_string(),
        };
        bulk.recipients.iter().map(one).collect()
    };
    assert_eq!(shown(&scene.last()), ["9121111111", "!123", "9122222222"]);
    let texts = ["الف", "x", "x", "ب", "دیگر", "x", "ب"]
        .map(str::to_owned)
        .into();
    scene
        .send(&Ask {
            to,
            texts,
            each: true,
            ..ask()
        })
        .await
        .unwrap();
    assert_eq!(
        shown(&scene.last()),
        ["9121111111", "!123", "9122222222", "9121111111"]
    );
    let texts: Vec<_> = scene
        .last()
        .recipients
        .iter()
        .map(|r| r.text.clone())
        .collect();
    assert_eq!(
        texts,
        [
            Some("الف".into()),
            None,
            Some("ب".into()),
            Some("دیگر".into())
        ]
    );
    assert_eq!(&*scene.last().text, "");
}

#[tokio::test]
async fn a_line_for_single_messages_takes_one_message_however_it_is_written() {
    let scene = scene();
    scene.settings(|settings| settings.bulk_allowed = false);
    let to = vec!["09121111111".into(), "9121111111".into(), "12".into()];
    assert_eq!(scene.code(&Ask { to, ..ask() }).await, 0);
    let to = vec!["09121111111".into(), "09122222222".into()];
    assert_eq!(scene.code(&Ask { to, ..ask() }).await, 7);
}

#[tokio::test]
async fn a_key_is_kept_as_a_digest_and_a_repeated_bulk_is_answered_only_when_acknowledged() {
    let scene = scene();
    scene
        .send(&Ask {
            key: Some("order-1".into()),
            ..ask()
        })
        .await
        .unwrap();
    let digest = *blake3::hash(b"order-1").as_bytes();
    assert_eq!(scene.last().idempotency_key, Some(digest));
    scene
        .send(&Ask {
            key: Some(String::new()),
            ..ask()
        })
        .await
        .unwrap();
    assert_eq!(scene.last().idempotency_key, None);
    scene
        .store
        .with(|state| state.repeated = Some(BulkNo(10_007)));
    assert_eq!(scene.code(&ask()).await, 503);
}

#[tokio::test]
async fn large_bulks_go_in_commands_and_small_ones_are_urgent() {
    let scene = scene();
    let many = |count: u64| -> Vec<String> {
        (0..count)
            .map(|n| (9_120_000_000 + n).to_string())
            .collect()
    };
    for (count, commands, urgent) in [
        (10, vec![10], true),
        (11, vec![11], false),
        (5_000, vec![5_000], false),
        (5_001, vec![5_000, 1], false),
        (12_345, vec![5_000, 5_000, 2_345], false),
    ] {
        scene.store.with(|state| state.commands.clear());
        let bulk = scene
            .send(&Ask {
                to: many(count),
                ..ask()
            })
            .await
            .unwrap();
        assert_eq!(scene.store.with(|state| state.commands.clone()), commands);
        let several = commands.len() > 1;
        assert_eq!(scene.last().urgent, urgent);
        assert_eq!(scene.last().whole, !several);
        assert_eq!(
            scene.store.with(|state| state.sealed.contains(&bulk)),
            several
        );
        let numbers: Vec<_> = scene
            .last()
            .recipients
            .iter()
            .map(|r| r.address.clone())
            .collect();
        let expected: Vec<_> = many(count)
            .iter()
            .map(|n| Address::Mobile(Msisdn::parse(n).unwrap()))
            .collect();
        assert_eq!(numbers, expected);
    }
}

#[test]
fn the_use_cases_can_run_on_any_thread() {
    fn on_any_thread<T: Send>(_: impl FnOnce(&'static App, &'static Account) -> T) {}
    on_any_thread(|app, account| {
        let to: &[String] = &[];
        let (text, time, idempotency_key) = (Texts::One(""), None, None);
        app.send(
            account,
            SendRequest {
                from: "",
                text,
                to,
                time,
                idempotency_key,
            },
        )
    });
    on_any_thread(|app, account| {
        let request = crate::NumbersRequest {
            from: "",
            text: "",
            time: None,
            idempotency_key: None,
            masked: false,
        };
        app.send_numbers(account, request, std::iter::empty(), |_| {})
    });
    on_any_thread(|app, account| {
        let request = crate::NumbersRequest {
            from: "",
            text: "",
            time: None,
            idempotency_key: None,
            masked: true,
        };
        let query = crate::DirectoryQuery::Postal {
            operator: "",
            gender: "",
            prefix: "",
        };
        app.send_to_directory(account, request, query)
    });
    on_any_thread(|app, _| app.authenticate("", "", std::net::Ipv4Addr::LOCALHOST.into(), ""));
    on_any_thread(|app, account| app.cancel(account, BulkNo::FIRST));
}
