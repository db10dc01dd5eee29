//! Reading and writing the field types of SMPP 3.4 (section 3.1): integers and C-octet strings.
//!
//! It knows no PDU. Reading is lenient, writing is strict.

use crate::command::CommandId;
use crate::frame::HEADER_LEN;
use crate::pdu::{DecodeError, EncodeError};
use crate::status::CommandStatus;

/// A cursor over the body of one PDU.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        let (first, rest) = self
            .rest
            .split_first()
            .ok_or(DecodeError::Truncated { field })?;
        self.rest = rest;
        Ok(*first)
    }

    /// A C-octet string of any length. At the end of the body a missing NUL is forgiven, because
    /// real peers leave it out of answers; a body with nothing left is an error.
    pub(crate) fn c_string(&mut self, field: &'static str) -> Result<Vec<u8>, DecodeError> {
        if self.rest.is_empty() {
            return Err(DecodeError::Truncated { field });
        }
        Ok(self.c_string_or_empty())
    }

    /// As [`Self::c_string`], but an absent field is an empty one.
    pub(crate) fn c_string_or_empty(&mut self) -> Vec<u8> {
        let (value, rest) = match self.rest.iter().position(|&octet| octet == 0) {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &self.rest[self.rest.len()..]),
        };
        self.rest = rest;
        value.to_vec()
    }

    pub(crate) fn octets(
        &mut self,
        count: usize,
        field: &'static str,
    ) -> Result<&'a [u8], DecodeError> {
        let (value, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(DecodeError::Truncated { field })?;
        self.rest = rest;
        Ok(value)
    }

    /// Everything not read yet.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }
}

/// Writes a C-octet string of at most `max` octets, its NUL not counted.
pub(crate) fn put_c_string(
    out: &mut Vec<u8>,
    field: &'static str,
    value: &[u8],
    max: usize,
) -> Result<(), EncodeError> {
    let length = value.len();
    if length > max {
        return Err(EncodeError::TooLong { field, length, max });
    }
    if value.contains(&0) {
        return Err(EncodeError::NulInside { field });
    }
    out.extend_from_slice(value);
    out.push(0);
    Ok(())
}

/// Appends one whole PDU; `body` appends the body. On an error `out` is as it was before.
pub(crate) fn put_pdu(
    out: &mut Vec<u8>,
    id: CommandId,
    status: CommandStatus,
    sequence: u32,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = out.len();
    let mut header = [0; HEADER_LEN];
    header[4..8].copy_from_slice(&u32::from(id).to_be_bytes());
    header[8..12].copy_from_slice(&status.0.to_be_bytes());
    header[12..16].copy_from_slice(&sequence.to_be_bytes());
    out.extend_from_slice(&header);
    let written = body(out).and_then(|()| {
        u32::try_from(out.len() - start).map_err(|_| EncodeError::TooLong {
            field: "command_length",
            length: out.len() - start,
            max: u32::MAX as usize,
        })
    });
    match written {
        Ok(length) => {
            out[start..start + 4].copy_from_slice(&length.to_be_bytes());
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

/// Appends a PDU that is a header alone.
pub(crate) fn put_bare(out: &mut Vec<u8>, id: CommandId, status: CommandStatus, sequence: u32) {
    out.reserve(HEADER_LEN);
    for word in [HEADER_LEN as u32, u32::from(id), status.0, sequence] {
        out.extend_from_slice(&word.to_be_bytes());
    }
}
