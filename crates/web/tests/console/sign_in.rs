//! Signing in: password, second factor, sessions and their end.

use crate::fixture::{Installation, PASSWORD};
use app::console::{Token, device_code};
use axum::http::StatusCode;
use domain::user::Role;
use std::net::{IpAddr, Ipv4Addr};
use web::console::ConsoleSettings;

const FROM: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

#[tokio::test]
async fn an_account_signs_in_with_its_own_name_and_comes_where_it_wanted_to() {
    let installation = Installation::new().await;
    let mut browser = installation.browser();
    let away = browser.get("/console/home?x=1").await;
    assert_eq!(
        away.location(),
        "/console/sign-in?back=%2Fconsole%2Fhome%3Fx%3D1"
    );
    let door = browser.follow(&away).await;
    let back = door.field("back");
    let form = [("name", " Shop "), ("password", PASSWORD), ("back", &back)];
    let entered = browser.post("/console/sign-in", &form).await;
    assert_eq!(entered.location(), "/console/home?x=1");
    browser.follow(&entered).await.says("Dashboard");
    let cookie = entered.headers["set-cookie"].to_str().unwrap();
    for word in ["HttpOnly", "SameSite=Lax", "Path=/console"] {
        assert!(cookie.contains(word), "{cookie}");
    }
}

#[tokio::test]
async fn wrong_names_and_passwords_look_the_same() {
    let installation = Installation::new().await;
    let shop = installation.account("shop").await.id;
    let ali = installation
        .add_person(Some(shop), "ali", Role::Viewer)
        .await;
    let root = installation
        .add_person(None, "root", Role::Administrator)
        .await;
    for (door, name, password) in [
        ("/console/sign-in", "shop", "wrong"),
        ("/console/sign-in", "nobody", PASSWORD),
        ("/console/sign-in", "shop/nobody", PASSWORD),
        ("/console/sign-in", "shop/ali", PASSWORD),
        ("/console/sign-in", "nobody/ali", &ali),
        ("/console/sign-in", "ali", &ali),
        ("/console/sign-in", "root", &root),
        ("/console/sign-in", "", ""),
        ("/console/staff/sign-in", "shop", PASSWORD),
        ("/console/staff/sign-in", "ali", &ali),
    ] {
        let mut browser = installation.browser();
        let page = browser
            .post(door, &[("name", name), ("password", password)])
            .await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        assert!(
            page.body
                .contains("The name, the password or the code is wrong")
        );
        assert!(!browser.cookies.contains_key("peyk_session"), "{name}");
    }
    installation.signed_in("shop/ali", &ali).await;
}

#[tokio::test]
async fn guessing_is_slowed_down_also_for_the_right_password() {
    let installation = Installation::new().await;
    let mut browser = installation.browser();
    for guess in 0..8 {
        let password = format!("guess {guess}");
        let form = [("name", "shop"), ("password", &*password)];
        browser.post("/console/sign-in", &form).await;
    }
    let form = [("name", "shop"), ("password", PASSWORD)];
    let page = browser.post("/console/sign-in", &form).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    installation.clock.set(installation.now().plus_seconds(120));
    let page = browser.post("/console/sign-in", &form).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn with_a_second_factor_the_password_alone_lets_nobody_in() {
    let installation = Installation::new().await;
    let browser = installation.shop().await;
    let token = Token::read(&browser.cookies["peyk_session"]).unwrap();
    let limits = ConsoleSettings::default().session_limits();
    let app = &installation.app;
    let person = app.signed_in(&token, FROM, limits).await.unwrap().unwrap();
    let begun = app.begin_second_factor(&person).unwrap();
    let wrong = app
        .set_second_factor(&person, &begun.secret, "000000")
        .await;
    assert!(
        wrong.is_err(),
        "without a code of the device nothing is set"
    );
    let code = device_code(&begun.secret, installation.now()).unwrap();
    let recovery = app
        .set_second_factor(&person, &begun.secret, &code)
        .await
        .unwrap();

    let mut other = installation.browser();
    let form = [("name", "shop"), ("password", PASSWORD)];
    let page = other.post("/console/sign-in", &form).await;
    let mark = page.says("Second factor").field("mark");
    assert!(!other.cookies.contains_key("peyk_session"));
    // The code that set it up was used.
    let form = [("mark", &*mark), ("code", &code)];
    let again = other.post("/console/sign-in/code", &form).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    installation.clock.set(installation.now().plus_seconds(60));
    let code = device_code(&begun.secret, installation.now()).unwrap();
    let forged = mark.replacen(char::is_numeric, "7", 1);
    let form = [("mark", &*forged), ("code", &code)];
    let page = other.post("/console/sign-in/code", &form).await;
    assert_eq!(
        page.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "another account's mark"
    );
    let form = [("mark", &*mark), ("code", &code)];
    let page = other.post("/console/sign-in/code", &form).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);

    // A recovery code works once.
    for (status, code) in [
        (StatusCode::SEE_OTHER, &recovery[3]),
        (StatusCode::UNPROCESSABLE_ENTITY, &recovery[3]),
        (StatusCode::SEE_OTHER, &recovery[4]),
    ] {
        let mut browser = installation.browser();
        let form = [("name", "shop"), ("password", PASSWORD)];
        let mark = browser.post("/console/sign-in", &form).await.field("mark");
        let form = [("mark", &*mark), ("code", code)];
        let page = browser.post("/console/sign-in/code", &form).await;
        assert_eq!(page.status, status);
    }
    // The first step is worth nothing after five minutes.
    let mut late = installation.browser();
    let form = [("name", "shop"), ("password", PASSWORD)];
    let mark = late.post("/console/sign-in", &form).await.field("mark");
    installation.clock.set(installation.now().plus_seconds(301));
    let form = [("mark", &*mark), ("code", &recovery[5])];
    let page = late.post("/console/sign-in/code", &form).await;
    assert!(page.body.contains("That took too long"), "{}", page.body);
}

