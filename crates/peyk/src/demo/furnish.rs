//! What the demo's customer finds: phonebooks, an inbox with a rule, a pattern, an API key, packages
//! to hand out and a sub-account. With it each sample of `/docs` works as it is printed.
//!
//! Each thing is made where there is none of its kind, so that an older demo gets it too and what
//! people changed stays. Everybody in it is made up.

use super::seed::{ACCOUNT, ADVERTISING_LINE, PRICES, SERVICE_LINE, keep_password, unknown};
use crate::runtime::Peyk;
use anyhow::{Context, Result};
use app::{CreateAccount, CreateKey, CreatePattern, NewRule, Place, SetTariff, TransferRequest};
use domain::account::{Account, AccountSettings};
use domain::ids::LinkId;
use domain::inbound::rule::{Actions, Matching};
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::package::PackageSettings;
use domain::pattern::{Kind, PatternStatus, Variable};
use domain::text::{ReferenceBits, segments};
use store::InboundPart;

/// The code of the pattern, for the samples' `PATTERN_CODE`.
pub const PATTERN: &str = "k3zn1ywlzd2a8ll";
/// The sub-account, with the demo's password.
pub const SUB_ACCOUNT: &str = "demoshop";

const PATTERN_TEXT: &str = "code: %code%";
/// Longest code that the pattern takes, in characters.
const PATTERN_CODE_CHARS: u16 = 8;

/// The package that may be handed out. Made first, so that its access level is the samples' 1.
const BASIC: &str = "basic";
/// The package of the demo's customer.
const RESELLER: &str = "reseller";
const SUB_ACCOUNTS_MAX: u32 = 100;
const SUB_ACCOUNT_CREDIT: Rials = Rials(50_000);
/// What a part costs the sub-account above what it costs the demo's customer, in percent.
const MARGIN_PERCENT: i64 = 25;

/// The books with their people. The samples put 09121111111 into the first one.
const BOOKS: [(&str, &[(&str, &str)]); 2] = [
    (
        "مشتریان",
        &[
            ("09351110002", "سارا رضایی"),
            ("09121110003", "علی محمدی"),
            ("09191110004", "مریم کریمی"),
            ("09331110005", "رضا احمدی"),
            // Unreachable at the simulated operator.
            ("09901110100", "زهرا حسینی"),
        ],
    ),
    (
        "همکاران",
        &[
            ("09121110011", "حسین نوری"),
            ("09351110012", "نرگس صادقی"),
            ("09211110013", "امیر جعفری"),
        ],
    ),
];

/// Who wrote, how many minutes ago, and what: short, with an emoji, and in several parts. None of
/// them is taken by the rule, whose answer would cost credit before anybody has looked.
const MESSAGES: [(&str, i64, &str); 3] = [
    ("989351110002", 95, "سلام، ساعت کاری شما چیست؟"),
    ("989121110003", 40, "Thank you, the order is here 🎁👍"),
    (
        "989191110004",
        12,
        "سلام، من هفته گذشته از فروشگاه شما یک دستگاه قهوه‌ساز سفارش دادم. بسته امروز رسید ولی \
         کتابچه راهنما در آن نبود. اگر نسخه الکترونیکی آن را دارید لطفاً نشانی‌اش را بفرستید. \
         ممنون از بسته‌بندی خوب و ارسال سریع شما.",
    ),
];
/// Reference numbers of the seeded texts count up from here.
const REFERENCE_FIRST: u16 = 1;
/// Octets of the user data header of a part of a longer text with an 8-bit reference.
const HEADER_OCTETS: u8 = 6;
/// Seconds that parts wait for each other; here all of them are there.
const PARTS_WAIT_SECONDS: u32 = 1;

const RULE_WORD: &str = "قیمت";
const RULE_ANSWER: &str = "فهرست قیمت‌ها: https://shop.example/prices";

/// Makes what is missing. Gives the API key: `earlier`, or a new one.
///
/// # Errors
/// The store failed.
pub async fn furnish(
    peyk: &Peyk,
    link: LinkId,
    pass: &str,
    earlier: Option<String>,
) -> Result<String> {
    resale(peyk, pass).await.context("the packages")?;
    // Read anew, with its package.
    let account = peyk.app.account(ACCOUNT).await?;
    books(peyk, &account).await.context("the phonebooks")?;
    inbox(peyk, &account, link).await.context("the inbox")?;
    pattern(peyk).await.context("the pattern")?;
    match earlier {
        Some(key) => Ok(key),
        None => key(peyk).await.context("the API key"),
    }
}

