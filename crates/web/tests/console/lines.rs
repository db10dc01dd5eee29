//! The account's lines: hours, prices and routes in plain words.

use crate::fixture::{Installation, LINE};
use domain::line::{LineClass, LineSettings};
use domain::schedule::SendingHours;

async fn change(installation: &Installation, change: impl FnOnce(&mut LineSettings)) {
    let line = installation.app.line(LINE).await.unwrap();
    let mut settings = line.settings.clone();
    change(&mut settings);
    installation.app.update_line(LINE, settings).await.unwrap();
    installation.clock.set(installation.now().plus_seconds(1));
}

#[tokio::test]
async fn a_line_says_what_it_costs_and_whether_it_can_send() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let page = browser.get("/console/lines").await;
    page.says(&format!("+98{LINE}"))
        .says("120 rials")
        .says("300 rials");
    page.says("always open")
        .says("no route is up")
        .says("service");
    // 10:00 in Tehran.
    change(&installation, |settings| {
        settings.hours = Some(SendingHours::new(8 * 60, 22 * 60).unwrap());
        settings.class = LineClass::Advertising;
        settings.approve_texts = true;
    })
    .await;
    let page = browser.get("/console/lines").await;
    page.says("open now; until 22:00")
        .says("08:00 to 22:00")
        .says("advertising");
    page.says("every text, before it is sent");
    change(&installation, |settings| {
        settings.hours = Some(SendingHours::new(12 * 60, 22 * 60).unwrap());
        settings.routes.clear();
    })
    .await;
    let page = browser.get("/console/lines").await;
    page.says("closed now; opens: 12:00").says("no route");
    browser.speak("fa");
    browser
        .get("/console/lines")
        .await
        .says("۱۲۰ ریال")
        .says("اکنون بسته؛ باز می‌شود: ۱۲:۰۰");
    change(&installation, |settings| settings.can_send = false).await;
    browser.speak("en");
    browser
        .get("/console/lines?page=9")
        .await
        .says("receives only")
        .never_says("120 rials");
}

#[tokio::test]
async fn an_account_without_lines_is_told_what_to_do() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    installation
        .app
        .grant_line("shop", LINE, false)
        .await
        .unwrap();
    installation.clock.set(installation.now().plus_seconds(1));
    browser
        .get("/console/lines")
        .await
        .says("No line was given")
        .never_says(LINE);
}
