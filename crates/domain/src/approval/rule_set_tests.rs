use super::*;
use crate::approval::RuleScope;
use crate::ids::{AccountId, LineId, RuleId};
use crate::line::LineClass;
use crate::time::UnixMillis;
use proptest::prelude::*;

const SENDER: Subject = Subject {
    account: AccountId(1),
    line: LineId(2),
    class: LineClass::Service,
};

fn rule(id: i64, matches: RuleMatch) -> Rule {
    Rule {
        id: RuleId(id),
        matches,
        scope: RuleScope::default(),
        note: String::new(),
        created_at: UnixMillis(0),
    }
}

fn word(word: &str) -> RuleMatch {
    RuleMatch::Word(word.into())
}

fn pattern(pattern: &str) -> RuleMatch {
    RuleMatch::Pattern(pattern.into())
}

fn holds(matches: RuleMatch, text: &str) -> bool {
    let set = RuleSet::new(vec![rule(1, matches)]).unwrap();
    set.first_hit(text, &SENDER).is_some()
}

#[test]
fn a_word_is_found_as_a_word_in_any_spelling() {
    for (looked_for, text, found) in [
        ("وام", "وام فوری", true),
        ("وام", "وامدار", false),
        ("وام", "دوام", false),
        ("وام*", "وامدار", true),
        ("*وام", "دوام", true),
        ("*وام*", "دوامی", true),
        ("وام", "و ا م", true),
        ("وام", "و-ا-م", true),
        ("وام", "واااام", true),
        ("شرط بندی", "سایت شرط\u{200c}بندی", false),
        ("شرط بندی", "سایت شرط  بندی!", true),
        ("شرطبندی", "شرط\u{200c}بندی", true),
        ("كازينو", "کازینو", true),
        ("LOAN", "get a l0an", true),
        ("loan", "lоаn", true),
        ("loan", "loans", false),
        ("الف ب", "الف ب ج", true),
    ] {
        assert_eq!(
            holds(word(looked_for), text),
            found,
            "{looked_for} in {text}"
        );
    }
}

#[test]
fn words_that_share_a_blank_are_both_found() {
    let set = RuleSet::new(vec![rule(1, word("دو")), rule(2, word("یک"))]).unwrap();
    let hits: Vec<i64> = set.all_hits("یک دو").iter().map(|rule| rule.id.0).collect();
    assert_eq!(hits, [1, 2]);
}

#[test]
fn a_pattern_sees_normalised_text_without_letter_case() {
    assert!(holds(pattern(r"کد\s+\d{4}"), "كد ۱۲۳۴"));
    assert!(holds(pattern("win.*prize"), "WIN a big PRIZE"));
    assert!(!holds(pattern(r"^\d+$"), "کد 1234"));
}

#[test]
fn what_cannot_be_used_is_said_in_a_sentence() {
    for (matches, said) in [
        (word("!!"), "hold no letter"),
        (word(&"x".repeat(501)), "at most 500 characters"),
        (pattern("("), "unclosed group"),
        (pattern("a*"), "empty text"),
        (pattern(r"\w{500}{500}"), "size limit"),
        (
            RuleMatch::Link {
                except: vec!["http://x.ir".into()],
            },
            "`http://x.ir` is not the name of a host",
        ),
    ] {
        let error = matches.check().unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn the_first_rule_whose_scope_covers_the_sender_counts() {
    let scoped = |id, scope| Rule {
        scope,
        ..rule(id, word("وام"))
    };
    let elsewhere = RuleScope {
        account: Some(AccountId(9)),
        ..RuleScope::default()
    };
    let advertising = RuleScope {
        class: Some(LineClass::Advertising),
        ..RuleScope::default()
    };
    let line = RuleScope {
        line: Some(LineId(2)),
        ..RuleScope::default()
    };
    let rules = vec![
        scoped(3, line),
        scoped(1, elsewhere),
        scoped(2, advertising),
    ];
    let set = RuleSet::new(rules).unwrap();
    let hit = |sender: &Subject| set.first_hit("وام", sender).map(|rule| rule.id.0);
    assert_eq!(hit(&SENDER), Some(3));
    let advertiser = Subject {
        class: LineClass::Advertising,
        ..SENDER
    };
    assert_eq!(hit(&advertiser), Some(2));
    let other_line = Subject {
        line: LineId(8),
        ..SENDER
    };
    assert_eq!(hit(&other_line), None);
    assert!(!set.looks_at(&other_line));
}

#[test]
fn everything_and_links_need_no_words() {
    assert!(holds(RuleMatch::Everything, "سلام"));
    let links = || RuleMatch::Link { except: vec![] };
    assert!(holds(links(), "بخر از yn8.ir"));
    assert!(!holds(links(), "سلام"));
}

#[test]
fn no_rules_hold_nothing() {
    let set = RuleSet::new(vec![]).unwrap();
    assert!(!set.looks_at(&SENDER));
    assert_eq!(set.first_hit("وام", &SENDER), None);
}

proptest! {
    #[test]
    fn a_rule_finds_its_own_words(looked_for in "[ا-ی]{2,8}( [ا-ی]{2,8}){0,2}", before in ".{0,20}") {
        prop_assume!(needle(&looked_for).is_some());
        // The text before must not run into the first word, nor be parted letters.
        let text = format!("{before}، 11 {looked_for}");
        prop_assert!(holds(word(&looked_for), &text), "{looked_for} in {text}");
    }

    #[test]
    fn no_text_breaks_it(text in any::<String>()) {
        let rules = vec![rule(1, word("وام")), rule(2, pattern(r"\bوام\b")),
            rule(3, RuleMatch::Link { except: vec!["a.ir".into()] })];
        let set = RuleSet::new(rules).unwrap();
        prop_assert!(set.all_hits(&text).len() <= 3);
    }
}
