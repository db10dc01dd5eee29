//! A text as words that can be compared: what reads the same is the same, however it was typed.
//!
//! Goes further than [`crate::text::normalise_for_matching`], which searching uses: here someone
//! may be hiding a word. Presentation forms, marks over letters, look-alike letters of other
//! scripts, stretched letters, letters parted by blanks or dots, and digits in place of letters
//! are undone. Two words may fall together; that costs a person a look, and nothing else.

use crate::text::{ascii_digit, is_invisible};
use unicode_normalization::char::decompose_compatible;

/// Letters in a row, each a word of its own, from which on they are one word that was parted.
const PARTED_LETTERS_MIN: usize = 3;

/// The words of a text, each with one blank before and after it: ` word word `. A text without
/// words is one blank. A word that may be read in two ways stands there in both.
#[must_use]
pub fn folded_words(text: &str) -> String {
    let mut words = Words {
        out: String::with_capacity(text.len() + 2),
        word: String::new(),
        stretched: None,
        parted: String::new(),
    };
    words.out.push(' ');
    for c in text.chars() {
        if is_plain(c) {
            words.letter(c.to_ascii_lowercase());
        } else {
            decompose_compatible(c, |part| words.take(part));
        }
    }
    words.end_word();
    words.end_parted();
    words.out
}

/// Characters that fold to themselves, but for letter case: nearly all of nearly every text.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, 'ا' | 'ب' | 'ت'..='غ' | 'ف' | 'ق' | 'ل'..='و' | 'پ' | 'چ' | 'ژ' | 'ک' | 'گ' | 'ی')
}

struct Words {
    out: String,
    word: String,
    /// The letter at the end of the word, where it was held down.
    stretched: Option<char>,
    /// Words of one letter that came in a row.
    parted: String,
}

impl Words {
    fn take(&mut self, c: char) {
        if is_dropped(c) {
            return;
        }
        if let Some(digit) = ascii_digit(c) {
            return self.letter(char::from(b'0' + digit));
        }
        for lower in c.to_lowercase().filter(|c| !is_dropped(*c)) {
            if lower.is_alphanumeric() {
                self.letter(look_alike(lower));
            } else {
                self.end_word();
            }
        }
    }

    fn letter(&mut self, c: char) {
        if self.stretched == Some(c) {
            return;
        }
        self.stretched = None;
        let twice = self
            .word
            .strip_suffix(c)
            .is_some_and(|word| word.ends_with(c));
        if twice && !c.is_ascii_digit() {
            // The third in a row: all of them are one letter, held down.
            self.word.pop();
            self.stretched = Some(c);
        } else {
            self.word.push(c);
        }
    }

    fn end_word(&mut self) {
        self.stretched = None;
        let mut letters = self.word.chars();
        match (letters.next(), letters.next()) {
            (None, _) => {}
            (Some(only), None) if only.is_alphabetic() => {
                self.parted.push(only);
                self.word.clear();
            }
            _ => {
                self.end_parted();
                self.write_word();
            }
        }
    }

    fn write_word(&mut self) {
        let read = as_letters(&self.word);
        self.out.push_str(&self.word);
        self.out.push(' ');
        if let Some(read) = read {
            self.out.push_str(&read);
            self.out.push(' ');
        }
        self.word.clear();
    }

    fn end_parted(&mut self) {
        let parted = std::mem::take(&mut self.parted);
        let count = parted.chars().count();
        if count < PARTED_LETTERS_MIN {
            for letter in parted.chars() {
                self.out.push(letter);
                self.out.push(' ');
            }
            return;
        }
        self.out.push_str(&parted);
        self.out.push(' ');
        // The first letter may be a word of its own, such as the Persian "and".
        if count > PARTED_LETTERS_MIN {
            let rest = parted.char_indices().nth(1).map_or(0, |(at, _)| at);
            self.out.push_str(&parted[rest..]);
            self.out.push(' ');
        }
    }
}

/// Marks over and under letters, tatweel, and what shows nothing.
fn is_dropped(c: char) -> bool {
    c == '\u{640}'
        || c == 'ء'
        || is_invisible(c)
        || matches!(c, '\u{300}'..='\u{36f}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}'
            | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e8}' | '\u{6ea}'..='\u{6ed}'
            | '\u{fe00}'..='\u{fe0f}')
}

/// The letter that another one passes for: Arabic spellings of Persian letters, and Cyrillic and
/// Greek letters that look Latin.
fn look_alike(c: char) -> char {
    match c {
        'ي' | 'ى' | 'ې' | 'ۍ' | 'ێ' | 'ے' => 'ی',
        'ك' | 'ڪ' | 'ګ' => 'ک',
        'ة' | 'ە' | 'ہ' | 'ھ' | 'ۃ' => 'ه',
        'ٱ' => 'ا',
        'ۆ' | 'ۇ' | 'ۋ' => 'و',
        'а' | 'α' => 'a',
        'в' | 'β' => 'b',
        'с' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' => 'e',
        'һ' | 'н' => 'h',
        'і' | 'ι' | 'ı' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' => 'l',
        'м' => 'm',
        'η' => 'n',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' => 'u',
        'ν' => 'v',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        _ => c,
    }
}

/// A word of Latin letters and digits with the digits read as letters: `l0an` as `loan`.
fn as_letters(word: &str) -> Option<String> {
    let bytes = word.as_bytes();
    let mixed = bytes.iter().any(u8::is_ascii_digit) && bytes.iter().any(u8::is_ascii_alphabetic);
    mixed.then(|| {
        let read = |c| match c {
            '0' => 'o',
            '1' => 'i',
            '3' => 'e',
            '4' => 'a',
            '5' => 's',
            '7' => 't',
            '8' => 'b',
            other => other,
        };
        word.chars().map(read).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_reads_the_same_is_the_same() {
        for (text, words) in [
            ("وام فوری", " وام فوری "),
            ("وامِ فُوري!", " وام فوری "),
            ("وا\u{640}\u{640}م", " وام "),
            ("وا\u{200c}م", " وام "),
            ("واااااام", " وام "),
            ("ﻭﺍﻡ", " وام "),
            ("مسأله مسئله مسؤول", " مساله مسیله مسوول "),
            ("آب، ۱۲۳ و ٤٥", " اب 123 و 45 "),
            ("و.ا.م بگیر", " وام بگیر "),
            ("پول و و ا م", " پول ووام وام "),
            ("Ｌｏａｎ LOAN", " loan loan "),
            ("lоаn", " loan "),
            ("𝐋𝐨𝐚𝐧", " loan "),
            ("l0an 2026", " l0an loan 2026 "),
            ("crème", " creme "),
            ("a b", " a b "),
            ("x\u{202e}y", " xy "),
            ("0000", " 0000 "),
            ("", " "),
            ("!!! ... \u{0}", " "),
        ] {
            assert_eq!(folded_words(text), words, "{text:?}");
        }
    }

    #[test]
    fn a_letter_may_stand_twice() {
        assert_eq!(folded_words("book"), " book ");
        assert_eq!(folded_words("booook"), " bok ");
    }

    proptest! {
        #[test]
        fn words_are_parted_by_one_blank_and_nothing_else(text in any::<String>()) {
            let words = folded_words(&text);
            prop_assert!(words.starts_with(' ') && words.ends_with(' '), "{words:?}");
            prop_assert!(!words.contains("  "), "{words:?}");
            prop_assert!(words.chars().all(|c| c == ' ' || c.is_alphanumeric()), "{words:?}");
        }
    }
}