async fn resale(peyk: &Peyk, pass: &str) -> Result<()> {
    let app = &peyk.app;
    let service = app.line(SERVICE_LINE).await?.id;
    let advertising = app.line(ADVERTISING_LINE).await?.id;
    if unknown(app.package(BASIC).await)?.is_none() {
        let settings = PackageSettings {
            title: "پایه".into(),
            lines: vec![service],
            ..PackageSettings::default()
        };
        app.create_package(BASIC, settings).await?;
        for (alphabet, price) in PRICES {
            let price = Some(Rials(price.0 + price.0 * MARGIN_PERCENT / 100));
            let tariff = SetTariff {
                line: None,
                operator: None,
                alphabet,
                price,
            };
            app.set_package_tariff(BASIC, tariff).await?;
        }
    }
    if unknown(app.package(RESELLER).await)?.is_none() {
        let settings = PackageSettings {
            title: "نمایندگی".into(),
            lines: vec![service, advertising],
            sub_accounts_max: SUB_ACCOUNTS_MAX,
            ..PackageSettings::default()
        };
        app.create_package(RESELLER, settings).await?;
        app.give_package(ACCOUNT, Some(RESELLER)).await?;
        app.offer_package(BASIC, ACCOUNT, true).await?;
    }
    if unknown(app.account(SUB_ACCOUNT).await)?.is_none() {
        return sub_account(peyk, pass).await;
    }
    keep_password(peyk, SUB_ACCOUNT, pass).await
}

/// Opens the sub-account, with credit that the demo's customer got for it.
async fn sub_account(peyk: &Peyk, pass: &str) -> Result<()> {
    let new = CreateAccount {
        name: SUB_ACCOUNT.into(),
        password: Some(pass.to_owned()),
        expires_at: None,
        settings: AccountSettings {
            title: "فروشگاه نمونه".into(),
            ..AccountSettings::default()
        },
    };
    let place = Place {
        parent: Some(ACCOUNT),
        package: Some(BASIC),
    };
    peyk.app.open_account(new, place).await?;
    let note = Some("for the sub-account".to_owned());
    peyk.app.top_up(ACCOUNT, SUB_ACCOUNT_CREDIT, note).await?;
    let request = TransferRequest {
        from: ACCOUNT,
        to: SUB_ACCOUNT,
        amount: SUB_ACCOUNT_CREDIT,
        note: None,
    };
    peyk.app.transfer(request).await?;
    Ok(())
}

async fn books(peyk: &Peyk, account: &Account) -> Result<()> {
    if !peyk.app.books(account.id).await?.is_empty() {
        return Ok(());
    }
    for (title, people) in BOOKS {
        let book = peyk.app.create_book(account.id, title).await?;
        for (number, name) in people {
            let number = Msisdn::parse(number).with_context(|| format!("{number} is none"))?;
            peyk.app.add_contact(account.id, book, number, name).await?;
        }
    }
    Ok(())
}

/// Messages as the operator hands them over, and a rule for those to come.
async fn inbox(peyk: &Peyk, account: &Account, link: LinkId) -> Result<()> {
    let there = peyk.app.inbox_messages(Some(account), None, 1).await?;
    if there.is_empty() {
        let mut parts = Vec::new();
        for (reference, message) in (REFERENCE_FIRST..).zip(MESSAGES) {
            parts.extend(parts_of(peyk, link, reference, message));
        }
        peyk.store.record_inbound(parts).await?;
        peyk.app.assemble_inbound(PARTS_WAIT_SECONDS).await?;
        peyk.app.handle_inbound(None).await?;
    }
    if peyk.app.rules(account).await?.is_empty() {
        let rule = NewRule {
            line: None,
            matching: Matching::Contains,
            word: RULE_WORD.into(),
            actions: Actions {
                answer: Some(RULE_ANSWER.into()),
                ..Actions::default()
            },
        };
        peyk.app.add_rule(account, rule).await?;
    }
    Ok(())
}

fn parts_of(
    peyk: &Peyk,
    link: LinkId,
    reference: u16,
    (from, minutes, text): (&str, i64, &str),
) -> Vec<InboundPart> {
    let cut = segments(text, ReferenceBits::Eight);
    let total = u8::try_from(cut.parts.len()).unwrap_or(u8::MAX);
    let part = |(no, payload): (u8, Vec<u8>)| InboundPart {
        link,
        at: peyk.clock.now().plus_seconds(-60 * minutes),
        from: from.into(),
        to: format!("98{SERVICE_LINE}").into(),
        data_coding: cut.alphabet.data_coding(),
        payload: payload.into(),
        part: (total > 1).then_some((reference, total, no)),
        header_octets: if total > 1 { HEADER_OCTETS } else { 0 },
        disturbed_at: None,
    };
    (1..).zip(cut.parts).map(part).collect()
}

async fn pattern(peyk: &Peyk) -> Result<()> {
    if unknown(peyk.app.pattern(PATTERN).await)?.is_some() {
        return Ok(());
    }
    let new = CreatePattern {
        account: ACCOUNT.into(),
        code: Some(PATTERN.into()),
        title: "ورود".into(),
        text: PATTERN_TEXT.into(),
        variables: vec![Variable {
            name: "code".into(),
            kind: Kind::Code,
            chars_max: PATTERN_CODE_CHARS,
        }],
        status: PatternStatus::Active,
    };
    peyk.app.create_pattern(new).await?;
    Ok(())
}

async fn key(peyk: &Peyk) -> Result<String> {
    let new = CreateKey {
        title: "demo.json".into(),
        ..CreateKey::default()
    };
    let made = peyk.app.create_key(ACCOUNT, new).await?;
    made.generated.context("no key was made up")
}
