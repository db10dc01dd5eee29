//! The text of a receipt (SMPP 3.4 appendix B), as centres really write it.
//!
//! Keys come in any letter case and any order, with keys missing and blanks added. The text after
//! `text:` is the customer's and may look like keys itself, so keys before it win.

use super::MessageState;

/// The keys in the order of appendix B. A blank in a key stands for blanks, underscores or nothing.
const KEYS: [&[u8]; 8] = [
    b"id",
    b"submit date",
    b"done date",
    b"dlvrd",
    b"stat",
    b"sub",
    b"err",
    b"text",
];
const ID: usize = 0;
const SUBMIT_DATE: usize = 1;
const DONE_DATE: usize = 2;
const STAT: usize = 4;
const ERR: usize = 6;
const TEXT: usize = 7;

/// The values found, as written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    pub(super) id: Option<&'a [u8]>,
    pub(super) submit_date: Option<&'a [u8]>,
    pub(super) done_date: Option<&'a [u8]>,
    stat: Option<&'a [u8]>,
    err: Option<&'a [u8]>,
    pub(super) text: Option<&'a [u8]>,
}

/// One `key:` in the text.
struct Mark {
    key: usize,
    start: usize,
    value: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Self {
        let marks = marks(text);
        let mut fields = Self::default();
        for (index, mark) in marks.iter().enumerate() {
            let end = marks.get(index + 1).map_or(text.len(), |next| next.start);
            let value = text[mark.value..end].trim_ascii();
            fields.set(mark.key, value, &text[mark.value..]);
        }
        fields
    }

    /// Keeps the first value of each key; `tail` is everything after the colon.
    fn set(&mut self, key: usize, value: &'a [u8], tail: &'a [u8]) {
        let slot = match key {
            ID => &mut self.id,
            SUBMIT_DATE => &mut self.submit_date,
            DONE_DATE => &mut self.done_date,
            STAT => &mut self.stat,
            ERR => &mut self.err,
            TEXT => {
                let quoted = trim_end_nul(tail);
                if !quoted.is_empty() {
                    self.text.get_or_insert(quoted);
                }
                return;
            }
            _ => return,
        };
        // A date may have a time after a blank; the other values are single words.
        let kept = if matches!(key, SUBMIT_DATE | DONE_DATE) {
            trim_end_nul(value)
        } else {
            let word = value.split(|&octet| is_blank(octet)).next();
            word.unwrap_or_default()
        };
        if !kept.is_empty() {
            slot.get_or_insert(kept);
        }
    }

    /// The state in `stat:`; `None` when missing, `Unknown` when it is no word we know.
    pub(super) fn state(&self) -> Option<MessageState> {
        let word = self.stat?.to_ascii_uppercase();
        let states: [(&[u8], MessageState); 10] = [
            (b"DELIV", MessageState::Delivered),
            (b"UNDEL", MessageState::Undeliverable),
            (b"EXPI", MessageState::Expired),
            (b"DELET", MessageState::Deleted),
            (b"REJ", MessageState::Rejected),
            (b"ACCEP", MessageState::Accepted),
            (b"ENROU", MessageState::Enroute),
            (b"BUFF", MessageState::Enroute),
            (b"FAIL", MessageState::Undeliverable),
            (b"UNKN", MessageState::Unknown),
        ];
        let known = states.iter().find(|(prefix, _)| word.starts_with(prefix));
        Some(known.map_or(MessageState::Unknown, |(_, state)| *state))
    }

    /// The number in `err:`, decimal, or else hexadecimal as a few centres write it.
    pub(super) fn error(&self) -> Option<u32> {
        let text = std::str::from_utf8(self.err?).ok()?;
        let decimal = text.parse().ok();
        decimal.or_else(|| u32::from_str_radix(text, 16).ok())
    }
}

fn marks(text: &[u8]) -> Vec<Mark> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let fresh = at == 0 || is_blank(text[at - 1]);
        match fresh.then(|| mark_at(text, at)).flatten() {
            Some(mark) => {
                at = mark.value;
                found.push(mark);
            }
            None => at += 1,
        }
    }
    found
}

fn mark_at(text: &[u8], start: usize) -> Option<Mark> {
    KEYS.iter().enumerate().find_map(|(key, name)| {
        let mut at = start;
        for &expected in *name {
            if expected == b' ' {
                at += count(&text[at..], |octet| is_blank(octet) || octet == b'_');
            } else if text.get(at)?.eq_ignore_ascii_case(&expected) {
                at += 1;
            } else {
                return None;
            }
        }
        at += count(&text[at..], is_blank);
        let value = at + 1;
        (text.get(at) == Some(&b':')).then_some(Mark { key, start, value })
    })
}

fn count(text: &[u8], matches: impl Fn(u8) -> bool) -> usize {
    text.iter().take_while(|&&octet| matches(octet)).count()
}

/// NUL counts as a blank: some centres end or separate fields with it.
fn is_blank(octet: u8) -> bool {
    octet.is_ascii_whitespace() || octet == 0
}

fn trim_end_nul(text: &[u8]) -> &[u8] {
    let kept = text.len() - text.iter().rev().take_while(|&&octet| octet == 0).count();
    &text[..kept]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_appendix_b_is_read() {
        let fields = Fields::parse(
            b"id:0123456789 sub:001 dlvrd:001 submit date:0505041322 done date:0505041328 \
              stat:DELIVRD err:000 text:Hello id:9 stat:REJECTD",
        );
        assert_eq!(fields.id, Some(&b"0123456789"[..]));
        assert_eq!(fields.submit_date, Some(&b"0505041322"[..]));
        assert_eq!(fields.done_date, Some(&b"0505041328"[..]));
        assert_eq!(fields.state(), Some(MessageState::Delivered));
        assert_eq!(fields.error(), Some(0));
        assert_eq!(fields.text, Some(&b"Hello id:9 stat:REJECTD"[..]));
    }

    #[test]
    fn case_order_blanks_and_gaps_do_not_matter() {
        let fields = Fields::parse(b"  STAT : undeliv  Err:00B\r\nDone  Date: 05 Id:  x-1\0");
        assert_eq!(fields.id, Some(&b"x-1"[..]));
        assert_eq!(fields.state(), Some(MessageState::Undeliverable));
        assert_eq!(fields.error(), Some(11));
        assert_eq!(fields.done_date, Some(&b"05"[..]));
        assert_eq!(fields.submit_date, None);
    }

    #[test]
    fn an_empty_value_is_a_missing_one() {
        let fields = Fields::parse(b"id: sub:001 stat: err:");
        assert_eq!(fields.id, None);
        assert_eq!(fields.state(), None);
        assert_eq!(fields.error(), None);
    }

    #[test]
    fn a_key_inside_a_word_is_no_key() {
        assert_eq!(Fields::parse(b"paid:yes valid:no"), Fields::default());
    }

    #[test]
    fn keys_after_an_early_text_are_still_found() {
        let fields = Fields::parse(b"text:hi id:5 stat:DELIVRD");
        assert_eq!(fields.id, Some(&b"5"[..]));
        assert_eq!(fields.state(), Some(MessageState::Delivered));
    }
}
