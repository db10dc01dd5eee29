//! Who may see and do what: every page and action of the console, with every role.

use crate::fixture::{Browser, Installation, PASSWORD};
use axum::http::{Method, StatusCode};
use domain::user::Role;
use web::console::{Entry, Needs};

/// A path with something in each of its places that no account has.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part.starts_with('{') {
        true => "999999",
        false => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

async fn answer(browser: &mut Browser, entry: &Entry) -> StatusCode {
    let path = filled(&entry.path);
    let page = match entry.method {
        Method::GET => browser.get(&path).await,
        _ => browser.post(&path, &[]).await,
    };
    page.status
}

async fn browsers(installation: &Installation) -> Vec<(Role, Browser)> {
    let shop = installation.account("shop").await.id;
    let mut browsers = vec![(Role::Owner, installation.signed_in("shop", PASSWORD).await)];
    for role in Role::OF_ACCOUNTS {
        let password = installation.add_person(Some(shop), role.word(), role).await;
        let name = format!("shop/{}", role.word());
        browsers.push((role, installation.signed_in(&name, &password).await));
    }
    for role in Role::OF_STAFF {
        browsers.push((role, installation.staff(role.word(), role).await));
    }
    browsers
}

#[tokio::test]
async fn every_page_and_action_is_open_to_those_who_may_and_to_nobody_else() {
    let installation = Installation::new().await;
    let mut people = browsers(&installation).await;
    for entry in web::console::entries() {
        let Needs::May(permission) = entry.needs else {
            continue;
        };
        for (role, browser) in &mut people {
            let status = answer(browser, &entry).await;
            let refused = status == StatusCode::FORBIDDEN;
            let failed = status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE;
            let at = format!("{} {} as {role:?}: {status}", entry.method, entry.path);
            assert_eq!(refused, !role.may(permission), "{at}");
            assert!(!failed, "{at}");
        }
    }
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_sent_to_the_door() {
    let installation = Installation::new().await;
    let mut browser = installation.browser();
    for entry in web::console::entries() {
        if entry.needs == Needs::Nothing {
            continue;
        }
        let path = filled(&entry.path);
        let page = match entry.method {
            Method::GET => browser.get(&path).await,
            _ => browser.post(&path, &[]).await,
        };
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}");
        let staff = path.starts_with("/console/staff");
        let door = if staff {
            "/console/staff/sign-in"
        } else {
            "/console/sign-in"
        };
        assert!(
            page.location().starts_with(door),
            "{path}: {}",
            page.location()
        );
    }
}

#[tokio::test]
async fn a_form_of_another_site_is_refused_wherever_it_leads() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    for entry in web::console::entries() {
        if entry.method == Method::GET {
            continue;
        }
        let request = axum::http::Request::post(filled(&entry.path))
            .header("sec-fetch-site", "cross-site")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(axum::body::Body::empty())
            .unwrap();
        let page = browser.send(request).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", entry.path);
        assert!(page.body.contains("another site"), "{}", page.body);
    }
}

#[tokio::test]
async fn a_restricted_account_can_look_and_nothing_else() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let settings = domain::account::AccountSettings {
        restricted: true,
        ..Default::default()
    };
    let app = &installation.app;
    app.update_account("shop", None, Some(settings))
        .await
        .unwrap();
    for entry in web::console::entries() {
        let Needs::May(permission) = entry.needs else {
            continue;
        };
        use domain::user::Permission as P;
        let looks = matches!(permission, P::SeeReports | P::SeeMoney);
        let status = answer(&mut browser, &entry).await;
        let at = format!("{} {}: {status}", entry.method, entry.path);
        assert_eq!(status == StatusCode::FORBIDDEN, !looks, "{at}");
    }
}

#[tokio::test]
async fn every_page_has_a_policy_that_lets_no_foreign_script_run() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    for path in ["/console/home", "/console/sign-in", "/console/nothing"] {
        let page = browser.get(path).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(page.headers["cache-control"], "no-store", "{path}");
        page.never_says("<script>")
            .never_says(" style=\"")
            .never_says(" onclick");
    }
}
