//! All rules as one machine: built once after a change, then one pass over each text.

use super::link::first_host;
use super::{HOSTS_MAX, RULE_CHARS_MAX, RULES_MAX, Rule, RuleMatch, Subject, folded_words};
use crate::text::normalise_for_matching;
use aho_corasick::AhoCorasick;
use regex::{RegexBuilder, RegexSet, RegexSetBuilder};
use thiserror::Error;

/// Bytes that one compiled pattern may take.
const PATTERN_BYTES_MAX: usize = 256 << 10;
/// Bytes that all compiled patterns may take together.
const PATTERNS_BYTES_MAX: usize = 4 << 20;
/// Bytes that the matching of patterns may use to remember where it was.
const PATTERNS_CACHE_BYTES_MAX: usize = 4 << 20;

/// Why a rule cannot be used, as a sentence for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RuleError {
    /// Nothing to look for is left when signs and marks are taken away.
    #[error("the words of the rule hold no letter and no digit")]
    NoWord,
    /// Too long.
    #[error("a rule has at most {RULE_CHARS_MAX} characters")]
    TooLong,
    /// Too many hosts.
    #[error("a rule excepts at most {HOSTS_MAX} hosts")]
    TooManyHosts,
    /// Not a host.
    #[error("`{0}` is not the name of a host")]
    NotAHost(String),
    /// The pattern makes no sense, or would be too large.
    #[error("the pattern cannot be used: {0}")]
    Pattern(String),
    /// Too many.
    #[error("there are at most {RULES_MAX} rules")]
    TooManyRules,
}

/// Rules, ready to be asked.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    words: Option<AhoCorasick>,
    /// Which rule each word belongs to.
    word_rules: Vec<usize>,
    patterns: RegexSet,
    pattern_rules: Vec<usize>,
    /// Rules that need no machine: about links and about everything.
    others: Vec<usize>,
}

impl Default for RuleSet {
    /// No rules.
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            words: None,
            word_rules: Vec::new(),
            patterns: RegexSet::empty(),
            pattern_rules: Vec::new(),
            others: Vec::new(),
        }
    }
}

impl RuleMatch {
    /// Whether a rule may look for this.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self) -> Result<(), RuleError> {
        match self {
            Self::Word(word) | Self::Pattern(word) if word.chars().count() > RULE_CHARS_MAX => {
                Err(RuleError::TooLong)
            }
            Self::Word(word) if needle(word).is_none() => Err(RuleError::NoWord),
            Self::Pattern(pattern) => compiled(pattern),
            Self::Link { except } if except.len() > HOSTS_MAX => Err(RuleError::TooManyHosts),
            Self::Link { except } => match except.iter().find(|host| !is_host(host)) {
                Some(host) => Err(RuleError::NotAHost(host.clone())),
                None => Ok(()),
            },
            Self::Word(_) | Self::Everything => Ok(()),
        }
    }
}

impl RuleSet {
    /// Builds the machine.
    ///
    /// # Errors
    /// A rule cannot be used, or all of them together are too large.
    pub fn new(mut rules: Vec<Rule>) -> Result<Self, RuleError> {
        if rules.len() > RULES_MAX {
            return Err(RuleError::TooManyRules);
        }
        rules.sort_by_key(|rule| rule.id);
        let (mut needles, mut word_rules) = (Vec::new(), Vec::new());
        let (mut patterns, mut pattern_rules) = (Vec::new(), Vec::new());
        let mut others = Vec::new();
        for (place, rule) in rules.iter().enumerate() {
            rule.matches.check()?;
            match &rule.matches {
                RuleMatch::Word(word) => {
                    needles.extend(needle(word));
                    word_rules.push(place);
                }
                RuleMatch::Pattern(pattern) => {
                    patterns.push(normalise_for_matching(pattern));
                    pattern_rules.push(place);
                }
                RuleMatch::Link { .. } | RuleMatch::Everything => others.push(place),
            }
        }
        let words = if needles.is_empty() {
            None
        } else {
            let built = AhoCorasick::new(&needles);
            Some(built.map_err(|error| RuleError::Pattern(error.to_string()))?)
        };
        let patterns = RegexSetBuilder::new(patterns)
            .case_insensitive(true)
            .size_limit(PATTERNS_BYTES_MAX)
            .dfa_size_limit(PATTERNS_CACHE_BYTES_MAX)
            .build()
            .map_err(|error| RuleError::Pattern(error.to_string()))?;
        Ok(Self {
            rules,
            words,
            word_rules,
            patterns,
            pattern_rules,
            others,
        })
    }

