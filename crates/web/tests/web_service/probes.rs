//! The pages that are not the web service.

use std::sync::Arc;

use app::Limits;
use web::{Probes, WebSettings};

use crate::fixture::{Service, get};

#[tokio::test]
async fn the_probes_answer_what_the_binary_says() {
    let probes = Probes {
        metrics: Arc::new(|| "peyk_up 1\n".to_owned()),
        ready: Arc::new(|| Err("the store has stopped: disk full".to_owned())),
    };
    let service = Service::start_with(WebSettings::default(), Limits::default(), probes).await;
    insta::assert_snapshot!(service.ask(get("/healthz")).await, @"HTTP/1.1 200 OK | text/plain; charset=utf-8 | ok");
    insta::assert_snapshot!(service.ask(get("/readyz")).await, @"HTTP/1.1 503 Service Unavailable | text/plain; charset=utf-8 | the store has stopped: disk full");
    insta::assert_snapshot!(service.ask(get("/metrics")).await, @"HTTP/1.1 200 OK | text/plain; version=0.0.4 | peyk_up 1");
}

#[tokio::test]
async fn the_root_and_unknown_paths_say_where_the_service_is() {
    let service = Service::start().await;
    insta::assert_snapshot!(service.ask(get("/readyz")).await, @"HTTP/1.1 200 OK | text/plain; charset=utf-8 | ready");
    insta::assert_snapshot!(service.ask(get("/")).await, @"HTTP/1.1 200 OK | text/plain; charset=utf-8 | peyk is running. The web service is at /services.jspd, its documentation at /docs, the console at /console");
    insta::assert_snapshot!(service.ask(get("/services.php?to=[\"1\"]")).await, @"HTTP/1.1 404 Not Found | text/plain; charset=utf-8 | there is nothing here; the web service is at /services.jspd");
}