#[tokio::test]
async fn a_session_ends_when_it_is_signed_out_idle_or_its_person_is_locked() {
    let installation = Installation::new().await;
    let shop = installation.account("shop").await.id;
    let password = installation
        .add_person(Some(shop), "ali", Role::Viewer)
        .await;
    let mut ali = installation.signed_in("shop/ali", &password).await;
    ali.get("/console/home").await.says("Dashboard");
    let held = ali.clone();
    ali.post("/console/sign-out", &[]).await;
    assert_eq!(
        held.clone().get("/console/home").await.status,
        StatusCode::SEE_OTHER
    );

    let mut ali = installation.signed_in("shop/ali", &password).await;
    let people = installation.app.people(Some(shop)).await.unwrap();
    let changed =
        installation
            .app
            .change_person(Some(shop), people[0].no, "Ali", Role::Viewer, true);
    changed.await.unwrap();
    assert_eq!(ali.get("/console/home").await.status, StatusCode::SEE_OTHER);

    let mut browser = installation.shop().await;
    installation
        .clock
        .set(installation.now().plus_seconds(119 * 60));
    browser.get("/console/home").await.says("Dashboard");
    installation
        .clock
        .set(installation.now().plus_seconds(121 * 60));
    assert_eq!(
        browser.get("/console/home").await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn the_staff_has_no_door_elsewhere() {
    let settings = ConsoleSettings {
        staff_from: vec!["198.51.100.0/24".parse().unwrap()],
        ..ConsoleSettings::default()
    };
    let installation = Installation::with(settings).await;
    let password = installation
        .add_person(None, "root", Role::Administrator)
        .await;
    let mut browser = installation.browser();
    assert_eq!(
        browser.get("/console/staff/sign-in").await.status,
        StatusCode::NOT_FOUND
    );
    let form = [("name", "root"), ("password", &*password)];
    let page = browser.post("/console/staff/sign-in", &form).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn language_and_look_are_remembered() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let form = [
        ("language", "fa"),
        ("theme", "dark"),
        ("back", "/console/home"),
    ];
    let page = browser.post("/console/look", &form).await;
    let form = [("theme", "dark"), ("back", "/console/home")];
    browser.post("/console/look", &form).await;
    let page = browser.follow(&page).await;
    page.says("lang=\"fa\" dir=\"rtl\" data-theme=\"dark\"")
        .says("داشبورد");
    // In another browser too, since the person chose it.
    let mut other = installation.shop().await;
    other.cookies.remove("peyk_language");
    other
        .get("/console/home")
        .await
        .says("dir=\"rtl\"")
        .says("data-theme=\"dark\"");
}
