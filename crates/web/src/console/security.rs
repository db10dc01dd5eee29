//! What protects the console from other sites: forms are taken from its own pages alone, and its
//! pages run no script but their own and stand in nobody's frame.
//!
//! Forged requests: every browser of the last years says with each POST where it comes from
//! (`Sec-Fetch-Site`, `Origin`), and no page can make it say otherwise. A POST without either is
//! refused. So pages carry no token that compression could leak, and no form can forget one.
//! Beside that the cookie is not sent along from other sites (`SameSite=Lax`).

use super::trouble::Trouble;
use super::ui::Ui;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
     base-uri 'none'",
);

/// Refuses actions that another site's page asks for.
pub(super) async fn same_origin(request: Request, next: Next) -> Response {
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    if reads || is_same_origin(request.headers()) {
        return next.run(request).await;
    }
    tracing::warn!("a form of another site was refused");
    let ui = request.extensions().get::<Ui>().cloned();
    let mut response = Trouble::OtherSite.into_response();
    if let Some(ui) = ui {
        response.extensions_mut().insert(ui);
    }
    super::trouble::write(response)
}

fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match text(HeaderName::from_static("sec-fetch-site")) {
        Some(site) => site == "same-origin",
        None => {
            let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
            let host = text(header::HOST);
            origin.is_some_and(|(_, origin)| host.is_some_and(|host| origin == host))
        }
    }
}

/// The headers of every page.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Pages show what is one account's: no proxy and no browser keeps them.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_come_from_the_consoles_own_pages_alone() {
        for (given, taken) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "http://a.ir:80"), ("host", "a.ir:80")], true),
            (&[("origin", "https://b.ir"), ("host", "a.ir")], false),
            (&[("origin", "null"), ("host", "a.ir")], false),
            (&[("host", "a.ir")], false),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "http://a.ir"),
                    ("host", "a.ir"),
                ],
                false,
            ),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.insert(
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                );
            }
            assert_eq!(is_same_origin(&headers), taken, "{given:?}");
        }
    }
}
