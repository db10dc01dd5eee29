//! The operations on the demographic directory, with whole answers.

use app::{DirectorySource, Limits};
use directory::build::{Input, Plan, build};
use directory::{Areas, Jobs};
use domain::blacklist::BlackList;
use domain::line::{LineClass, LineSettings};
use domain::operator::Operators;
use tempfile::TempDir;
use web::{Probes, WebSettings};

use crate::fixture::{FORM, LOGIN, Service, get};

const AREAS: &str = "11\tتهران/مرکز\n759\tیاسوج\n";
const JOBS: &str =
    "1\tپزشکی\n1\t11\tپزشک\n1\t12\t<b>\"نقل\n2\tآموزش\n2\t21\tمعلم\n3\tz\n3\t31\tnobody\n";
const PEOPLE: &str = "number,operator,gender,postal_code,trends\n\
    09121110098,,1,1113344556,11;12\n\
    09351110099,,2,1113344557,12;21\n\
    09351110100,tci,2,1913344557,21\n";

/// A service with a directory of three people, and a line for advertising beside its own.
async fn with_people() -> (Service, TempDir) {
    peopled(Service::start().await).await
}

async fn peopled(service: Service) -> (Service, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let jobs = Jobs::parse(JOBS).unwrap();
    let path = folder.path().join("people.directory");
    let plan = Plan {
        operators: &Operators::embedded(),
        jobs: &jobs,
        out: &path,
        temporary: None,
        strict: true,
    };
    let input = Input {
        name: "people.csv".into(),
        from: Box::new(PEOPLE.as_bytes()),
    };
    build(plan, vec![input], &mut |_| {}).unwrap();
    let areas = Areas::parse(AREAS).unwrap();
    let source = DirectorySource::new(&path, areas, jobs);
    service.app.attach_directory(source);
    let settings = LineSettings {
        class: LineClass::Advertising,
        ..LineSettings::default()
    };
    service.app.add_line("20001000", settings).await.unwrap();
    let granted = service.app.grant_line("shop", "20001000", true);
    granted.await.unwrap();
    (service, folder)
}

