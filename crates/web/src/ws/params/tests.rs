use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn form(body: &str) -> Params {
    Params::from_request(
        None,
        Some("application/x-www-form-urlencoded"),
        body.as_bytes(),
    )
    .unwrap()
}

fn text(params: &Params, name: &str) -> String {
    params
        .text(name)
        .unwrap_or_else(|| panic!("no {name} in {params:?}"))
        .into_owned()
}

fn list(value: &str) -> (Vec<String>, bool) {
    let list = List::from_text(value);
    (list.items, list.is_array)
}

fn items(items: &[&str], is_array: bool) -> (Vec<String>, bool) {
    (
        items.iter().map(|&item| item.to_owned()).collect(),
        is_array,
    )
}

/// Every encoding of the contract's table carries the same request.
#[test]
fn one_request_in_every_encoding() {
    let multipart = "--B\r\nContent-Disposition: form-data; name=\"uname\"\r\n\r\nali\r\n\
        --B\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nسلام + a\r\n\
        --B\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n[\"09121111111\"]\r\n--B--\r\n";
    let json = r#"{"uname":"ali","message":"سلام + a","to":["09121111111"]}"#;
    let encoded = "uname=ali&message=%D8%B3%D9%84%D8%A7%D9%85+%2B+a&to=%5B%2209121111111%22%5D";
    let raw = "Uname=ali&message=سلام %2B a& to=[\"09121111111\"]";
    let form = Some("application/x-www-form-urlencoded; charset=UTF-8");
    let cases: [(Option<&str>, Option<&str>, &str); 13] = [
        (None, Some("multipart/form-data; boundary=B"), multipart),
        (None, Some("Multipart/Form-Data; boundary=\"B\""), multipart),
        (None, Some("multipart/form-data"), multipart),
        (None, None, multipart),
        (None, form, encoded),
        (None, None, encoded),
        (None, Some("application/json"), encoded),
        (None, form, raw),
        (None, Some("text/plain"), raw),
        (None, Some("application/json"), json),
        (None, form, json),
        (Some(encoded), None, ""),
        (
            Some("uname=ali&to=no"),
            form,
            "message=%D8%B3%D9%84%D8%A7%D9%85+%2B+a&TO=09121111111",
        ),
    ];
    for (query, content_type, body) in cases {
        for bom in ["", "\u{feff}"] {
            let body = if body.is_empty() {
                String::new()
            } else {
                format!("{bom}{body}")
            };
            let params = Params::from_request(query, content_type, body.as_bytes()).unwrap();
            assert_eq!(text(&params, "uname"), "ali", "{content_type:?} {body}");
            assert_eq!(
                text(&params, "message"),
                "سلام + a",
                "{content_type:?} {body}"
            );
            assert_eq!(
                params.list("to").unwrap().items,
                ["09121111111"],
                "{content_type:?} {body}"
            );
        }
    }
}

