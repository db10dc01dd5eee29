use serde_json::json;

use super::*;

fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\">\
         <soap:Body>{body}</soap:Body></soap:Envelope>"
    )
}

fn call(body: &str) -> Result<Call, CallError> {
    read(envelope(body).as_bytes())
}

fn parameters(body: &str) -> Json {
    let call = call(body).unwrap();
    let given = call.parameters.into_iter();
    Json::Object(given.map(|(name, value)| (name.into(), value)).collect())
}

#[test]
fn arguments_are_taken_by_name_in_any_order() {
    let body = "<m:GetDelivery xmlns:m=\"urn:x\"><uniqid>10001</uniqid><PASS>p</PASS>\
                <user>shop</user></m:GetDelivery>";
    assert_eq!(
        parameters(body),
        json!({"uname": "shop", "pass": "p", "uniqid": "10001"})
    );
    assert_eq!(call(body).unwrap().namespace, "urn:x");
}

#[test]
fn arguments_without_known_names_are_taken_by_place() {
    assert_eq!(
        parameters(
            "<GetDelivery><param0>shop</param0><param1>p</param1><param2>7</param2></GetDelivery>"
        ),
        json!({"uname": "shop", "pass": "p", "uniqid": "7"})
    );
    // One that is named, and one beyond the last place.
    assert_eq!(
        parameters("<GetCredit><a>shop</a><pass>p</pass><c>more</c></GetCredit>"),
        json!({"uname": "shop", "pass": "p"})
    );
}

#[test]
fn lists_are_arrays_texts_or_referred_to() {
    let wanted = json!({"to": ["0912", "0935"]});
    for body in [
        "<SendSMS><toNum><item>0912</item><item>0935</item></toNum></SendSMS>",
        "<SendSMS><toNum><string>0912</string><string>0935</string></toNum></SendSMS>",
        "<SendSMS><toNum href=\"#id1\"/></SendSMS>\
         <soapenc:Array id=\"id1\"><Item>0912</Item><Item>0935</Item></soapenc:Array>",
        "<SendSMS><toNum href=\"#a\"/></SendSMS><multiRef id=\"a\"><i href=\"#b\"/><i>0935</i></multiRef>\
         <multiRef id=\"b\">0912</multiRef>",
    ] {
        assert_eq!(parameters(body), wanted, "{body}");
    }
    assert_eq!(
        parameters("<SendSMS><toNum>0912,0935</toNum><time xsi:nil=\"true\">x</time></SendSMS>"),
        json!({"to": "0912,0935"})
    );
}

#[test]
fn maps_are_those_of_apache_lists_of_maps_or_structures() {
    let item = |key: &str, value: &str| {
        format!("<item><key xsi:type=\"xsd:string\">{key}</key><value>{value}</value></item>")
    };
    let apache = item("name", "علی") + &item("code", "12");
    let cases = [
        (apache, json!({"name": "علی", "code": "12"})),
        (
            format!(
                "<item>{}</item><item>{}</item>",
                item("name", "a"),
                item("code", "1")
            ),
            json!([{"name": "a"}, {"code": "1"}]),
        ),
        (
            "<name>a</name><code>1</code>".into(),
            json!({"name": "a", "code": "1"}),
        ),
        ("<name>a</name>".into(), json!({"name": "a"})),
        (r#"{"name":"a"}"#.into(), json!(r#"{"name":"a"}"#)),
    ];
    for (inner, wanted) in cases {
        let body = format!("<sendPatternSms><input_data>{inner}</input_data></sendPatternSms>");
        assert_eq!(parameters(&body), json!({ "inputdata": wanted }), "{inner}");
    }
}

#[test]
fn references_that_grow_or_lead_nowhere_are_refused() {
    let round =
        "<SendSMS><toNum href=\"#a\"/></SendSMS><r id=\"a\" href=\"#b\"/><r id=\"b\" href=\"#a\"/>";
    let nowhere = "<SendSMS><toNum href=\"#a\"/></SendSMS>";
    let long = "9".repeat(1_000);
    let many = "<i href=\"#b\"/>".repeat(10_000);
    let grows = format!(
        "<SendSMS><toNum href=\"#a\"/></SendSMS><r id=\"a\">{many}</r><r id=\"b\">{long}</r>"
    );
    let mut laughs = "<sendPatternSms><input_data href=\"#l0\"/></sendPatternSms>".to_owned();
    for level in 0..20 {
        let next = level + 1;
        laughs += &format!("<r id=\"l{level}\">");
        laughs += &format!("<item href=\"#l{next}\"/>").repeat(10);
        laughs += "</r>";
    }
    laughs += "<r id=\"l20\">ha</r>";
    for body in [round, nowhere, &grows, &laughs] {
        let error = call(body).unwrap_err();
        assert_eq!(error, CallError::Reference, "{:.80}", body);
    }
}

#[test]
fn what_is_no_call_is_said_so() {
    for (body, error) in [
        ("", CallError::NoCall),
        ("<DropTables/>", CallError::NoMethod),
        ("<GetCredit>", CallError::Xml(XmlError::Malformed)),
    ] {
        assert_eq!(call(body).unwrap_err(), error, "{body}");
    }
    assert_eq!(read(b"<a/>").unwrap_err(), CallError::NoCall);
    assert_eq!(
        read(b"<Envelope><Header/></Envelope>").unwrap_err(),
        CallError::NoCall
    );
    let newer =
        format!("<e:Envelope xmlns:e=\"{SOAP12}\"><e:Body><GetCredit/></e:Body></e:Envelope>");
    assert_eq!(read(newer.as_bytes()).unwrap().version, Version::Soap12);
}
