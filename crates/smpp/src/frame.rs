//! Framing by `command_length` (SMPP 3.4 section 3.2): where one PDU ends and the next begins.
//!
//! Framing comes first and decoding second, so a body that makes no sense costs one answer and
//! not the connection. Only a length that cannot be true is fatal: after it nobody knows where the
//! next PDU begins.

use thiserror::Error;

use crate::command::CommandId;
use crate::status::CommandStatus;

/// Octets of a PDU header (SMPP 3.4 section 3.2).
pub const HEADER_LEN: usize = 16;

/// The default limit for one PDU, in octets: room for a 64 KiB `message_payload` and its company.
pub const DEFAULT_MAX_FRAME: usize = 70_000;

/// The four words before every body (SMPP 3.4 section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What is asked or answered.
    pub id: CommandId,
    /// The outcome, in answers; 0 in requests.
    pub status: CommandStatus,
    /// Pairs an answer with its request.
    pub sequence: u32,
}

/// One PDU as it lies in the read buffer, its body not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The header without its length.
    pub header: Header,
    /// Everything after the header.
    pub body: &'a [u8],
}

/// A `command_length` that cannot be true. The owner of the connection closes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// Shorter than a header.
    #[error("command_length {length} is shorter than a header")]
    TooShort {
        /// The length as received, in octets.
        length: u32,
    },
    /// Longer than this side is willing to hold.
    #[error("command_length {length} is over the limit of {max} octets")]
    TooLong {
        /// The length as received, in octets.
        length: u32,
        /// The limit, in octets.
        max: usize,
    },
}

/// The first frame of `buffer` and its whole length in octets; `None` when it is not all there.
///
/// The length is judged as soon as its four octets are there, so a peer cannot make this side
/// wait for the rest of an impossible PDU.
///
/// # Errors
/// [`FrameError`] when the length is below 16 or above `max_frame`.
pub fn next_frame(
    buffer: &[u8],
    max_frame: usize,
) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    let Some(length) = word(buffer, 0) else {
        return Ok(None);
    };
    let whole = length as usize;
    if whole < HEADER_LEN {
        return Err(FrameError::TooShort { length });
    }
    if whole > max_frame {
        let max = max_frame;
        return Err(FrameError::TooLong { length, max });
    }
    if buffer.len() < whole {
        return Ok(None);
    }
    let (Some(id), Some(status), Some(sequence)) =
        (word(buffer, 4), word(buffer, 8), word(buffer, 12))
    else {
        return Ok(None);
    };
    let header = Header {
        id: CommandId::from(id),
        status: CommandStatus(status),
        sequence,
    };
    let body = &buffer[HEADER_LEN..whole];
    Ok(Some((Frame { header, body }, whole)))
}

fn word(buffer: &[u8], at: usize) -> Option<u32> {
    let octets = buffer.get(at..at + 4)?;
    Some(u32::from_be_bytes(octets.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::put_bare;

    #[test]
    fn a_partial_frame_waits() {
        let mut bytes = Vec::new();
        put_bare(&mut bytes, CommandId::EnquireLink, CommandStatus(0), 7);
        for end in 0..bytes.len() {
            assert_eq!(next_frame(&bytes[..end], 100), Ok(None));
        }
        let (frame, used) = next_frame(&bytes, 100).unwrap().unwrap();
        assert_eq!((frame.header.sequence, used), (7, 16));
    }

    #[test]
    fn an_impossible_length_is_refused_at_four_octets() {
        assert_eq!(
            next_frame(&[0, 0, 0, 15], 100),
            Err(FrameError::TooShort { length: 15 })
        );
        assert_eq!(
            next_frame(&[0, 0, 0, 101], 100),
            Err(FrameError::TooLong {
                length: 101,
                max: 100
            })
        );
    }
}
