//! The description, the registry and the documents say the same; the pages are whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::description::{DESCRIPTION, Group, SERVICE_PATH};
use super::samples::{Language, Request};
use super::site::{Page, Site};
use super::{Lang, contract_table};
use crate::ws::registry;

/// Between these the generated part of `docs/contract.md` stands.
const MARKS: [&str; 2] = ["<!-- generated -->\n", "<!-- end of generated -->"];
/// With this variable set, the test writes the file anew instead of comparing it.
const WRITE: &str = "PEYK_WRITE_DOCS";
/// Bytes that a page may have; 100 KB compressed is the aim, and HTML like this shrinks to a fifth.
const PAGE_BYTES_MAX: usize = 120_000;

/// A site with every page of the description.
fn whole_site() -> Site {
    Site::new(|_| true)
}

#[test]
fn each_registered_operation_is_described_and_each_described_one_is_registered() {
    let described: BTreeSet<String> = DESCRIPTION
        .operations()
        .filter(|(group, _)| *group != Group::Endpoints)
        .flat_map(|(_, operation)| operation.canonical_names())
        .collect();
    let registered: BTreeSet<String> = registry::names().map(str::to_owned).collect();
    let undescribed: Vec<_> = registered.difference(&described).collect();
    let unregistered: Vec<_> = described.difference(&registered).collect();
    assert!(
        undescribed.is_empty(),
        "crates/web/data/docs does not describe {undescribed:?}"
    );
    assert!(
        unregistered.is_empty(),
        "the registry lacks {unregistered:?}, which crates/web/data/docs describes"
    );
}

#[test]
fn the_contract_table_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/contract.md");
    let text = fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once(MARKS[0]).unwrap();
    let (_, after) = rest.split_once(MARKS[1]).unwrap();
    let fresh = format!(
        "{before}{}\n{}\n{}{after}",
        MARKS[0],
        contract_table(),
        MARKS[1]
    );
    if std::env::var_os(WRITE).is_some() {
        fs::write(&file, fresh).unwrap();
        return;
    }
    assert!(
        text == fresh,
        "docs/contract.md is stale: run `{WRITE}=1 cargo test -p peyk-web contract_table`"
    );
}

#[test]
fn every_page_is_written_in_both_languages_and_stays_light() {
    let site = whole_site();
    for lang in Lang::ALL {
        for page in site.pages() {
            let html = site.render(page, lang, "http://sms.example").unwrap();
            assert!(html.len() < PAGE_BYTES_MAX, "{} bytes", html.len());
            assert!(html.contains(&format!("<html lang=\"{}\"", lang.code())));
            assert!(!html.contains("{base}"), "a base URL is left out");
            assert!(
                !html.contains("style=\"") && !html.contains("onclick"),
                "the policy forbids what stands in place"
            );
        }
    }
}

#[test]
fn every_link_leads_to_a_page() {
    let site = whole_site();
    for lang in Lang::ALL {
        for page in site.pages() {
            let html = site.render(page, lang, "http://sms.example").unwrap();
            for link in html.split("href=\"").skip(1) {
                let link = link.split('"').next().unwrap();
                assert!(leads_somewhere(&site, link), "{link}");
            }
        }
    }
}

fn leads_somewhere(site: &Site, link: &str) -> bool {
    let Some(path) = link.strip_prefix("/docs") else {
        return link == "#text";
    };
    let path = match path.strip_prefix("/en") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ => path,
    };
    match path.strip_prefix("/op/") {
        Some(name) => site.operation(name).is_some(),
        None => {
            path.is_empty()
                || path.starts_with("/assets/")
                || Site::guide(path.trim_start_matches('/')).is_some()
        }
    }
}

#[test]
fn only_what_is_served_has_a_page() {
    let site = Site::new(|name| name == "credit");
    assert!(site.operation("credit").is_some());
    assert!(site.operation("CREDIT").is_some());
    assert!(site.operation("send").is_none());
    let html = site
        .render(Page::Start, Lang::En, "http://sms.example")
        .unwrap();
    assert!(html.contains("/docs/en/op/credit"));
    assert!(!html.contains("/docs/en/op/send\""));
}

#[test]
fn an_operation_is_found_by_its_other_spellings() {
    let site = whole_site();
    for name in ["patternV2", "PATTERNV2", "jobstrenlist", "getPatternParams"] {
        assert!(
            matches!(site.operation(name), Some(Page::Operation(..))),
            "{name}"
        );
    }
}

#[test]
fn a_sample_carries_the_base_url_the_login_and_every_required_parameter() {
    for (_, operation) in DESCRIPTION.operations() {
        let request = Request::of(operation, "http://sms.example:8080");
        for language in Language::ALL {
            let code = request.written_in(language);
            let place = format!("{} in {}", operation.name, language.title());
            let url = format!("http://sms.example:8080{}", operation.request.path);
            assert!(code.contains(&url), "{place}: {code}");
            if operation.request.path == SERVICE_PATH {
                assert!(code.contains(&operation.name), "{place}: {code}");
            }
            let required = operation
                .parameters
                .iter()
                .filter(|parameter| parameter.required)
                .map(|parameter| &parameter.name);
            for name in required.chain(&operation.request.login) {
                assert!(code.contains(name.as_str()), "{place}: {name}: {code}");
            }
        }
    }
}

/// What each language writes for the operation with the most kinds of values.
#[test]
fn the_samples_of_send_look_as_a_person_would_write_them() {
    let (_, send) = DESCRIPTION
        .operations()
        .find(|(_, operation)| operation.name == "send")
        .unwrap();
    let request = Request::of(send, "http://sms.example");
    for language in Language::ALL {
        insta::assert_snapshot!(language.key(), request.written_in(language));
    }
}