    /// The rules, in the order of their numbers.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether any rule looks at the texts of this sender.
    #[must_use]
    pub fn looks_at(&self, subject: &Subject) -> bool {
        self.rules.iter().any(|rule| rule.scope.covers(subject))
    }

    /// The first rule that holds this text of this sender.
    #[must_use]
    pub fn first_hit(&self, text: &str, subject: &Subject) -> Option<&Rule> {
        let place = self.hits(text, |rule| rule.scope.covers(subject)).min()?;
        self.rules.get(place)
    }

    /// Every rule that finds what it looks for in the text, whoever sends it.
    #[must_use]
    pub fn all_hits(&self, text: &str) -> Vec<&Rule> {
        let mut places: Vec<usize> = self.hits(text, |_| true).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| &self.rules[place]).collect()
    }

    fn hits(&self, text: &str, asked: impl Fn(&Rule) -> bool) -> impl Iterator<Item = usize> {
        let in_scope = |places: &[usize]| places.iter().any(|place| asked(&self.rules[*place]));
        let mut hits = Vec::new();
        if let Some(words) = &self.words
            && in_scope(&self.word_rules)
        {
            let folded = folded_words(text);
            // Overlapping, since two words in a row share the blank between them.
            let found = words.find_overlapping_iter(&folded);
            hits.extend(found.map(|hit| self.word_rules[hit.pattern().as_usize()]));
        }
        if !in_scope(&self.pattern_rules) && !in_scope(&self.others) {
            hits.retain(|place| asked(&self.rules[*place]));
            return hits.into_iter();
        }
        let plain = normalise_for_matching(text).to_lowercase();
        let found = self.patterns.matches(&plain);
        hits.extend(found.iter().map(|hit| self.pattern_rules[hit]));
        hits.extend(self.others.iter().copied().filter(
            |place| match &self.rules[*place].matches {
                RuleMatch::Link { except } => first_host(&plain, except).is_some(),
                _ => true,
            },
        ));
        hits.retain(|place| asked(&self.rules[*place]));
        hits.into_iter()
    }
}

/// What is looked for among folded words: the words with the blanks around them, but where a `*`
/// leaves the end open.
fn needle(word: &str) -> Option<String> {
    let word = word.trim();
    let (open_before, open_after) = (word.starts_with('*'), word.ends_with('*'));
    let folded = folded_words(word);
    let mut needle = folded.as_str();
    if needle == " " {
        return None;
    }
    if open_before {
        needle = needle.trim_start();
    }
    if open_after {
        needle = needle.trim_end();
    }
    Some(needle.to_owned())
}

fn compiled(pattern: &str) -> Result<(), RuleError> {
    let built = RegexBuilder::new(&normalise_for_matching(pattern))
        .case_insensitive(true)
        .size_limit(PATTERN_BYTES_MAX)
        .build();
    match built {
        Ok(regex) if regex.is_match("") => Err(RuleError::Pattern(
            "it finds something in an empty text, so it would hold every text".into(),
        )),
        Ok(_) => Ok(()),
        Err(error) => Err(RuleError::Pattern(last_line(&error.to_string()))),
    }
}

/// The crate's messages draw the place under the pattern; the last line says what is wrong.
fn last_line(message: &str) -> String {
    let last = message.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

fn is_host(host: &str) -> bool {
    let label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    host.contains('.') && host.len() <= 253 && host.split('.').all(label)
}

#[cfg(test)]
#[path = "rule_set_tests.rs"]
mod tests;
