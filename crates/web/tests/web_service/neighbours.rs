//! Contract, section 5: the page that sends by one address, SOAP, and tickets.

use app::{Notice, TicketForm, Told};
use domain::account::AccountSettings;
use web::{Probes, WebSettings};

use crate::fixture::{FORM, LOGIN, NOW, Service, get, header, post};

const SEND_URL: &str = "/class/sms/webservice/send_url.php";
const SOAP: &str = "/class/sms/wsdlservice/server.php";

/// What a method gives back, with everything around it as it must be.
fn returned<'a>(answer: &'a str, method: &str) -> &'a str {
    let before = format!(
        "HTTP/1.1 200 OK | text/xml; charset=utf-8 | <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:SOAP-ENC=\"http://schemas.xmlsoap.org/soap/encoding/\"><SOAP-ENV:Body>\
         <ns1:{method}Response xmlns:ns1=\"urn:smsserver\" \
         SOAP-ENV:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\">\
         <return xsi:type=\"xsd:string\">"
    );
    let after = format!("</return></ns1:{method}Response></SOAP-ENV:Body></SOAP-ENV:Envelope>\n");
    let inner = answer.strip_prefix(&before);
    let inner = inner.and_then(|rest| rest.strip_suffix(&after));
    inner.unwrap_or_else(|| panic!("{answer}"))
}

fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SOAP-ENV:Envelope \
         xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:ns1=\"urn:smsserver\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:SOAP-ENC=\"http://schemas.xmlsoap.org/soap/encoding/\"><SOAP-ENV:Body>{body}\
         </SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )
}

impl Service {
    /// What a call gives back; its arguments are XML.
    async fn call(&self, method: &str, arguments: &str) -> String {
        let body = envelope(&format!("<ns1:{method}>{arguments}</ns1:{method}>"));
        let headers = "Content-Type: text/xml; charset=utf-8\r\nSOAPAction: \"\"\r\n";
        let answer = self
            .ask(post(&format!("{SOAP}?wsdl"), headers, &body))
            .await;
        returned(&answer, method).to_owned()
    }

    /// As [`Service::call`], with the login of `shop` behind the arguments.
    async fn own_call(&self, method: &str, arguments: &str) -> String {
        let login = "<user>shop</user><pass>p/q 1</pass>";
        self.call(method, &format!("{arguments}{login}")).await
    }
}

#[tokio::test]
async fn the_page_that_sends_by_one_address_answers_the_bare_number() {
    let service = Service::start().await;
    let query = "uname=shop&pass=p/q 1&from=3000505&to=09121111111,09122222222&msg=سلام \"<a>\" 5%";
    let answer = service.ask(get(&format!("{SEND_URL}?{query}"))).await;
    insta::assert_snapshot!(answer, @"HTTP/1.1 200 OK | text/html; charset=UTF-8 | 10001");
    let body = format!("{LOGIN}&op=credit&from=3000505&to=09121111111&msg=a");
    let headers = format!("Content-Type: {FORM}\r\n");
    let answer = service.ask(post(SEND_URL, &headers, &body)).await;
    insta::assert_snapshot!(answer, @"HTTP/1.1 200 OK | text/html; charset=UTF-8 | 10002");
    assert_eq!(
        service.messages().await,
        [
            ("+989121111111".to_owned(), "a".to_owned()),
            ("+989121111111".to_owned(), "سلام \"<a>\" 5%".to_owned()),
            ("+989122222222".to_owned(), "سلام \"<a>\" 5%".to_owned()),
        ]
    );
}

