//! Words as columns of text can keep them. PostgreSQL has no U+0000 there and refuses the whole
//! statement, with everything that is in one group with it; so what comes from outside gets
//! U+FFFD in its place, in every parameter of every statement.

use crate::db::Param;
use bytes::BytesMut;
use std::error::Error;
use tokio_postgres::types::{Format, IsNull, Kind, ToSql, Type};

/// What stands for an octet 0.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// A parameter whose words the database can keep.
#[derive(Debug)]
pub(crate) struct Storable<'a>(pub(crate) Param<'a>);

/// Parameters as statements take them.
pub(crate) fn storable<'a>(params: impl IntoIterator<Item = Param<'a>>) -> Vec<Storable<'a>> {
    params.into_iter().map(Storable).collect()
}

impl ToSql for Storable<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let from = out.len();
        let null = self.0.to_sql_checked(ty, out)?;
        if matches!(null, IsNull::No) {
            clean(ty, from, out);
        }
        Ok(null)
    }

    fn accepts(_: &Type) -> bool {
        // The parameter inside is asked when it is written.
        true
    }

    fn to_sql_checked(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql(ty, out)
    }

    fn encode_format(&self, ty: &Type) -> Format {
        self.0.encode_format(ty)
    }
}

/// Replaces octets 0 in words that were written from `from` on.
fn clean(ty: &Type, from: usize, out: &mut BytesMut) {
    if *ty == Type::TEXT {
        if out[from..].contains(&0) {
            let words = out.split_off(from);
            push_words(&words, out);
        }
        return;
    }
    if matches!(ty.kind(), Kind::Array(of) if *of == Type::TEXT) && any_in_array(&out[from..]) {
        let array = out.split_off(from);
        rewrite_array(&array, out);
    }
}

fn push_words(words: &[u8], out: &mut BytesMut) {
    for (at, piece) in words.split(|octet| *octet == 0).enumerate() {
        if at > 0 {
            out.extend_from_slice(REPLACEMENT);
        }
        out.extend_from_slice(piece);
    }
}

/// The elements of an array in the binary format: a head (dimensions, flags, type, and for each
/// dimension its length and first index, of four octets each), then each element with its length
/// before it, -1 for NULL. See PostgreSQL's `array_recv`.
fn elements(array: &[u8]) -> (usize, impl Iterator<Item = Option<&[u8]>>) {
    let four = |at: usize| {
        let octets = array.get(at..at + 4).and_then(|four| four.try_into().ok());
        octets.map(i32::from_be_bytes)
    };
    let dimensions = four(0).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let head = (12 + 8 * dimensions).min(array.len());
    let mut at = head;
    let elements = std::iter::from_fn(move || {
        let length = four(at)?;
        at += 4;
        let Ok(length) = usize::try_from(length) else {
            return Some(None);
        };
        let element = array.get(at..at + length)?;
        at += length;
        Some(Some(element))
    });
    (head, elements)
}

fn any_in_array(array: &[u8]) -> bool {
    elements(array).1.flatten().any(|words| words.contains(&0))
}

fn rewrite_array(array: &[u8], out: &mut BytesMut) {
    let (head, elements) = elements(array);
    out.extend_from_slice(&array[..head]);
    for element in elements {
        let Some(words) = element else {
            out.extend_from_slice(&(-1_i32).to_be_bytes());
            continue;
        };
        let place = out.len();
        out.extend_from_slice(&[0; 4]);
        push_words(words, out);
        let length = i32::try_from(out.len() - place - 4).unwrap_or(i32::MAX);
        out[place..place + 4].copy_from_slice(&length.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(param: Param<'_>, ty: &Type) -> Vec<u8> {
        let mut out = BytesMut::from(&b"\0before"[..]);
        Storable(param)
            .to_sql_checked(ty, &mut out)
            .expect("it fits");
        assert_eq!(&out[..7], b"\0before", "what stood there stays");
        out[7..].to_vec()
    }

    fn plain(param: Param<'_>, ty: &Type) -> Vec<u8> {
        let mut out = BytesMut::new();
        param.to_sql_checked(ty, &mut out).expect("it fits");
        out.to_vec()
    }

    #[test]
    fn a_zero_becomes_the_replacement_character_and_nothing_else_changes() {
        for (given, kept) in [
            ("", ""),
            ("سلام", "سلام"),
            ("\0", "\u{fffd}"),
            ("a\0\0b\0", "a\u{fffd}\u{fffd}b\u{fffd}"),
        ] {
            assert_eq!(written(&given, &Type::TEXT), kept.as_bytes());
        }
    }

    #[test]
    fn words_in_arrays_keep_their_places_and_their_nulls() {
        let given = vec![
            Some("a\0b".to_owned()),
            None,
            Some(String::new()),
            Some("\0".into()),
        ];
        let kept: Vec<Option<String>> = given
            .iter()
            .map(|words| words.as_ref().map(|words| words.replace('\0', "\u{fffd}")))
            .collect();
        let ty = &Type::TEXT_ARRAY;
        assert_eq!(written(&given, ty), plain(&kept, ty));
        let empty: Vec<String> = Vec::new();
        assert_eq!(written(&empty, ty), plain(&empty, ty));
    }

    #[test]
    fn octets_and_numbers_may_be_zero() {
        let octets: Vec<u8> = vec![0, 1, 0];
        assert_eq!(written(&octets, &Type::BYTEA), octets);
        assert_eq!(written(&0_i64, &Type::INT8), [0; 8]);
        let many = vec![octets];
        assert_eq!(
            written(&many, &Type::BYTEA_ARRAY),
            plain(&many, &Type::BYTEA_ARRAY)
        );
    }
}
