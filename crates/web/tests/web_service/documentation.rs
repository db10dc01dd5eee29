//! `/docs`: the pages as a browser gets them.

use app::Limits;
use web::{Probes, WebSettings};

use crate::fixture::{Service, get, header};

async fn page(service: &Service, path: &str) -> (String, String) {
    let reply = service.exchange(get(path)).await;
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn the_pages_are_persian_by_default_and_english_beside_it() {
    let service = Service::start().await;
    for (path, lang) in [
        ("/docs", r#"<html lang="fa" dir="rtl">"#),
        ("/docs/", r#"<html lang="fa" dir="rtl">"#),
        ("/docs/op/send", r#"<html lang="fa" dir="rtl">"#),
        ("/docs/formats", r#"<html lang="fa" dir="rtl">"#),
        ("/docs/en", r#"<html lang="en" dir="ltr">"#),
        ("/docs/en/op/send", r#"<html lang="en" dir="ltr">"#),
        ("/docs/en/errors", r#"<html lang="en" dir="ltr">"#),
    ] {
        let (head, body) = page(&service, path).await;
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{path}: {head}");
        assert!(body.contains(lang), "{path}");
        assert!(
            body.contains("http://sms.example/services.jspd") || path.ends_with('s'),
            "{path}"
        );
    }
}

#[tokio::test]
async fn nothing_on_a_page_comes_from_elsewhere() {
    let service = Service::start().await;
    let (head, body) = page(&service, "/docs").await;
    let policy = header(&head, "content-security-policy").unwrap();
    assert!(
        policy.starts_with(
            "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'"
        )
    );
    assert_eq!(header(&head, "x-content-type-options"), Some("nosniff"));
    for link in body.split("src=\"").skip(1) {
        assert!(link.starts_with("/docs/assets/"), "{}", &link[..40]);
    }
    let style = body.split("rel=\"stylesheet\" href=\"").nth(1).unwrap();
    let (head, style) = page(&service, style.split('"').next().unwrap()).await;
    assert_eq!(
        header(&head, "content-type"),
        Some("text/css; charset=utf-8")
    );
    assert!(
        style.contains("vazirmatn-"),
        "the style names the font as it is served"
    );
}

#[tokio::test]
async fn a_host_that_is_none_is_not_written_into_the_page() {
    let service = Service::start().await;
    for host in ["<script>alert(1)</script>", "x');exit();//", "a b\"c"] {
        let request =
            format!("GET /docs/op/send HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let reply = service.exchange(request).await;
        assert!(
            !reply.contains("alert(1)") && !reply.contains("exit()"),
            "{host}"
        );
        assert!(!reply.contains("b\"c"), "{host}");
    }
}

#[tokio::test]
async fn a_page_that_does_not_exist_is_404_and_shows_the_contents() {
    let service = Service::start().await;
    for path in [
        "/docs/nothing",
        "/docs/en/op/%3Cscript%3E",
        "/docs/op/..%2f",
    ] {
        let (head, body) = page(&service, path).await;
        assert!(head.starts_with("HTTP/1.1 404"), "{path}: {head}");
        assert!(body.contains("/op/send"), "{path}");
        assert!(!body.contains("<script>"), "{path}");
    }
    assert!(
        page(&service, "/docs/assets/nothing.css")
            .await
            .0
            .starts_with("HTTP/1.1 404")
    );
}

#[tokio::test]
async fn an_operator_can_switch_the_pages_off() {
    let settings = WebSettings {
        docs: false,
        ..WebSettings::default()
    };
    let service = Service::start_with(settings, Limits::default(), Probes::default()).await;
    assert!(page(&service, "/docs").await.0.starts_with("HTTP/1.1 404"));
}
