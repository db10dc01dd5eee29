//! Tickets: what customers ask the people who run the installation, and what those answer.
//!
//! The rules only: words, limits, which texts and files are taken, and where a ticket stands after a
//! message. Texts come from strangers and are shown on terminals and pages, so what could act there
//! (control characters, marks that turn the direction of a line) never gets in.

use crate::ids::TicketNo;
use crate::text::is_invisible;
use crate::time::UnixMillis;

/// Longest subject, in characters.
pub const SUBJECT_CHARS_MAX: usize = 200;
/// Longest message, in characters.
pub const TEXT_CHARS_MAX: usize = 10_000;
/// Largest file, in bytes.
pub const FILE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Longest name of a file, in characters.
pub const FILE_NAME_CHARS_MAX: usize = 100;
/// Messages of one ticket; those of the staff are taken beyond it.
pub const MESSAGES_MAX: u32 = 200;
/// Files of one ticket.
pub const FILES_MAX: u32 = 10;
/// Tickets of one account that may be open at the same time.
pub const OPEN_MAX: u32 = 50;

/// Zero-width non-joiner: part of the spelling of Persian words.
const ZWNJ: char = '\u{200c}';

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_doc])* $variant = $code,)* }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its word.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The one with this word, in any letter case.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                let word = word.trim();
                Self::ALL.iter().copied().find(|one| one.word().eq_ignore_ascii_case(word))
            }

            /// The one that a store keeps under this number.
            #[must_use]
            pub fn from_code(code: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| *one as u8 == code)
            }
        }
    };
}

words!(
    /// What a ticket is about. The words are the contract's.
    Kind {
        /// Money.
        Fiscal = 0 "fiscal",
        /// The web service.
        WebService = 1 "webservice",
        /// Something does not work.
        Problem = 2 "problem",
        /// Lines.
        LineServices = 3 "lineservices",
    }
);

words!(
    /// How much it matters to who asks. The words are the contract's.
    Importance {
        /// Little.
        Low = 0 "low",
        /// As usual.
        Middle = 1 "middle",
        /// Soon.
        Quick = 2 "quick",
        /// At once.
        Acute = 3 "acute",
    }
);

words!(
    /// Where a ticket stands.
    Status {
        /// The customer wrote last.
        Waiting = 0 "waiting",
        /// The staff wrote last.
        Answered = 1 "answered",
        /// Nobody is waited for.
        Closed = 2 "closed",
    }
);

words!(
    /// Who wrote a message.
    Author {
        /// Whose ticket it is.
        Customer = 0 "customer",
        /// The people who run the installation.
        Staff = 1 "staff",
    }
);

words!(
    /// What a file is, by its first bytes. What a client calls it is not believed.
    FileKind {
        /// JPEG.
        Jpeg = 0 "jpg",
        /// PNG.
        Png = 1 "png",
        /// GIF.
        Gif = 2 "gif",
        /// WebP.
        Webp = 3 "webp",
        /// PDF.
        Pdf = 4 "pdf",
    }
);

impl Author {
    /// Where a ticket stands after a message: one of a closed ticket opens it again.
    #[must_use]
    pub fn leaves(self) -> Status {
        match self {
            Self::Customer => Status::Waiting,
            Self::Staff => Status::Answered,
        }
    }
}

impl FileKind {
    /// The kind of a file that is taken; `None` for every other file.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Some(Self::Webp),
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            _ => None,
        }
    }
}

/// A ticket without its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Its number within its account.
    pub no: TicketNo,
    /// On one line.
    pub subject: String,
    /// What it is about.
    pub kind: Kind,
    /// How much it matters to who asks.
    pub importance: Importance,
    /// Where it stands.
    pub status: Status,
    /// Whether the customer wants a message on the phone when it is answered.
    pub notify: bool,
    /// When it was opened.
    pub opened_at: UnixMillis,
    /// When something was last written, or when it was closed.
    pub changed_at: UnixMillis,
    /// How many messages it has.
    pub messages: u32,
    /// How many of them have a file.
    pub files: u32,
}

/// What is known of a message's file beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketFile {
    /// Its name, without folders; for people, and for no path.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// How large it is, in bytes.
    pub bytes: u32,
}

/// A message of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketMessage {
    /// Its place in the ticket, from 1.
    pub no: u32,
    /// Who wrote it.
    pub author: Author,
    /// What they wrote.
    pub text: String,
    /// When.
    pub at: UnixMillis,
    /// What they put beside it.
    pub file: Option<TicketFile>,
}

/// A message as it is kept: line ends are line feeds, other control characters and marks that show
/// nothing are left out. `None` where more than [`TEXT_CHARS_MAX`] remain.
#[must_use]
pub fn message_text(given: &str) -> Option<String> {
    // Every character that stays has one octet at least and four at most.
    if given.len() > TEXT_CHARS_MAX * 16 {
        return None;
    }
    let given = given.replace("\r\n", "\n").replace('\r', "\n");
    let kept = |c: char| match c {
        '\n' | ZWNJ => true,
        _ => !c.is_control() && !is_invisible(c),
    };
    let text: String = given
        .replace('\t', " ")
        .chars()
        .filter(|c| kept(*c))
        .collect();
    let text = text.trim();
    (text.chars().count() <= TEXT_CHARS_MAX).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_lead_back_to_what_they_mean() {
        assert_eq!(Kind::from_word(" LineServices "), Some(Kind::LineServices));
        assert_eq!(Importance::from_word("acute"), Some(Importance::Acute));
        for wrong in ["", "urgent", "low,middle", "پایین"] {
            assert_eq!(Importance::from_word(wrong), None, "{wrong}");
        }
        for status in Status::ALL {
            assert_eq!(Status::from_code(*status as u8), Some(*status));
            assert_eq!(Status::from_word(status.word()), Some(*status));
        }
        assert_eq!(Kind::from_code(9), None);
    }

    #[test]
    fn a_file_is_known_by_its_bytes() {
        for (bytes, kind) in [
            (&b"\xff\xd8\xff\xe0"[..], Some(FileKind::Jpeg)),
            (b"\x89PNG\r\n\x1a\n", Some(FileKind::Png)),
            (b"GIF89a", Some(FileKind::Gif)),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", Some(FileKind::Webp)),
            (b"%PDF-1.7", Some(FileKind::Pdf)),
            (b"<html><script>", None),
            (b"<svg onload=alert(1)>", None),
            (b"MZ\x90", None),
            (b"PK\x03\x04", None),
            (b"", None),
        ] {
            assert_eq!(FileKind::of(bytes), kind, "{bytes:?}");
        }
    }

    #[test]
    fn a_message_keeps_its_lines_and_loses_what_could_act() {
        assert_eq!(
            message_text(" خط\u{200c}ها\r\nدو\rسه\u{202e}\u{1b}[31m\0\t<b> \n").as_deref(),
            Some("خط\u{200c}ها\nدو\nسه[31m <b>")
        );
        assert_eq!(message_text("\u{202e}").as_deref(), Some(""));
        let longest = "é".repeat(TEXT_CHARS_MAX);
        assert_eq!(message_text(&longest), Some(longest.clone()));
        assert_eq!(message_text(&(longest + "x")), None);
        assert_eq!(message_text(&" ".repeat(TEXT_CHARS_MAX * 16 + 1)), None);
    }
}
