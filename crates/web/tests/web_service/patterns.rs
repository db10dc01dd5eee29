//! Patterns and API keys, as clients of the service ask for them.

use app::{ChangePattern, CreateKey, CreatePattern};
use domain::account::AccountSettings;
use domain::api_key::ApiKeySettings;
use domain::ids::KeyNo;
use domain::pattern::{Kind, PatternStatus, Variable};
use domain::time::{Clock, UnixMillis};
use tokio::net::TcpListener;
use tokio::sync::watch;
use web::WebSettings;

use crate::fixture::{FORM, LOGIN, Service, get, post, shown};

const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data; boundary=------------------------d74496d66958873e";
pub const CODE: &str = "k3zn1ywlzd2a8ll";

const LOGIN_WRONG: &str = r#"[962,"the username or password is incorrect"]"#;
const UNAVAILABLE: &str = r#"[404,"\u0627\u06cc\u0646 \u0627\u0644\u06af\u0648 \u062f\u0631 \u062f\u0633\u062a\u0631\u0633 \u0646\u06cc\u0633\u062a"]"#;
const PARAMETERS: &str = r#"[970,"\u0645\u062a\u063a\u06cc\u0631\u0647\u0627\u06cc \u0627\u0644\u06af\u0648 \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#;
const WRONG: &str =
    r#"[971,"\u0627\u0644\u06af\u0648 \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#;
const RECIPIENT: &str = r#"[972,"\u06af\u06cc\u0631\u0646\u062f\u0647 \u0627\u0644\u06af\u0648 \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#;
const INACTIVE: &str = r#"[996,"\u0627\u06cc\u0646 \u0627\u0644\u06af\u0648 \u0641\u0639\u0627\u0644 \u0646\u06cc\u0633\u062a"]"#;
const NOT_PERMITTED: &str = r#"[997,"\u0627\u062c\u0627\u0632\u0647 \u0627\u0633\u062a\u0641\u0627\u062f\u0647 \u0627\u0632 \u0627\u06cc\u0646 \u0627\u0644\u06af\u0648 \u0631\u0627 \u0646\u062f\u0627\u0631\u06cc\u062f"]"#;
const KEY_INVALID: &str = r#"[1402,"\u06a9\u0644\u06cc\u062f \u0648\u0628\u200c\u0633\u0631\u0648\u06cc\u0633 \u0645\u0639\u062a\u0628\u0631 \u0646\u06cc\u0633\u062a"]"#;
const KEY_REVOKED: &str = r#"[1403,"\u06a9\u0644\u06cc\u062f \u0648\u0628\u200c\u0633\u0631\u0648\u06cc\u0633 \u0628\u0627\u0637\u0644 \u0634\u062f\u0647 \u0627\u0633\u062a"]"#;
const NOT_ALLOWED: &str = r#"[963,"\u062f\u0633\u062a\u0631\u0633\u06cc \u0628\u0647 \u0627\u06cc\u0646 \u0639\u0645\u0644\u06cc\u0627\u062a \u0646\u062f\u0627\u0631\u06cc\u062f"]"#;
const NO_CREDIT: &str = r#"[5,"\u0627\u0639\u062a\u0628\u0627\u0631 \u062d\u0633\u0627\u0628 \u06a9\u0627\u0641\u06cc \u0646\u06cc\u0633\u062a"]"#;

/// A service with the pattern [`CODE`] of `shop`: `%name%، کد: %code%`.
pub async fn service() -> Service {
    let service = Service::start().await;
    add_pattern(&service, "shop", CODE, "%name%، کد: %code%").await;
    service
}

async fn add_pattern(service: &Service, account: &str, code: &str, text: &str) {
    let variables = if text.contains("%code%") {
        vec![Variable {
            name: "code".into(),
            kind: Kind::Code,
            chars_max: 8,
        }]
    } else {
        Vec::new()
    };
    let new = CreatePattern {
        account: account.into(),
        code: Some(code.into()),
        title: "login".into(),
        text: text.into(),
        variables,
        status: PatternStatus::Active,
    };
    service.app.create_pattern(new).await.unwrap();
}

async fn add_key(service: &Service, settings: ApiKeySettings) -> String {
    let new = CreateKey {
        settings,
        ..CreateKey::default()
    };
    let made = service.app.create_key("shop", new).await.unwrap();
    made.generated.unwrap()
}

