//! The text of a message: which alphabet it needs, how many parts it makes, how it is cut and
//! encoded, and how it is compared.
//!
//! Not here: prices (`tariff`), and the header that joins the parts of a long message, which the
//! protocol writes. The text that is sent is never changed here.

mod gsm;
mod measure;
mod normalise;
mod segments;

pub use measure::{Measure, measure};
pub use normalise::{ascii_digit, is_invisible, normalise_for_matching};
pub use segments::{Segments, decode, segments};

use serde::{Deserialize, Serialize};

/// The most parts that one message may have. A recipient's row keeps what is known of each part
/// in a set of 32 bits. [`measure`] and [`segments`] do not enforce it: whoever accepts a
/// message does.
pub const PARTS_MAX: u32 = 32;

/// How the characters of a message are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alphabet {
    /// The GSM 7-bit default alphabet with its extension table (3GPP TS 23.038, 6.2.1).
    Gsm7,
    /// UCS-2 (3GPP TS 23.038, 6.2.3), with UTF-16 surrogate pairs as handsets use them. One
    /// Persian character makes the whole text UCS-2.
    Ucs2,
}

impl Alphabet {
    /// The value of `data_coding` in SMPP and TP-DCS (3GPP TS 23.038, 4): 0 or 8.
    #[must_use]
    pub fn data_coding(self) -> u8 {
        match self {
            Self::Gsm7 => 0x00,
            Self::Ucs2 => 0x08,
        }
    }

    /// Units (septets or UTF-16 code units) that fit into a message of one part: the 140 octets
    /// of TP-User-Data (3GPP TS 23.040, 9.2.3.24).
    #[must_use]
    pub fn single_units(self) -> u32 {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Units that fit into each part of several: the 140 octets less the header that joins them,
    /// of 6 octets or 7 (3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8).
    #[must_use]
    pub fn part_units(self, reference: ReferenceBits) -> u32 {
        match (self, reference) {
            (Self::Gsm7, ReferenceBits::Eight) => 153,
            (Self::Gsm7, ReferenceBits::Sixteen) => 152,
            (Self::Ucs2, ReferenceBits::Eight) => 67,
            (Self::Ucs2, ReferenceBits::Sixteen) => 66,
        }
    }
}

/// Width of the reference number that joins the parts of a long message; a property of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReferenceBits {
    /// 8 bits, the usual (3GPP TS 23.040, 9.2.3.24.1).
    Eight,
    /// 16 bits (3GPP TS 23.040, 9.2.3.24.8).
    Sixteen,
}