#[test]
fn debug_output_holds_no_values() {
    assert_eq!(format!("{:?}", form("pass=secret")), r#"["pass"]"#);
}

#[test]
fn names_are_found_whatever_their_spelling() {
    let params = form("OP=Send& User-Name =a&user%2Dpass=b&=c&d&\n e=f");
    assert_eq!(text(&params, "op"), "Send");
    assert_eq!(text(&params, "user_name"), "a");
    assert_eq!(text(&params, "user_pass"), "b");
    assert_eq!(text(&params, "d"), "");
    assert_eq!(text(&params, "e"), "f");
    assert_eq!(params.iter().count(), 5);
}

#[test]
fn an_unencoded_body_keeps_what_it_can() {
    let params =
        form("from=+983000&to= +989121111111&message=line 1\nline 2 100% %zz =x%&pass=p=q");
    assert_eq!(text(&params, "from"), " 983000");
    assert_eq!(text(&params, "to"), "  989121111111");
    assert_eq!(text(&params, "message"), "line 1\nline 2 100% %zz =x%");
    assert_eq!(text(&params, "pass"), "p=q");
}

#[test]
fn bytes_that_are_no_utf8_are_replaced() {
    let params = Params::from_request(Some("a=%ff"), None, b"b=\xfe&c=1").unwrap();
    assert_eq!(
        (text(&params, "a"), text(&params, "b"), text(&params, "c")),
        ("\u{fffd}".into(), "\u{fffd}".into(), "1".into())
    );
    let params = Params::from_request(None, None, b"{\"a\":\"\xfe\"}").unwrap();
    assert_eq!(text(&params, "a"), "\u{fffd}");
}

#[test]
fn the_body_wins_over_the_query_and_null_counts_as_absent() {
    let params = Params::from_request(
        Some("op=credit&a=1&b=2&b=3"),
        None,
        br#"{"Op":"send","a":null}"#,
    )
    .unwrap();
    assert_eq!(
        (text(&params, "op"), text(&params, "a"), text(&params, "b")),
        ("send".into(), "1".into(), "3".into())
    );
}

#[test]
fn php_array_fields_become_arrays_and_objects() {
    let params = form(
        "to[]=1&to[]=2&TO%5B5%5D=3&to[]=4&input_data[verification-code]=x&input_data[n]=y&l[0][a]=b&l[1][a]=c",
    );
    assert_eq!(
        params.list("to").unwrap(),
        List {
            items: vec!["1".into(), "2".into(), "3".into(), "4".into()],
            is_array: true
        }
    );
    assert_eq!(
        *params.json("input_data").unwrap(),
        json!({"verification-code": "x", "n": "y"})
    );
    assert_eq!(*params.json("l").unwrap(), json!([{"a": "b"}, {"a": "c"}]));
    let params = form("a=1&a[x]=2&b[=3&[c]=4&d[0]=1&d[0]=2");
    assert_eq!(*params.json("a").unwrap(), json!({"x": "2"}));
    assert_eq!(text(&params, "b["), "3");
    assert_eq!(text(&params, "d"), r#"["2"]"#);
}

#[test]
fn json_numbers_keep_their_digits() {
    let body = r#"{"a":989121111111,"b":9.89121111111E11,"c":-5,"d":1.5,"e":true,"f":18446744073709551615,"g":[1,"x"]}"#;
    let params = Params::from_request(None, Some("application/json"), body.as_bytes()).unwrap();
    let all: Vec<_> = ["a", "b", "c", "d", "e", "f", "g"]
        .map(|name| text(&params, name))
        .into();
    assert_eq!(
        all,
        [
            "989121111111",
            "989121111111",
            "-5",
            "1.5",
            "1",
            "18446744073709551615",
            r#"[1,"x"]"#
        ]
    );
    assert_eq!(
        params.list("a").unwrap(),
        List {
            items: vec!["989121111111".into()],
            is_array: false
        }
    );
    assert_eq!(
        params.list("g").unwrap(),
        List {
            items: vec!["1".into(), "x".into()],
            is_array: true
        }
    );
}

#[test]
fn every_form_of_a_list_is_read() {
    let two = items(&["0912", "0935"], true);
    for array in [
        r#"["0912","0935"]"#,
        " [ \"0912\" , \"0935\" ] ",
        r#""[\"0912\",\"0935\"]""#,
        r#"["[\"0912\",\"0935\"]"]"#,
        r#"["0912,0935"]"#,
        r#"[["0912"],["0935"]]"#,
        r#"{"0":"0912","2":"0935"}"#,
        r#"[{"0":"0912"},{"1":"0935"}]"#,
        "[0912,0935]",
        "['0912','0935']",
        r#"[\"0912\",\"0935\"]"#,
        "[\"0912\",\"0935\",]",
        "%5B%220912%22%2C%220935%22%5D",
    ] {
        assert_eq!(list(array), two, "{array}");
    }
    for plain in [
        "0912,0935",
        "0912، 0935",
        "0912;0935;",
        "0912\r\n0935\n",
        "\"0912,0935\"",
        "%220912,0935%22",
    ] {
        assert_eq!(list(plain), items(&["0912", "0935"], false), "{plain}");
    }
    assert_eq!(
        list("[989121111111,9.89121111111E11]"),
        items(&["989121111111", "989121111111"], true)
    );
    assert_eq!(
        list("\"0912 111 11 11\""),
        items(&["0912 111 11 11"], false)
    );
    assert_eq!(list("[+98912]"), items(&["+98912"], true));
    assert_eq!(list("[۰۹۱۲]"), items(&["۰۹۱۲"], true));
    assert_eq!(list("[]"), items(&[], true));
    assert_eq!(list("  "), items(&[], false));
    assert_eq!(list(r#"["a",null,""]"#), items(&["a", "", ""], true));
    assert_eq!(
        List::from_json(&json!({"10": "c", "2": "b", "1": 5})).items,
        ["5", "b", "c"]
    );
}

#[test]
fn a_text_in_brackets_is_not_an_array() {
    assert!(!List::from_text("[Shop] code 1,2").is_array);
    let params = form(r#"a=[Shop] hi&b=["x, y","z"]&c=[1402]&d=plain&e=["a",1]"#);
    assert_eq!(params.texts("a"), None);
    assert_eq!(params.texts("b").unwrap(), ["x, y", "z"]);
    assert_eq!(
        (params.texts("c"), params.texts("d"), params.texts("e")),
        (None, None, None)
    );
    let params = Params::from_request(None, None, br#"{"m":["x, y","z"],"n":[1]}"#).unwrap();
    assert_eq!(
        (params.texts("m").unwrap().len(), params.texts("n")),
        (2, None)
    );
}

#[test]
fn json_is_found_also_when_encoded_twice() {
    let params = form(r#"a={"x":1}&b="{\"x\":1}"&c=no&d=[{"x":1}]"#);
    assert_eq!(*params.json("a").unwrap(), json!({"x": 1}));
    assert_eq!(*params.json("b").unwrap(), json!({"x": 1}));
    assert_eq!(params.json("c"), None);
    assert_eq!(*params.json("d").unwrap(), json!([{"x": 1}]));
}

#[test]
fn the_first_name_with_something_in_it_is_taken() {
    let params = form("uinqid= &bulkid=7&x=");
    assert_eq!(
        params.first_of(&["uniqid", "uinqid", "bulkid"]).unwrap(),
        "7"
    );
    assert_eq!(params.first_of(&["x"]).unwrap(), "");
    assert_eq!(params.first_of(&["y"]), None);
}

#[test]
fn files_are_kept_apart() {
    let body = "--B\r\nContent-Disposition: form-data; name=\"File\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\
        \u{1}\r\n--B\r\nContent-Disposition: form-data; name=\"to[]\"\r\n\r\n1\r\n\
        --B\r\nContent-Disposition: form-data; name=\"to[]\"\r\n\r\n2\r\n--B--";
    let params = Params::from_request(
        None,
        Some("multipart/form-data; boundary=B"),
        body.as_bytes(),
    )
    .unwrap();
    let file = params.file("file").unwrap();
    assert_eq!(
        (
            file.filename.as_str(),
            file.content_type.as_deref(),
            &file.bytes[..]
        ),
        ("a.png", Some("image/png"), &b"\x01"[..])
    );
    assert_eq!(params.list("to").unwrap().items, ["1", "2"]);
}

#[test]
fn limits_are_kept() {
    let many: String = (0..=PARAMS_MAX)
        .map(|number| format!("a{number}=1&"))
        .collect();
    assert_eq!(
        Params::from_request(None, None, many.as_bytes()),
        Err(ParamsError::TooMany)
    );
    assert_eq!(
        Params::from_request(Some(&many), None, b""),
        Err(ParamsError::TooMany)
    );
    let deep = format!("a{}=1", "[x]".repeat(NESTING_MAX + 1));
    assert_eq!(
        Params::from_request(None, None, deep.as_bytes()),
        Err(ParamsError::TooDeep)
    );
    let long = format!("{}=1&b=2", "x".repeat(10_000));
    assert_eq!(form(&long).iter().count(), 1);
    let nested = format!("{{\"a\":{}1{}}}", "[".repeat(1000), "]".repeat(1000));
    assert!(
        Params::from_request(None, None, nested.as_bytes())
            .unwrap()
            .get("a")
            .is_none()
    );
    let cut = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx";
    let error = Params::from_request(
        None,
        Some("multipart/form-data; boundary=B"),
        cut.as_bytes(),
    );
    assert!(matches!(error, Err(ParamsError::Multipart(_))), "{error:?}");
}

/// Generous enough for a debug build on a busy machine; quadratic behaviour would take minutes.
#[test]
fn a_hundred_thousand_recipients_are_read_in_linear_time() {
    let numbers: Vec<String> = (0..100_000)
        .map(|number| format!("0912{number:07}"))
        .collect();
    let array = serde_json::to_string(&numbers).unwrap();
    let fields: String = (0..100_000)
        .map(|at| format!("to[{at}]={}&", numbers[at]))
        .collect();
    let parts: String = numbers
        .iter()
        .map(|number| {
            format!("--B\r\nContent-Disposition: form-data; name=\"to[]\"\r\n\r\n{number}\r\n")
        })
        .collect();
    let multipart = format!("{parts}--B--\r\n");
    let cases = [
        (None, format!("a=b&to={array}")),
        (None, format!("{{\"to\":{array}}}")),
        (None, format!("to={}", numbers.join(","))),
        (None, fields),
        (Some("multipart/form-data; boundary=B"), multipart),
    ];
    for (content_type, body) in cases {
        let since = Instant::now();
        let list = Params::from_request(None, content_type, body.as_bytes())
            .unwrap()
            .list("to")
            .unwrap();
        println!(
            "{:?} {:>8} bytes {:?}",
            content_type,
            body.len(),
            since.elapsed()
        );
        assert!(list.items == numbers);
        assert!(since.elapsed() < Duration::from_secs(20));
    }
}

proptest! {
    #[test]
    fn no_input_panics(
        query in proptest::option::of(any::<String>()),
        content_type in proptest::option::of(prop_oneof![
            Just("multipart/form-data; boundary=B".to_owned()), Just("application/json".to_owned()), any::<String>(),
        ]),
        parts in proptest::collection::vec(prop_oneof![
            Just(b"--B\r\n".to_vec()), Just(b"Content-Disposition: form-data; name=\"a\"\r\n\r\n".to_vec()),
            Just(b"a[]=".to_vec()), Just(b"a[b][".to_vec()), Just(b"&".to_vec()), Just(b"{\"a\":".to_vec()), Just(b"\"}".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..20),
        ], 0..10),
    ) {
        let body = parts.concat();
        if let Ok(params) = Params::from_request(query.as_deref(), content_type.as_deref(), &body) {
            for (name, _) in params.iter() {
                let _ = (params.text(name), params.list(name), params.json(name), params.texts(name));
            }
        }
    }

    #[test]
    fn no_list_panics(text in "[\\[\\]{}\"',;%\\\\0-9a-f:۰ \n+-]{0,40}") {
        let _ = List::from_text(&text);
    }

    #[test]
    fn what_is_encoded_comes_back(name in "[a-z_]{1,20}", value in any::<String>()) {
        let encoded = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
        let params = Params::from_request(Some(&format!("{name}={encoded}")), None, b"").unwrap();
        prop_assert_eq!(params.text(&name).unwrap(), value.as_str());
    }

    #[test]
    fn a_json_list_of_texts_comes_back(values in proptest::collection::vec("[a-zA-Z ]{0,8}", 0..8)) {
        let list = List::from_text(&serde_json::to_string(&values).unwrap());
        prop_assert_eq!(list, List { items: values, is_array: true });
    }
}