fn typed(content_type: &str) -> String {
    format!("Content-Type: {content_type}\r\n")
}

fn multipart(fields: &[(&str, &str)]) -> String {
    let part = |(name, value): &(&str, &str)| {
        format!(
            "--------------------------d74496d66958873e\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
    };
    let parts: String = fields.iter().map(part).collect();
    parts + "--------------------------d74496d66958873e--\r\n"
}

/// The body of an answer of the service; everything else about it is as it must be.
fn body(answer: &str) -> &str {
    answer
        .strip_prefix("HTTP/1.1 200 OK | text/html; charset=UTF-8 | ")
        .unwrap_or_else(|| panic!("no answer of the service: {answer}"))
}

fn sent(name: &str, code: &str) -> Vec<(String, String)> {
    vec![("+989121111111".into(), format!("{name}، کد: {code}"))]
}

#[tokio::test]
async fn every_encoding_of_a_pattern_sends_the_same_message() {
    let service = service().await;
    let json = format!(
        r#"{{"op":"pattern","user":"shop","pass":"p/q 1","fromNum":"3000505","toNum":"09121111111","patternCode":"{CODE}","inputData":[{{"name":"علی"}},{{"code":12345}}]}}"#
    );
    let map = json.replace(
        r#"[{"name":"علی"},{"code":12345}]"#,
        r#"{"name":"علی","code":"12345"}"#,
    );
    let v2 = map.replace(r#""op":"pattern""#, r#""op":"patternV2""#);
    let many = map.replace(r#""09121111111""#, r#"["09121111111"]"#);
    let in_query = map.replace(r#""op":"pattern","#, "");
    let raw = format!(
        r#"op=patternV2&uname=shop&pass=p/q 1&from= +983000505& to=["09121111111"]&patternCode={CODE}&inputData={{"name":"علی","code":"12345"}}"#
    );
    let fields = [
        ("op", "pattern"),
        ("uname", "shop"),
        ("pass", "p/q 1"),
        ("from", "+983000505"),
        ("to", r#"["09121111111"]"#),
        ("pattern_code", CODE),
        ("input_data", r#"{"name":"علی","code":"12345"}"#),
    ];
    let nested = [
        ("op", "pattern"),
        ("uname", "shop"),
        ("pass", "p/q 1"),
        ("fromNum", "3000505"),
        ("toNum[]", "09121111111"),
        ("patternCode", CODE),
        ("inputData[name]", "علی"),
        ("inputData[code]", "12345"),
    ];
    let path = "/services.jspd";
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("JSON, a list of maps", post(path, &typed(JSON), &json)),
        ("JSON, a map", post(path, &typed(JSON), &map)),
        ("patternV2", post("/api/select", &typed(JSON), &v2)),
        ("several recipients", post(path, &typed(JSON), &many)),
        ("JSON as a form", post(path, &typed(FORM), &map)),
        (
            "op in the query",
            post("/services.jspd?op=pattern", &typed(JSON), &in_query),
        ),
        ("C#, not encoded", post(path, &typed(FORM), &raw)),
        (
            "all in a raw query",
            get(&format!("{path}?{}", raw.replace("& to", "&to"))),
        ),
        (
            "PHP cURL with an array",
            post(path, &typed(MULTIPART), &multipart(&fields)),
        ),
        (
            "PHP cURL with nested fields",
            post(path, &typed(MULTIPART), &multipart(&nested)),
        ),
    ];
    for (count, (what, request)) in cases.into_iter().enumerate() {
        let answer = service.ask(request).await;
        assert_eq!(body(&answer), (10_001 + count).to_string(), "{what}");
        assert_eq!(service.messages().await, sent("علی", "12345"), "{what}");
    }
}

#[tokio::test]
async fn the_pattern_page_takes_what_php_writes() {
    let service = service().await;
    let (to, data) = (r#"["09121111111"]"#, r#"{"name":"علی","code":"12345"}"#);
    let query = |to: &str, data: &str| {
        format!(
            "/patterns/pattern?username=shop&password=p%2Fq+1&from=+983000505&to={to}&input_data={data}&pattern_code={CODE}"
        )
    };
    let encoded = "%7B%22name%22%3A%22%D8%B9%D9%84%DB%8C%22%2C%22code%22%3A%2212345%22%7D";
    let twice = encoded.replace('%', "%25");
    let variables = multipart(&[("name", "علی"), ("code", "12345"), ("to", "0")]);
    let as_json = r#"{"name":"علی","code":12345}"#;
    let no_data = query("09121111111", "").replace("&input_data=", "");
    let everything = format!(
        r#"{{"username":"shop","password":"p/q 1","from":"3000505","to":["09121111111"],"input_data":{data},"pattern_code":"{CODE}"}}"#
    );
    let slash = query(to, data).replace("pattern?", "pattern/?");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("GET with raw quotes", get(&query(to, data))),
        ("GET, the values encoded", get(&query(to, encoded))),
        ("GET, the values encoded twice", get(&query(to, &twice))),
        ("a plain number", get(&query("09121111111", encoded))),
        ("a JSON string", get(&query("\"09121111111\"", encoded))),
        ("a slash at the end", get(&slash)),
        (
            "POST that repeats the variables",
            post(&query(to, encoded), &typed(MULTIPART), &variables),
        ),
        (
            "POST with the variables in the body alone",
            post(&no_data, &typed(MULTIPART), &variables),
        ),
        (
            "POST with the variables as JSON alone",
            post(&no_data, &typed(JSON), as_json),
        ),
        (
            "POST with everything as JSON",
            post("/patterns/pattern", &typed(JSON), &everything),
        ),
        (
            "POST with the query as its form",
            post(
                "/patterns/pattern",
                &typed(FORM),
                query(to, data).split_once('?').unwrap().1,
            ),
        ),
    ];
    for (count, (what, request)) in cases.into_iter().enumerate() {
        let answer = service.ask(request).await;
        assert_eq!(body(&answer), (10_001 + count).to_string(), "{what}");
        assert_eq!(service.messages().await, sent("علی", "12345"), "{what}");
    }
}

#[tokio::test]
async fn a_variable_never_takes_the_place_of_a_parameter_or_the_password() {
    let service = service().await;
    add_pattern(&service, "shop", "hostile", "to %to%, %password%!").await;
    let target = "/patterns/pattern?username=shop&password=p/q+1&from=3000505&to=09121111111&pattern_code=hostile";
    let variables = multipart(&[("to", "09350000000"), ("password", "x")]);
    let answer = service
        .ask(post(target, &typed(MULTIPART), &variables))
        .await;
    assert_eq!(body(&answer), PARAMETERS, "the login fills no variable");
    let data = r#"&input_data={"to":"Shiraz","password":"%to%"}"#;
    let target = format!("{target}{data}");
    let answer = service
        .ask(post(&target, &typed(MULTIPART), &variables))
        .await;
    assert_eq!(body(&answer), "10001");
    let text = "to Shiraz, %to%!".to_owned();
    assert_eq!(
        service.messages().await,
        [("+989121111111".to_owned(), text)]
    );
}

#[tokio::test]
async fn what_a_pattern_refuses_it_refuses_in_this_order() {
    let service = service().await;
    let app = &service.app;
    service
        .add_account("other", AccountSettings::default())
        .await;
    let set = async |change: ChangePattern| {
        app.change_pattern(CODE, change).await.unwrap();
    };
    let status = |status| ChangePattern {
        status: Some(status),
        ..ChangePattern::default()
    };
    let ask = async |login: &str, code: &str, data: &str, to: &str| {
        let form = format!(
            "{login}&op=pattern&fromNum=50009999&toNum={to}&patternCode={code}&inputData={data}"
        );
        service.bare_form(&form).await
    };
    let other = "uname=other&pass=p/q+1";
    let good = r#"{"code":"12","name":"a"}"#;

    set(status(PatternStatus::Rejected)).await;
    assert_eq!(
        ask("uname=shop&pass=no", "", "x", "y").await,
        LOGIN_WRONG,
        "the login goes first"
    );
    assert_eq!(ask(LOGIN, "", "x", "y").await, WRONG);
    assert_eq!(ask(LOGIN, "<script>", "x", "y").await, WRONG);
    assert_eq!(ask(LOGIN, "unknown", "x", "y").await, UNAVAILABLE);
    assert_eq!(
        ask(other, CODE, "{}", "y").await,
        UNAVAILABLE,
        "another's looks like none"
    );
    app.grant_pattern(CODE, "other", true).await.unwrap();
    assert_eq!(ask(other, CODE, "{}", "y").await, WRONG, "rejected");
    app.grant_pattern(CODE, "other", false).await.unwrap();
    assert_eq!(ask(other, CODE, "{}", "y").await, NOT_PERMITTED);
    set(status(PatternStatus::Waiting)).await;
    assert_eq!(ask(LOGIN, CODE, "{}", "y").await, INACTIVE);
    set(status(PatternStatus::Inactive)).await;
    assert_eq!(ask(LOGIN, CODE, "{}", "y").await, INACTIVE);
    set(status(PatternStatus::Active)).await;
    for data in [
        "",
        "{}",
        r#"{"code":"12"}"#,
        r#"{"name":"a"}"#,
        r#"{"code":"12","name":"a","more":"b"}"#,
        r#"{"code":"123456789","name":"a"}"#,
        r#"{"code":"1 2","name":"a"}"#,
        r#"{"code":"","name":"a"}"#,
        r#"{"code":["12"],"name":"a"}"#,
        "[12]",
        "12",
    ] {
        assert_eq!(ask(LOGIN, CODE, data, "y").await, PARAMETERS, "{data}");
    }
    assert_eq!(ask(LOGIN, CODE, good, "y").await, RECIPIENT);
    assert_eq!(ask(LOGIN, CODE, good, "").await, RECIPIENT);
    let line = ask(LOGIN, CODE, good, "09121111111").await;
    assert!(line.starts_with("[3,\""), "{line}");
    assert!(service.messages().await.is_empty());
}

#[tokio::test]
async fn without_credit_a_pattern_is_5() {
    let service = service().await;
    let all = domain::money::Rials(50 - 933_222);
    service.app.top_up("shop", all, None).await.unwrap();
    let form = format!(
        r#"op=pattern&fromNum=3000505&toNum=09121111111&patternCode={CODE}&inputData={{"code":"1","name":""}}"#
    );
    assert_eq!(service.form(&form).await, NO_CREDIT);
}

#[tokio::test]
async fn a_pattern_of_another_may_be_used_with_its_leave_and_is_paid_by_the_user() {
    let service = service().await;
    let app = &service.app;
    service
        .add_account("other", AccountSettings::default())
        .await;
    app.grant_pattern(CODE, "other", true).await.unwrap();
    let form = format!(
        r#"uname=other&pass=p/q+1&op=patternV2&fromNum=3000505&toNum=09121111111&patternCode={CODE}&inputData={{"code":"1","name":"b"}}"#
    );
    assert_eq!(service.bare_form(&form).await, "10001");
    assert_eq!(service.form("op=credit").await, r#"[0,"933222"]"#);
    let credit = service.bare_form("uname=other&pass=p/q+1&op=credit").await;
    assert_eq!(credit, r#"[0,"933122"]"#);
}

#[tokio::test]
async fn the_same_key_of_a_request_sends_once_also_after_the_pattern_was_switched_off() {
    let service = service().await;
    let form = format!(
        r#"op=pattern&localid=order-7&fromNum=3000505&toNum=09121111111&patternCode={CODE}&inputData={{"code":"1","name":""}}"#
    );
    assert_eq!(service.form(&form).await, "10001");
    let off = ChangePattern {
        status: Some(PatternStatus::Inactive),
        ..ChangePattern::default()
    };
    service.app.change_pattern(CODE, off).await.unwrap();
    assert_eq!(service.form(&form).await, "10001");
    assert_eq!(service.messages().await, sent("", "1"));
}

#[tokio::test]
async fn a_pattern_tells_what_it_says_and_needs() {
    let service = service().await;
    let expected = r#"{"status":{"code":0,"message":"\u0627\u0646\u062c\u0627\u0645 \u0634\u062f"},"data":{"patternMessage":"%name%\u060c \u06a9\u062f: %code%","patternParams":["name","code"]}}"#;
    for op in ["patternInfo", "getPatternParams"] {
        let form = format!("op={op}&patternCode={CODE}");
        assert_eq!(service.form(&form).await, expected);
        let json =
            format!(r#"{{"op":"{op}","user":"shop","pass":"p/q 1","patternCode":"{CODE}"}}"#);
        assert_eq!(body(&service.post(JSON, &json).await), expected);
    }
    assert_eq!(
        service.form("op=patternInfo&patternCode=other").await,
        r#"{"status":{"code":404,"message":"\u0627\u06cc\u0646 \u0627\u0644\u06af\u0648 \u062f\u0631 \u062f\u0633\u062a\u0631\u0633 \u0646\u06cc\u0633\u062a"},"data":null}"#
    );
    let bad_login = format!("uname=shop&pass=no&op=patternInfo&patternCode={CODE}");
    assert_eq!(service.bare_form(&bad_login).await, LOGIN_WRONG);
}

#[tokio::test]
async fn a_pattern_that_an_account_may_not_use_any_more_tells_it_nothing() {
    let service = service().await;
    service
        .add_account("other", AccountSettings::default())
        .await;
    service
        .app
        .grant_pattern(CODE, "other", true)
        .await
        .unwrap();
    service
        .app
        .grant_pattern(CODE, "other", false)
        .await
        .unwrap();
    let form = format!("uname=other&pass=p/q+1&op=patternInfo&patternCode={CODE}");
    assert_eq!(
        service.bare_form(&form).await,
        r#"{"status":{"code":997,"message":"\u0627\u062c\u0627\u0632\u0647 \u0627\u0633\u062a\u0641\u0627\u062f\u0647 \u0627\u0632 \u0627\u06cc\u0646 \u0627\u0644\u06af\u0648 \u0631\u0627 \u0646\u062f\u0627\u0631\u06cc\u062f"},"data":null}"#
    );
}

#[tokio::test]
async fn the_key_form_sends_by_a_key_alone() {
    let service = service().await;
    let key = add_key(&service, ApiKeySettings::default()).await;
    let query = format!(
        "/?apikey={key}&pid={CODE}&fnum=3000505&tnum=09121111111&p1=code&v1=12345&p2=name&v2=علی رضا"
    );
    assert_eq!(body(&service.ask(get(&query)).await), "10001");
    assert_eq!(service.messages().await, sent("علی رضا", "12345"));
    let form = format!(
        "apikey={key}&pid={CODE}&fnum=%2B983000505&tnum=%5B%2209121111111%22%5D&p1=name&v1=&p2=CODE&v2=1"
    );
    let answer = service.ask(post("/", &typed(FORM), &form)).await;
    assert_eq!(
        body(&answer),
        "10002",
        "in a body, where no log sees the key"
    );
    assert_eq!(service.messages().await, sent("", "1"));
    for (wrong, expected) in [
        (query.replace(&key, "wrong"), KEY_INVALID),
        (query.replace(&key, ""), KEY_INVALID),
        (query.replace(CODE, "other"), UNAVAILABLE),
        (query.replace("p1=code", "p1=cod"), PARAMETERS),
        (query.replace("tnum=09121111111", "tnum="), RECIPIENT),
    ] {
        assert_eq!(body(&service.ask(get(&wrong)).await), expected, "{wrong}");
    }
    let answer = service.ask(post("/", &typed(FORM), "")).await;
    assert_eq!(body(&answer), KEY_INVALID);
    let with_password = query.replace(&format!("apikey={key}"), "apikey=x&uname=shop&pass=p/q+1");
    assert_eq!(
        body(&service.ask(get(&with_password)).await),
        KEY_INVALID,
        "a password is no key"
    );
    insta::assert_snapshot!(service.ask(get("/")).await, @"HTTP/1.1 200 OK | text/plain; charset=utf-8 | peyk is running. The web service is at /services.jspd, its documentation at /docs, the console at /console");
    let head = String::from_utf8(get(&query))
        .unwrap()
        .replacen("GET", "HEAD", 1);
    insta::assert_snapshot!(service.ask(head).await, @"HTTP/1.1 200 OK | text/html; charset=UTF-8 |");
    assert!(service.messages().await.is_empty(), "HEAD sends nothing");
}

#[tokio::test]
async fn the_key_form_may_have_a_listener_of_its_own_with_nothing_else_on_it() {
    let service = service().await;
    let key = add_key(&service, ApiKeySettings::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let app = service.app.clone();
    let keys = web::serve_keys(listener, app, WebSettings::default(), stopped);
    let keys = tokio::spawn(keys);
    let ask = async |request: Vec<u8>| shown(&service.exchange_at(address, request).await);
    let query =
        format!("/?apikey={key}&pid={CODE}&fnum=3000505&tnum=09121111111&p1=code&v1=1&p2=name&v2=");
    assert_eq!(body(&ask(get(&query)).await), "10001");
    assert_eq!(body(&ask(get("/")).await), KEY_INVALID);
    insta::assert_snapshot!(ask(get("/services.jspd")).await, @"HTTP/1.1 404 Not Found | text/plain; charset=utf-8 | there is nothing here; the web service is at /services.jspd");
    insta::assert_snapshot!(ask(get("/metrics")).await, @"HTTP/1.1 404 Not Found | text/plain; charset=utf-8 | there is nothing here; the web service is at /services.jspd");
    stop.send_replace(true);
    keys.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_key_stands_in_place_of_name_and_password_in_the_whole_service() {
    let service = service().await;
    let settings = ApiKeySettings {
        operations: Some(vec!["credit".into(), "pattern".into()]),
        ..ApiKeySettings::default()
    };
    let key = add_key(&service, settings).await;
    let credit = r#"[0,"933222"]"#;
    let ask = async |form: &str| service.bare_form(form).await;
    assert_eq!(ask(&format!("apikey={key}&op=credit")).await, credit);
    assert_eq!(
        ask(&format!("ApiKey={key}&op=credit&uname=&pass=")).await,
        credit
    );
    let json = format!(r#"{{"apikey":"{key}","op":"credit"}}"#);
    assert_eq!(body(&service.post(JSON, &json).await), credit);
    assert_eq!(
        ask(&format!("apikey=other&op=credit&{LOGIN}")).await,
        credit,
        "beside a name it is any unknown parameter"
    );
    assert_eq!(
        ask(&format!("apikey={key}&op=credit&uname=shop&pass=no")).await,
        LOGIN_WRONG
    );
    assert_eq!(ask(&format!("apikey={key}&op=lines")).await, NOT_ALLOWED);
    assert_eq!(ask(&format!("apikey={key}&op=nothing")).await, NOT_ALLOWED);
    assert_eq!(ask("apikey=other&op=credit").await, KEY_INVALID);
    assert_eq!(ask("apikey=&op=credit").await, LOGIN_WRONG);
    let page = format!(
        r#"/patterns/pattern?apikey={key}&from=3000505&to=["09121111111"]&input_data={{"code":"1","name":""}}&pattern_code={CODE}"#
    );
    assert_eq!(body(&service.ask(get(&page)).await), "10001");
}

#[tokio::test]
async fn a_key_ends_when_it_is_revoked_or_expires_and_keeps_to_its_addresses() {
    let service = service().await;
    let key = add_key(&service, ApiKeySettings::default()).await;
    let form = format!("apikey={key}&op=credit");
    assert_eq!(service.bare_form(&form).await, r#"[0,"933222"]"#);
    service.app.revoke_key("shop", KeyNo(1)).await.unwrap();
    assert_eq!(service.bare_form(&form).await, KEY_REVOKED);

    let new = CreateKey {
        expires_at: Some(service.clock.now().plus_seconds(60)),
        ..CreateKey::default()
    };
    let made = service.app.create_key("shop", new).await.unwrap();
    let form = format!("apikey={}&op=credit", made.generated.unwrap());
    assert_eq!(service.bare_form(&form).await, r#"[0,"933222"]"#);
    let later: UnixMillis = service.clock.now().plus_seconds(60);
    service.clock.set(later);
    assert_eq!(service.bare_form(&form).await, KEY_REVOKED);

    let elsewhere = ApiKeySettings {
        allow_from: vec!["192.0.2.0/24".into()],
        ..ApiKeySettings::default()
    };
    let key = add_key(&service, elsewhere).await;
    let answer = service.bare_form(&format!("apikey={key}&op=credit")).await;
    assert_eq!(answer, "deny");
}

#[tokio::test]
async fn hostile_values_harm_nothing() {
    let service = service().await;
    let ask = async |name: &str| {
        let json = format!(
            r#"{{"op":"pattern","user":"shop","pass":"p/q 1","fromNum":"3000505","toNum":"09121111111","patternCode":"{CODE}","inputData":{{"code":"1","name":"{name}"}}}}"#
        );
        body(&service.post(JSON, &json).await).to_owned()
    };
    assert_eq!(ask("%code%").await, "10001");
    assert_eq!(service.messages().await, sent("%code%", "1"));
    assert_eq!(ask("<script>=HYPERLINK(1)").await, "10002");
    assert_eq!(service.messages().await, sent("<script>=HYPERLINK(1)", "1"));
    for name in [r"\u0000", r"\u202eabc", r"\u001b[2J", &"x".repeat(65_536)] {
        assert_eq!(ask(name).await, PARAMETERS);
    }
}
