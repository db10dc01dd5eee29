//! What clients see of blacklists and of texts that wait for approval.

use app::Decision;
use domain::approval::{RuleMatch, RuleScope};
use domain::blacklist::BlackList;
use domain::ids::BulkNo;
use domain::msisdn::Msisdn;

use crate::fixture::Service;

const SEND: &str = "op=send&from=3000505&message=وام فوری&to=09121111111,09122222222";

async fn decide(service: &Service, bulk: u32, approve: bool) {
    let account = service.app.account("shop").await.unwrap();
    let decision = Decision {
        approve,
        by: "sara",
        reason: None,
    };
    let decided = service
        .app
        .decide_approval(&account, BulkNo(bulk), decision);
    decided.await.unwrap();
}

/// A service whose texts about loans wait for approval, and one that waits.
async fn waiting() -> Service {
    let service = Service::start().await;
    let word = RuleMatch::Word("وام".into());
    let rule = service
        .app
        .add_approval_rule(word, RuleScope::default(), "");
    rule.await.unwrap();
    assert_eq!(service.form(SEND).await, "[0,10001]");
    service
}

const CHECK: &str = "op=checkmessage&messageid=10001";
const DELIVERY: &str = "op=delivery&uinqid=10001";
const CREDIT: &str = "op=credit";

#[tokio::test]
async fn who_is_on_a_blacklist_is_discarded_and_costs_nothing() {
    let service = Service::start().await;
    let number = Msisdn::from_national(9_122_222_222).unwrap();
    let list = BlackList::Installation;
    service
        .app
        .change_blacklist(list, &[number], true)
        .await
        .unwrap();
    service.form(SEND).await;
    assert_eq!(
        service.form(DELIVERY).await,
        r#"[0,"[\"+989121111111:notsync\",\"+989122222222:discarded\"]"]"#
    );
    assert_eq!(service.form(CREDIT).await, r#"[0,"933122"]"#);
    let messages = service.messages().await;
    assert_eq!(messages, [("+989121111111".into(), "وام فوری".into())]);
}

#[tokio::test]
async fn a_text_that_waits_is_not_confirmed_and_not_sent() {
    let service = waiting().await;
    assert_eq!(
        service.form(CHECK).await,
        r#"{"statusMessage":"Active","validMessage":"notconfirm"}"#
    );
    assert_eq!(
        service.form(DELIVERY).await,
        r#"[0,"[\"+989121111111:notsync\",\"+989122222222:notsync\"]"]"#
    );
    assert_eq!(service.form(CREDIT).await, r#"[0,"933022"]"#);
    assert_eq!(service.messages().await, []);
}

#[tokio::test]
async fn an_approved_text_is_sent() {
    let service = waiting().await;
    decide(&service, 10_001, true).await;
    let check = service.form(CHECK).await;
    assert!(check.ends_with(r#""validMessage":"approve"}"#), "{check}");
    assert_eq!(service.messages().await.len(), 2);
}

#[tokio::test]
async fn a_rejected_text_is_cancelled_and_its_price_comes_back() {
    let service = waiting().await;
    decide(&service, 10_001, false).await;
    assert_eq!(
        service.form(CHECK).await,
        r#"{"statusMessage":"Cancel","validMessage":"cancel"}"#
    );
    assert_eq!(
        service.form(DELIVERY).await,
        r#"[0,"[\"+989121111111:failed\",\"+989122222222:failed\"]"]"#
    );
    assert_eq!(service.form(CREDIT).await, r#"[0,"933222"]"#);
    assert_eq!(service.messages().await, []);
    let cancel = service.form("op=deleteperiod&bulkid=10001").await;
    assert!(cancel.starts_with("[456,"), "{cancel}");
}

#[tokio::test]
async fn a_text_that_waits_can_be_cancelled_by_its_sender() {
    let service = waiting().await;
    let cancel = service.form("op=deleteperiod&bulkid=10001").await;
    assert!(cancel.starts_with("[455,"), "{cancel}");
    assert_eq!(
        service.form(CHECK).await,
        r#"{"statusMessage":"Cancel","validMessage":"approve"}"#
    );
    assert_eq!(service.form(CREDIT).await, r#"[0,"933222"]"#);
    let waiting = service.app.approvals_waiting(None, 10).await.unwrap();
    assert_eq!(waiting, []);
}

#[tokio::test]
async fn a_repeated_key_answers_the_bulk_that_waits() {
    let service = waiting().await;
    let with_key = format!("{SEND}&localid=a");
    assert_eq!(service.form(&with_key).await, "[0,10002]");
    assert_eq!(service.form(&with_key).await, "[0,10002]");
    decide(&service, 10_002, false).await;
    assert_eq!(service.form(&with_key).await, "[0,10002]");
}