#[tokio::test]
async fn the_page_that_sends_by_one_address_refuses_with_an_array() {
    let service = Service::start().await;
    let ask = |query: String| {
        let target = format!("{SEND_URL}?{query}");
        let service = &service;
        async move { service.ask(get(&target)).await }
    };
    insta::assert_snapshot!(ask("uname=shop&pass=x&from=3000505&to=09121111111&msg=a".into()).await, @r#"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [962,"the username or password is incorrect"]"#);
    insta::assert_snapshot!(ask(format!("{LOGIN}&from=3000505&to=09121111111&msg=")).await, @r#"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [1,"\u0645\u062a\u0646 \u067e\u06cc\u0627\u0645 \u062e\u0627\u0644\u06cc \u0627\u0633\u062a"]"#);
    let settings = AccountSettings {
        operations: Some(vec!["credit".into()]),
        ..AccountSettings::default()
    };
    service.add_account("other", settings).await;
    let answer = ask("uname=other&pass=p/q+1&op=credit&from=1&to=2&msg=a".into()).await;
    assert!(answer.contains("| [963,"), "{answer}");
    let settings = AccountSettings {
        allow_from: vec!["192.0.2.1".into()],
        ..AccountSettings::default()
    };
    service.add_account("elsewhere", settings).await;
    let answer = ask("uname=elsewhere&pass=p/q+1&from=1&to=2&msg=a".into()).await;
    insta::assert_snapshot!(answer, @"HTTP/1.1 200 OK | text/html; charset=UTF-8 | deny");
    let head = format!(
        "HEAD {SEND_URL}?{LOGIN}&from=3000505&to=09121111111&msg=a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    );
    assert!(service.exchange(head).await.starts_with("HTTP/1.1 200 OK"));
    assert_eq!(service.messages().await, []);
}

#[tokio::test]
async fn soap_sends_to_lists_and_texts_by_name_and_by_place() {
    let service = Service::start().await;
    let list = "<toNum SOAP-ENC:arrayType=\"xsd:string[2]\" xsi:type=\"SOAP-ENC:Array\">\
                <item xsi:type=\"xsd:string\">09121111111</item>\
                <item xsi:type=\"xsd:string\">0912 222 2222</item></toNum>";
    let named = format!(
        "<fromNum xsi:type=\"xsd:string\">+983000505</fromNum>{list}\
         <messageContent xsi:type=\"xsd:string\">سلام &amp; &lt;b&gt;<![CDATA[ <c>]]></messageContent>\
         <time xsi:nil=\"true\"/><op>send</op>"
    );
    assert_eq!(service.own_call("SendSMS", &named).await, "10001");
    let placed = "<param0>3000505</param0><param1>09121111111,09123333333</param1>\
                  <param2>b</param2><param3>shop</param3><param4>p/q 1</param4>\
                  <param5></param5><param6>send</param6>";
    assert_eq!(service.call("SendSMS", placed).await, "10002");
    let each = format!(
        "<fromNum>3000505</fromNum>{list}<messageContent><item>c</item><item>d</item>\
         </messageContent><op>pointtopoint</op>"
    );
    assert_eq!(service.own_call("SendSMS", &each).await, "10003");
    let message = |number: &str, text: &str| (number.to_owned(), text.to_owned());
    let (one, two, three) = ("+989121111111", "+989122222222", "+989123333333");
    assert_eq!(
        service.messages().await,
        [
            message(one, "b"),
            message(one, "c"),
            message(one, "سلام & <b> <c>"),
            message(two, "d"),
            message(two, "سلام & <b> <c>"),
            message(three, "b"),
        ]
    );
}

#[tokio::test]
async fn every_soap_method_answers_what_its_operation_does() {
    let service = Service::start().await;
    let sent = "<fromNum>3000505</fromNum><toNum>09121111111</toNum>\
                <messageContent>a</messageContent><time>2026-12-01</time>";
    assert_eq!(service.own_call("SendSMS", sent).await, "10001");
    insta::assert_snapshot!(service.own_call("GetCredit", "").await, @"933122");
    insta::assert_snapshot!(service.own_call("GetUsertime", "").await, @"2030-01-01 00:00:00");
    insta::assert_snapshot!(service.own_call("GetLines", "").await, @r#"[&quot;{\&quot;number\&quot;:\&quot;+983000505\&quot;,\&quot;send\&quot;:\&quot;1\&quot;,\&quot;gets\&quot;:\&quot;1\&quot;}&quot;]"#);
    insta::assert_snapshot!(service.own_call("GetDelivery", "<uniqid>10001</uniqid>").await, @"[&quot;+989121111111:notsync&quot;]");
    insta::assert_snapshot!(service.own_call("GetDelivery", "<uniqid>9</uniqid>").await, @"null");
    insta::assert_snapshot!(service.own_call("CheckMessage", "<messageid>10001</messageid>").await, @"{&quot;statusMessage&quot;:&quot;Active&quot;,&quot;validMessage&quot;:&quot;approve&quot;}");
    insta::assert_snapshot!(service.own_call("deleteperiod", "<bulkid>10001</bulkid>").await, @"455");
    insta::assert_snapshot!(service.own_call("deleteperiod", "<bulkid>10001</bulkid>").await, @"456");
    let ticket = "<subject>a</subject><description>b</description><type>problem</type>\
                  <importance>low</importance><sms_notification>no</sms_notification><file></file>";
    insta::assert_snapshot!(service.own_call("AddTicket", ticket).await, @"10001");
}

#[tokio::test]
async fn soap_refuses_in_the_order_of_the_web_service() {
    let service = Service::start().await;
    let restricted = AccountSettings {
        restricted: true,
        ..AccountSettings::default()
    };
    let elsewhere = AccountSettings {
        allow_from: vec!["192.0.2.1".into()],
        ..AccountSettings::default()
    };
    let few = AccountSettings {
        operations: Some(vec!["credit".into()]),
        ..AccountSettings::default()
    };
    service.add_account("restricted", restricted).await;
    service.add_account("elsewhere", elsewhere).await;
    service.add_account("few", few).await;
    let call = |user: &str, pass: &str| {
        let arguments = format!(
            "<user>{user}</user><pass>{pass}</pass><subject/><description/><type/><importance/>"
        );
        let service = &service;
        async move { service.call("AddTicket", &arguments).await }
    };
    insta::assert_snapshot!(call("shop", "x").await, @"[962,&quot;the username or password is incorrect&quot;]");
    insta::assert_snapshot!(call("elsewhere", "p/q 1").await, @"deny");
    let code = |answer: String| answer.split(',').next().unwrap_or_default().to_owned();
    assert_eq!(code(call("restricted", "p/q 1").await), "[2");
    assert_eq!(code(call("few", "p/q 1").await), "[963");
    assert_eq!(code(call("shop", "p/q 1").await), "[422");
    let odd = "<fromNum>3000505</fromNum><toNum>1</toNum><messageContent>a</messageContent>";
    let mode = format!("{odd}<op>credit</op>");
    assert_eq!(code(service.own_call("SendSMS", &mode).await), "[963");
    assert_eq!(code(service.own_call("SendSMS", odd).await), "[4");
}

#[tokio::test]
async fn old_net_and_http_1_0_clients_are_understood() {
    let service = Service::start().await;
    // As a .NET proxy writes it: the list behind the method, its own prefixes, an action.
    let net = "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope \
        xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" \
        xmlns:soapenc=\"http://schemas.xmlsoap.org/soap/encoding/\" xmlns:tns=\"urn:theirs\" \
        xmlns:types=\"urn:theirs/encodedTypes\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
        xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"><soap:Body \
        soap:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><tns:SendSMS>\
        <fromNum xsi:type=\"xsd:string\">3000505</fromNum><toNum href=\"#id1\" />\
        <messageContent xsi:type=\"xsd:string\">a</messageContent>\
        <user xsi:type=\"xsd:string\">shop</user><pass xsi:type=\"xsd:string\">p/q 1</pass>\
        <time xsi:type=\"xsd:string\" /><op xsi:type=\"xsd:string\">send</op></tns:SendSMS>\
        <soapenc:Array id=\"id1\" soapenc:arrayType=\"xsd:string[1]\"><Item>09121111111</Item>\
        </soapenc:Array></soap:Body></soap:Envelope>";
    let headers = "Content-Type: text/xml; charset=utf-8\r\nSOAPAction: \"urn:theirs#SendSMS\"\r\n\
                   Expect: 100-continue\r\n";
    let answer = service.ask(post(SOAP, headers, net)).await;
    assert!(
        answer.contains("<ns1:SendSMSResponse xmlns:ns1=\"urn:theirs\" "),
        "{answer}"
    );
    assert!(answer.contains(">10001</return>"), "{answer}");
    // As nusoap does, over HTTP/1.0 and without an action.
    let body = envelope(
        "<ns1:GetCredit xmlns:ns1=\"urn:smsserver\"><user>shop</user><pass>p/q 1</pass></ns1:GetCredit>",
    );
    let length = body.len();
    let old = format!(
        "POST {SOAP}?wsdl HTTP/1.0\r\nUser-Agent: NuSOAP\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let reply = service.exchange(old).await;
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200 OK"), "{head}");
    let told = header(head, "content-length").unwrap();
    assert_eq!(told.parse(), Ok(body.len()));
    assert!(body.contains(">933122</return>"), "{body}");
}

#[tokio::test]
async fn a_report_of_thousands_is_one_soap_text() {
    let service = Service::start().await;
    let numbers: Vec<String> = (0..2_500).map(|n| format!("0912{n:07}")).collect();
    let items: Vec<String> = numbers.iter().map(|n| format!("<i>{n}</i>")).collect();
    let sent = format!(
        "<fromNum>3000505</fromNum><toNum>{}</toNum><messageContent>a</messageContent>",
        items.concat()
    );
    assert_eq!(service.own_call("SendSMS", &sent).await, "10001");
    let report = service
        .own_call("GetDelivery", "<uniqid>10001</uniqid>")
        .await;
    let expected: Vec<String> = numbers
        .iter()
        .map(|n| format!("&quot;+98{}:notsync&quot;", &n[1..]))
        .collect();
    assert_eq!(report, format!("[{}]", expected.join(",")));
}

#[tokio::test]
async fn requests_that_are_no_call_are_faults() {
    let service = Service::start().await;
    let ask = |body: &str| {
        let request = post(SOAP, "Content-Type: text/xml\r\n", body);
        let service = &service;
        async move {
            let answer = service.ask(request).await;
            let (status, body) = answer.split_once(" | text/xml; charset=utf-8 | ").unwrap();
            assert_eq!(status, "HTTP/1.1 500 Internal Server Error");
            let fault = body.split("<SOAP-ENV:Fault>").nth(1).unwrap();
            fault.split("</faultstring>").next().unwrap().to_owned()
        }
    };
    insta::assert_snapshot!(ask("").await, @"<faultcode>SOAP-ENV:Client</faultcode><faultstring>the request is not well-formed XML");
    insta::assert_snapshot!(ask("op=send&uname=shop").await, @"<faultcode>SOAP-ENV:Client</faultcode><faultstring>the request is not well-formed XML");
    let bomb = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><x>&b;</x>";
    insta::assert_snapshot!(ask(bomb).await, @"<faultcode>SOAP-ENV:Client</faultcode><faultstring>the request has a document type, which SOAP forbids");
    insta::assert_snapshot!(ask(&envelope("<ns1:Drop/>")).await, @"<faultcode>SOAP-ENV:Client</faultcode><faultstring>the service has no such method");
    insta::assert_snapshot!(ask(&envelope("<GetCredit><user href=\"#a\"/></GetCredit>")).await, @"<faultcode>SOAP-ENV:Client</faultcode><faultstring>a reference in the request leads nowhere, or to too much");
    let deep = "<a>".repeat(200_000);
    insta::assert_snapshot!(ask(&deep).await, @"<faultcode>SOAP-ENV:Client</faultcode><faultstring>the request is nested too deep, or has too many elements or attributes");
}

#[tokio::test]
async fn the_wsdl_names_the_address_that_the_client_asked() {
    let service = Service::start().await;
    for target in [format!("{SOAP}?wsdl"), format!("{SOAP}?WSDL"), SOAP.into()] {
        let answer = service.ask(get(&target)).await;
        let start = "HTTP/1.1 200 OK | text/xml; charset=utf-8 | <?xml version=\"1.0\"";
        assert!(answer.starts_with(start), "{answer}");
        assert!(answer.contains("<service name=\"smsserver\">"), "{answer}");
        let address = format!("<soap:address location=\"http://sms.example{SOAP}\"/>");
        assert!(answer.contains(&address), "{answer}");
    }
    let settings = WebSettings {
        public_url: "https://sms.example.ir".into(),
        ..WebSettings::default()
    };
    let service = Service::start_with(settings, app::Limits::default(), Probes::default()).await;
    let answer = service.ask(get(&format!("{SOAP}?wsdl"))).await;
    let address = format!("<soap:address location=\"https://sms.example.ir{SOAP}\"/>");
    assert!(answer.contains(&address), "{answer}");
}

const TICKET: &str =
    "op=ticketadd&subject=خط&description=کار نمی‌کند&type=lineservices&importance=acute";

#[tokio::test]
async fn a_ticket_is_kept_with_its_file_and_continued() {
    let service = Service::start().await;
    insta::assert_snapshot!(service.form(&format!("{TICKET}&sms_notification=yes")).await, @"[0,10001]");
    let png = "iVBORw0KGgo=";
    let more =
        format!("op=ticketadd&ticketid=10001&description=more&file=data:image/png;base64,{png}");
    insta::assert_snapshot!(service.form(&more).await, @"[0,10001]");
    let account = service.app.account("shop").await.unwrap();
    let view = service.app.ticket(&account, "10001").await.unwrap();
    assert!(view.ticket.notify);
    let texts: Vec<_> = view.messages.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(texts, ["کار نمی‌کند", "more"]);
    let content = service.app.ticket_file(&account, "10001", 2).await.unwrap();
    assert_eq!(content.as_deref(), Some(&b"\x89PNG\r\n\x1a\n"[..]));
    let part = "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\docs\\..\\a<b>.gif\"\r\n\
                Content-Type: text/html\r\n\r\nGIF89a\r\n--B--\r\n";
    let fields: String = format!("{LOGIN}&{TICKET}")
        .split('&')
        .map(|field| field.split_once('=').unwrap())
        .map(|(name, value)| {
            let value = value.replace('+', " ");
            format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        })
        .collect();
    let answer = service
        .post("multipart/form-data; boundary=B", &(fields + part))
        .await;
    insta::assert_snapshot!(answer, @"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [0,10002]");
    let view = service.app.ticket(&account, "10002").await.unwrap();
    let file = view.messages[0].file.as_ref().unwrap();
    assert_eq!((&*file.name, file.bytes), ("a<b>.gif", 6));
}

#[tokio::test]
async fn a_ticket_with_a_wrong_word_text_or_file_is_refused() {
    let service = Service::start().await;
    let invalid = r#"[422,"\u0648\u0631\u0648\u062f\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#;
    for body in [
        TICKET.replace("acute", "urgent"),
        TICKET.replace("lineservices", "lines"),
        TICKET.replace("subject=خط", "subject=%00%e2%80%ae"),
        TICKET.replace("description=", "d="),
        TICKET.replace("subject=", &format!("subject={}", "a".repeat(201))),
        TICKET.replace(
            "description=",
            &format!("description={}", "a".repeat(64 * 1024)),
        ),
        format!("{TICKET}&sms_notification=maybe"),
        format!("{TICKET}&file=data:text/html;base64,PGI%2B"),
    ] {
        assert_eq!(service.form(&body).await, invalid, "{body:.120}");
    }
    let unknown = service
        .form("op=ticketadd&ticketid=10001&description=more")
        .await;
    insta::assert_snapshot!(unknown, @r#"[458,"\u06a9\u062f \u062a\u06cc\u06a9\u062a \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"]"#);
    let tickets = service.app.tickets(None, true, None, 10).await.unwrap();
    assert_eq!(tickets.len(), 0);
}

#[tokio::test]
async fn a_pattern_is_sent_over_soap_with_a_map_of_apache() {
    let service = crate::patterns::service().await;
    let arguments = format!(
        "<fromNum>3000505</fromNum><toNum>09121111111</toNum><pattern_code>{}</pattern_code>\
         <input_data xsi:type=\"ns2:Map\" xmlns:ns2=\"http://xml.apache.org/xml-soap\">\
         <item><key xsi:type=\"xsd:string\">name</key><value xsi:type=\"xsd:string\">علی</value></item>\
         <item><key>code</key><value xsi:type=\"xsd:int\">12</value></item></input_data>",
        crate::patterns::CODE
    );
    assert_eq!(
        service.own_call("sendPatternSms", &arguments).await,
        "10001"
    );
    assert_eq!(
        service.messages().await,
        [("+989121111111".to_owned(), "علی، کد: 12".to_owned())]
    );
    insta::assert_snapshot!(service.own_call("inboxlist", "").await, @"[]");
}

/// A customer with this mobile number, who wrote a ticket and wants to be told.
async fn customer_with(service: &Service, mobile: &str) {
    let account = store::NewAccount {
        name: "customer".into(),
        password_hash: String::new(),
        created_at: NOW,
        expires_at: domain::time::UnixMillis(i64::MAX),
        settings: AccountSettings::default(),
    };
    let person = domain::person::Person {
        mobile: mobile.into(),
        ..Default::default()
    };
    let new = store::OpenAccount {
        account,
        parent: None,
        siblings_max: 1,
        package: None,
        person: Some(person),
    };
    service.store.open_account(new).await.unwrap();
    let account = service.app.account("customer").await.unwrap();
    let form = TicketForm {
        subject: "خط",
        description: "؟",
        sms_notification: "yes",
        ..TicketForm::default()
    };
    service.app.write_ticket(&account, &form).await.unwrap();
}

async fn told(service: &Service, notice: &Notice) -> Told {
    let account = service.app.account("customer").await.unwrap();
    let reply = service
        .app
        .reply_to_ticket(&account, "10001", "بله", notice);
    reply.await.unwrap().told
}

#[tokio::test]
async fn an_answer_is_told_by_sms_at_the_expense_of_the_account_that_is_set() {
    let service = Service::start().await;
    customer_with(&service, "09121111111").await;
    assert_eq!(told(&service, &Notice::default()).await, Told::NotSet);
    let notice = Notice {
        sms_account: "shop".into(),
        sms_line: "3000505".into(),
    };
    let sent = told(&service, &notice).await;
    assert!(matches!(sent, Told::Sent(_)), "{sent:?}");
    assert_eq!(
        service.messages().await,
        [(
            "+989121111111".to_owned(),
            "تیکت 10001 پاسخ داده شد: خط".to_owned()
        )]
    );
    assert_eq!(service.form("op=credit").await, r#"[0,"933122"]"#);
    let elsewhere = Notice {
        sms_line: "3000999".into(),
        ..notice
    };
    let failed = told(&service, &elsewhere).await;
    assert!(matches!(failed, Told::Failed(_)), "{failed:?}");
    let account = service.app.account("customer").await.unwrap();
    let view = service.app.ticket(&account, "10001").await.unwrap();
    assert_eq!(view.messages.len(), 4, "each answer stands");
}

#[tokio::test]
async fn without_a_mobile_number_an_answer_is_not_told() {
    let service = Service::start().await;
    customer_with(&service, "").await;
    let notice = Notice {
        sms_account: "shop".into(),
        sms_line: "3000505".into(),
    };
    assert_eq!(told(&service, &notice).await, Told::NoMobile);
    assert_eq!(service.messages().await, []);
}
