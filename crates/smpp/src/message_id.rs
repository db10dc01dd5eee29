//! Message ids and the quirks of those who issue them.
//!
//! An id is opaque octets (SMPP 3.4 section 5.2.23), but some centres give it in hexadecimal in
//! `submit_sm_resp` and in decimal in the receipt, or pad one of the two with zeros. The rules here
//! bring both to one canonical form, the key under which the answer is stored and the receipt
//! looked up. They do not guess: each link says what its centre does.

/// How a centre writes its ids in one place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum IdFormat {
    /// Text without a number behind it.
    #[default]
    AsIs,
    /// A hexadecimal number.
    Hex,
    /// A decimal number.
    Decimal,
}

/// What one centre does with its ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct IdRules {
    /// How ids are written in `submit_sm_resp`.
    pub answer: IdFormat,
    /// How ids are written in receipts.
    pub receipt: IdFormat,
    /// Whether zeros in front are padding.
    pub strip_leading_zeros: bool,
    /// Whether capitals and small letters are one.
    pub ignore_case: bool,
}

impl IdRules {
    /// The canonical form of an id out of a `submit_sm_resp`.
    pub fn answer_key(&self, raw: &[u8]) -> Vec<u8> {
        self.key(raw, self.answer)
    }

    /// The canonical form of an id out of a receipt.
    pub fn receipt_key(&self, raw: &[u8]) -> Vec<u8> {
        self.key(raw, self.receipt)
    }

    fn key(&self, raw: &[u8], format: IdFormat) -> Vec<u8> {
        if let Some(number) = number(raw, format) {
            return number.to_string().into_bytes();
        }
        let trimmed = raw.trim_ascii();
        let kept = if self.strip_leading_zeros {
            strip_zeros(trimmed)
        } else {
            trimmed
        };
        if self.ignore_case {
            kept.to_ascii_lowercase()
        } else {
            kept.to_vec()
        }
    }
}

/// The canonical form under one format and no other rule: a decimal number without leading zeros
/// for [`IdFormat::Hex`] and [`IdFormat::Decimal`], the text itself for [`IdFormat::AsIs`] and for
/// whatever is no such number or is over 128 bits.
pub fn canonical(raw: &[u8], format: IdFormat) -> Vec<u8> {
    IdRules::default().key(raw, format)
}

fn number(raw: &[u8], format: IdFormat) -> Option<u128> {
    let radix = match format {
        IdFormat::AsIs => return None,
        IdFormat::Hex => 16,
        IdFormat::Decimal => 10,
    };
    let text = std::str::from_utf8(raw.trim_ascii()).ok()?;
    // A sign is taken by the standard parser but is no digit of an id.
    if text.starts_with('+') {
        return None;
    }
    u128::from_str_radix(text, radix).ok()
}

/// Drops zeros in front, but keeps one where there is nothing else.
fn strip_zeros(text: &[u8]) -> &[u8] {
    let zeros = text.iter().take_while(|&&octet| octet == b'0').count();
    &text[zeros.min(text.len().saturating_sub(1))..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_in_the_answer_meets_decimal_in_the_receipt() {
        let rules = IdRules {
            answer: IdFormat::Hex,
            receipt: IdFormat::Decimal,
            ..IdRules::default()
        };
        assert_eq!(rules.answer_key(b"1A2B"), rules.receipt_key(b"6699"));
        assert_eq!(rules.answer_key(b"00001a2b"), rules.receipt_key(b"0006699"));
    }

    #[test]
    fn what_is_no_number_stays_text() {
        assert_eq!(canonical(b"XYZ", IdFormat::Hex), b"XYZ");
        assert_eq!(canonical(b"+12", IdFormat::Decimal), b"+12");
        let long = [b'f'; 33];
        assert_eq!(canonical(&long, IdFormat::Hex), long);
        assert_eq!(canonical(b"", IdFormat::Decimal), b"");
        assert_eq!(canonical(b"\xE9\xE9", IdFormat::Hex), b"\xE9\xE9");
    }

    #[test]
    fn zeros_and_case_are_settings() {
        let rules = IdRules {
            strip_leading_zeros: true,
            ignore_case: true,
            ..IdRules::default()
        };
        assert_eq!(rules.answer_key(b"000Ab"), b"ab");
        assert_eq!(rules.answer_key(b"000"), b"0");
        assert_eq!(IdRules::default().answer_key(b"000Ab"), b"000Ab");
    }
}
