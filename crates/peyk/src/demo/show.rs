//! What the demo prints: how to reach it, and its first message on the way to the handset.

use crate::demo::folder::{Credentials, Folder};
use crate::demo::{furnish, http, seed};
use crate::output::say;
use anyhow::{Context, Result, bail};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The path of the web service.
pub const PATH: &str = "/services.jspd";

const FIRST_TO: &str = "09121234567";
const FIRST_TEXT: &str = "سلام از پیک";
/// How often the first message is asked for.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// After so long something is wrong, and the demo says so instead of waiting.
const FIRST_MAX: Duration = Duration::from_secs(30);

/// Prints where everything is.
pub fn welcome(folder: &Folder, credentials: &Credentials, again: bool) {
    let dir = folder.path().display();
    if again {
        say!("peyk demo, going on with the data and the credentials in {dir}");
    } else {
        say!("peyk demo, with new data in {dir}");
    }
    say!("");
    say!("  Address   {}", credentials.url);
    say!("  Explained {}/docs", base(&credentials.url));
    say!("  Console   {}/console", base(&credentials.url));
    say!("  User      {}", credentials.uname);
    say!("  Password  {}", credentials.pass);
    if let Some(password) = &credentials.staff_pass {
        say!(
            "  Staff     {}/console/staff/sign-in",
            base(&credentials.url)
        );
        say!("            {} / {password}", seed::ADMINISTRATOR);
    }
    say!(
        "  Lines     {} (service), {} (advertising)",
        seed::SERVICE_LINE,
        seed::ADVERTISING_LINE
    );
    say!(
        "            all of it also stands in {}",
        folder.file().display()
    );
    say!("");
    say!("The operator is simulated and no message leaves this machine. Every number is reachable");
    say!("there, but those that end in {}.", seed::UNREACHABLE_SUFFIX);
    say!("");
}

/// The address without the path of the web service.
fn base(url: &str) -> &str {
    url.trim_end_matches(PATH)
}

/// Sends a message through the web service and prints each state that it goes through.
///
/// # Errors
/// The web service cannot be reached, refuses, or nothing is delivered in time.
pub async fn first_message(web: SocketAddr, credentials: &Credentials) -> Result<u32> {
    say!("A first message, sent through the web service:");
    let login = [
        ("uname", credentials.uname.as_str()),
        ("pass", credentials.pass.as_str()),
    ];
    let begun = Instant::now();
    let at = |begun: Instant| format!("{:6.2} s", begun.elapsed().as_secs_f64());
    let to = format!("[\"{FIRST_TO}\"]");
    let mut fields = vec![
        ("op", "send"),
        ("from", &credentials.from),
        ("message", FIRST_TEXT),
    ];
    fields.extend([("to", to.as_str())]);
    fields.extend(login);
    let reply = http::post_form(web, PATH, &fields).await?;
    let bulk = accepted(&reply).with_context(|| format!("the web service answers {reply}"))?;
    say!("  {}  accepted   it is on disk, as bulk {bulk}", at(begun));
    let id = bulk.to_string();
    let mut shown = String::new();
    while begun.elapsed() < FIRST_MAX {
        let mut fields = vec![("op", "delivery"), ("uinqid", id.as_str())];
        fields.extend(login);
        let reply = http::post_form(web, PATH, &fields).await?;
        let word = state(&reply).with_context(|| format!("the web service answers {reply}"))?;
        if word != shown {
            say!("  {}  {word:<9}  {}", at(begun), meaning(&word));
            shown = word;
        }
        if ["delivered", "failed", "discarded"].contains(&shown.as_str()) {
            say!("");
            return Ok(bulk);
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
    bail!("it was not delivered within {} s", FIRST_MAX.as_secs())
}

/// Prints commands that work as they are.
pub fn try_it(folder: &Folder, credentials: &Credentials, bulk: u32) {
    let Credentials {
        url,
        uname,
        pass,
        from,
        ..
    } = credentials;
    let login = format!("-d uname={uname} -d pass={pass}");
    let data = quoted(&folder.path().display().to_string());
    // As it was called, since it may not be on the search path: `target/release/peyk`.
    let program = quoted(&std::env::args().next().unwrap_or_else(|| "peyk".into()));
    say!("Send one yourself:");
    say!("  curl {url} {login} -d op=send -d from={from} \\");
    say!("    --data-urlencode 'message={FIRST_TEXT}' --data-urlencode 'to=[\"{FIRST_TO}\"]'");
    say!("See what became of it (the answer to the line above has its number, here {bulk}):");
    say!("  curl {url} {login} -d op=delivery -d uinqid={bulk}");
    say!("Or from the command line, in another terminal:");
    say!(
        "  {program} --data {data} send --account {uname} --from {from} --to {FIRST_TO} --text Hello --watch"
    );
    say!("  {program} --data {data} bulk show {uname} {bulk}");
    say!("  {program} --data {data} account ledger {uname}");
    say!(
        "Every sample of {}/docs works here too: there are phonebooks, an inbox,",
        base(url)
    );
    say!(
        "a keyword rule, a pattern and packages; PATTERN_CODE and API_KEY stand in demo.json. The"
    );
    say!(
        "sub-account {} has the same password. What handsets wrote:",
        furnish::SUB_ACCOUNT
    );
    say!("  {program} --data {data} inbox list {uname}");
    say!("");
    say!("Ctrl-C stops the demo; its data stays.");
}

/// The bulk id of `[0,10001]`.
fn accepted(reply: &str) -> Option<u32> {
    let (code, bulk): (u32, u32) = serde_json::from_str(reply).ok()?;
    (code == 0).then_some(bulk)
}

/// The state in `[0,"[\"+989121234567:delivered\"]"]`.
fn state(reply: &str) -> Option<String> {
    let (_, items): (u32, String) = serde_json::from_str(reply).ok()?;
    let items: Vec<String> = serde_json::from_str(&items).ok()?;
    items
        .first()?
        .split_once(':')
        .map(|(_, word)| word.to_owned())
}

fn meaning(word: &str) -> &'static str {
    match word {
        "notsync" => "it waits for its turn",
        "send" => "it is handed to the operator's link",
        "pending" => "the operator took it",
        "delivered" => "it reached the handset",
        "failed" => "it did not reach the handset",
        "discarded" => "the recipient is on the blacklist",
        _ => "",
    }
}

/// A path as a shell reads it back.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if path.chars().all(plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_of_the_web_service_are_read() {
        assert_eq!(accepted("[0,10001]"), Some(10_001));
        assert_eq!(accepted("[5,\"x\"]"), None);
        let reply = r#"[0,"[\"+989121234567:delivered\"]"]"#;
        assert_eq!(state(reply).as_deref(), Some("delivered"));
        assert_eq!(state(r#"[0,"null"]"#), None);
    }

    #[test]
    fn a_path_with_blanks_can_be_pasted() {
        assert_eq!(quoted("./peyk-demo"), "./peyk-demo");
        assert_eq!(quoted("my dir's"), "'my dir'\\''s'");
    }
}