#[tokio::test]
async fn areas_jobs_and_trends_are_json_within_a_string() {
    let (service, _folder) = with_people().await;
    insta::assert_snapshot!(service.post(FORM, &format!("{LOGIN}&op=postalcodearea")).await, @r#"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [0,"[{\"id\":\"11\",\"title\":\"\\u062a\\u0647\\u0631\\u0627\\u0646\\\/\\u0645\\u0631\\u06a9\\u0632\"},{\"id\":\"759\",\"title\":\"\\u06cc\\u0627\\u0633\\u0648\\u062c\"}]"]"#);
    insta::assert_snapshot!(service.form("op=PostalCoderArea").await, @r#"[0,"[{\"id\":\"11\",\"title\":\"\\u062a\\u0647\\u0631\\u0627\\u0646\\\/\\u0645\\u0631\\u06a9\\u0632\"},{\"id\":\"759\",\"title\":\"\\u06cc\\u0627\\u0633\\u0648\\u062c\"}]"]"#);
    insta::assert_snapshot!(service.form("op=jobslist").await, @r#"[0,"[{\"id\":1,\"title\":\"\\u067e\\u0632\\u0634\\u06a9\\u06cc\"},{\"id\":2,\"title\":\"\\u0622\\u0645\\u0648\\u0632\\u0634\"},{\"id\":3,\"title\":\"z\"}]"]"#);
    insta::assert_snapshot!(service.form("op=jobstrendlist").await, @r#"[0,"[{\"id\":11,\"title\":\"\\u067e\\u0632\\u0634\\u06a9\",\"jobsid\":1},{\"id\":12,\"title\":\"<b>\\\"\\u0646\\u0642\\u0644\",\"jobsid\":1},{\"id\":21,\"title\":\"\\u0645\\u0639\\u0644\\u0645\",\"jobsid\":2},{\"id\":31,\"title\":\"nobody\",\"jobsid\":3}]"]"#);
    insta::assert_snapshot!(service.form("op=jobstrenlist&jobsid=2").await, @r#"[0,"[{\"id\":21,\"title\":\"\\u0645\\u0639\\u0644\\u0645\",\"jobsid\":2}]"]"#);
    insta::assert_snapshot!(service.form("op=jobstrendlist&jobsid=7").await, @r#"[0,"[]"]"#);
    insta::assert_snapshot!(service.form("op=jobstrendlist&jobsid=x").await, @r#"[422,"\u0648\u0631\u0648\u062f\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#);
}

#[tokio::test]
async fn people_are_counted_by_postal_code() {
    let (service, _folder) = with_people().await;
    for (asked, answer) in [
        ("postalcode=11", r#"[0,"2"]"#),
        ("type=tci&gender=0&postalcode=11", r#"[0,"1"]"#),
        ("type=mtn&gender=2&postal-code=11133", r#"[0,"1"]"#),
        ("type=&gender=&postalcode=1113344556", r#"[0,"1"]"#),
        (
            "type=rightel&gender=1&postalcode=%DB%B1%DB%B1",
            r#"[0,"0"]"#,
        ),
    ] {
        let form = format!("op=postalcodecount&{asked}");
        assert_eq!(service.form(&form).await, answer, "{asked}");
    }
    insta::assert_snapshot!(service.form("op=postalcodecount&postalcode=1").await, @r#"[422,"\u0648\u0631\u0648\u062f\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#);
    insta::assert_snapshot!(service.form("op=postalcodecount&type=x&postalcode=11").await, @r#"[422,"\u0648\u0631\u0648\u062f\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#);
    insta::assert_snapshot!(service.form("op=postalcodecount&gender=3&postalcode=11").await, @r#"[422,"\u0648\u0631\u0648\u062f\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#);
}

#[tokio::test]
async fn people_with_several_of_the_trends_are_counted_once_however_the_list_is_written() {
    let (service, _folder) = with_people().await;
    for trends in [r#"["11","12"]"#, "[11,12]", "11,12", "%5B%2211%22%2C12%5D"] {
        let form = format!("op=jobscount&trendid={trends}");
        assert_eq!(service.form(&form).await, r#"[0,"2"]"#, "{trends}");
    }
    let json = r#"{"uname":"shop","pass":"p/q 1","op":"jobscount","trendid":[11,"21"]}"#;
    insta::assert_snapshot!(service.post("application/json", json).await, @r#"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [0,"3"]"#);
    let target = format!(r#"/services.jspd?{LOGIN}&op=jobscount&trendid=["12"]"#);
    insta::assert_snapshot!(service.ask(get(&target)).await, @r#"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [0,"2"]"#);
    insta::assert_snapshot!(service.form("op=jobscount&trendid=[]").await, @r#"[422,"\u0648\u0631\u0648\u062f\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#);
    insta::assert_snapshot!(service.form("op=jobscount&trendid=[13]").await, @r#"[422,"\u0648\u0631\u0648\u062f\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#);
}

#[tokio::test]
async fn a_send_by_postal_code_is_one_bulk_whose_report_masks_the_numbers() {
    let (service, _folder) = with_people().await;
    let send = "op=postalcodesend&from=20001000&type=&gender=0&postalcode=11&message=salam";
    insta::assert_snapshot!(service.form(send).await, @r#"[0,10001]"#);
    insta::assert_snapshot!(service.form("op=delivery&uinqid=10001").await, @r#"[0,"[\"+98935***0099:notsync\",\"+98912***0098:notsync\"]"]"#);
    insta::assert_snapshot!(service.form("op=checkmessage&messageid=10001").await, @r#"{"statusMessage":"NoContactWithTheOperator","validMessage":"approve"}"#);
    insta::assert_snapshot!(service.form("op=credit").await, @r#"[0,"933022"]"#);
    // A list of one's own is shown as it was given.
    let own = service
        .form("op=send&from=20001000&to=09121110098&message=a")
        .await;
    assert_eq!(own, "[0,10002]");
    insta::assert_snapshot!(service.form("op=delivery&uinqid=10002").await, @r#"[0,"[\"+989121110098:notsync\"]"]"#);
}

#[tokio::test]
async fn a_send_by_trends_reaches_each_person_once() {
    let (service, _folder) = with_people().await;
    let send = r#"op=jobssend&from=20001000&message=salam&trendid=["11","12"]&jobsid=1"#;
    insta::assert_snapshot!(service.form(send).await, @r#"[0,10001]"#);
    insta::assert_snapshot!(service.form("op=delivery&uinqid=10001").await, @r#"[0,"[\"+98912***0098:notsync\",\"+98935***0099:notsync\"]"]"#);
}

#[tokio::test]
async fn sends_by_postal_code_are_refused_in_the_order_of_the_contract() {
    let (service, _folder) = with_people().await;
    for (asked, answer) in [
        ("from=9&message=&postalcode=x", "[1,"),
        ("from=9&message=a&postalcode=x", "[422,"),
        ("from=9&message=a&postalcode=55", "[4,"),
        ("from=9&message=a&postalcode=11", "[3,"),
        ("from=3000505&message=a&postalcode=11", "[7,"),
        (
            "from=20001000&message=a&postalcode=11&time=2020-01-01",
            "[1006,",
        ),
        (
            "from=20001000&message=a&postalcode=11&time=tomorrow",
            "[422,",
        ),
    ] {
        let said = service.form(&format!("op=postalcodesend&{asked}")).await;
        assert!(said.starts_with(answer), "{asked}: {said}");
    }
}

#[tokio::test]
async fn sends_by_trends_are_refused_in_the_order_of_the_contract() {
    let (service, _folder) = with_people().await;
    for (asked, answer) in [
        ("from=9&message=&trendid=x", "[1,"),
        ("from=9&message=a&trendid=[11]&jobsid=2", "[422,"),
        ("from=9&message=a&jobsid=1", "[422,"),
        ("from=9&message[]=a&trendid=[11]", "[422,"),
        ("from=9&message=a&trendid=[31]", "[4,"),
        ("from=9&message=a&trendid=[11]", "[3,"),
        ("from=3000505&message=a&trendid=[11]", "[7,"),
        (
            "from=20001000&message=a&trendid=[11]&time=2020-01-01",
            "[1006,",
        ),
    ] {
        let said = service.form(&format!("op=jobssend&{asked}")).await;
        assert!(said.starts_with(answer), "{asked}: {said}");
    }
}

#[tokio::test]
async fn more_people_than_a_list_may_have_are_too_many() {
    let limits = Limits {
        numbers_max: 1,
        ..Limits::default()
    };
    let service = Service::start_with(WebSettings::default(), limits, Probes::default()).await;
    let (service, _folder) = peopled(service).await;
    for send in [
        "op=postalcodesend&postalcode=11",
        "op=jobssend&trendid=[12]",
    ] {
        let said = service
            .form(&format!("{send}&from=20001000&message=a"))
            .await;
        assert!(said.starts_with("[98,"), "{said}");
    }
}

#[tokio::test]
async fn without_a_directory_the_operations_answer_that_there_is_nobody() {
    let service = Service::start().await;
    for (asked, answer) in [
        ("op=postalcodecount&postalcode=11", r#"[0,"0"]"#),
        ("op=jobscount&trendid=[11]", r#"[0,"0"]"#),
        ("op=postalcodearea", r#"[0,"[]"]"#),
        ("op=jobslist", r#"[0,"[]"]"#),
        ("op=jobstrendlist", r#"[0,"[]"]"#),
    ] {
        assert_eq!(service.form(asked).await, answer, "{asked}");
    }
    let sent = service
        .form("op=postalcodesend&from=3000505&message=a&postalcode=11")
        .await;
    assert!(sent.starts_with("[4,"), "{sent}");
    let sent = service
        .form("op=jobssend&from=3000505&message=a&trendid=[11]")
        .await;
    assert!(sent.starts_with("[4,"), "{sent}");
}

#[tokio::test]
async fn the_same_key_answers_the_first_bulk() {
    let (service, _folder) = with_people().await;
    let send = "op=postalcodesend&from=20001000&postalcode=11&message=salam&localid=a1";
    assert_eq!(service.form(send).await, "[0,10001]");
    assert_eq!(service.form(send).await, "[0,10001]");
    assert_eq!(service.form("op=credit").await, r#"[0,"933022"]"#);
}

#[tokio::test]
async fn who_is_on_a_blacklist_is_counted_but_neither_sent_to_nor_reported() {
    let (service, _folder) = with_people().await;
    let listed = [domain::msisdn::Msisdn::parse("09121110098").unwrap()];
    let changed = service
        .app
        .change_blacklist(BlackList::Installation, &listed, true);
    changed.await.unwrap();
    assert_eq!(
        service.form("op=postalcodecount&postalcode=11").await,
        r#"[0,"2"]"#
    );
    let send = "op=postalcodesend&from=20001000&postalcode=11&message=salam";
    assert_eq!(service.form(send).await, "[0,10001]");
    let report = service.form("op=delivery&uinqid=10001").await;
    assert!(!report.contains("0098"), "{report}");
    assert!(report.contains("+98935***0099:notsync"), "{report}");
    assert_eq!(service.form("op=credit").await, r#"[0,"933122"]"#);
}
