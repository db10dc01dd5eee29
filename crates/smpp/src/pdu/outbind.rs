//! `outbind`: an SMSC asks an ESME to bind as a receiver (SMPP 3.4 section 4.1.7).
//!
//! It is read so that it can be logged; this platform binds on its own schedule.

use crate::pdu::{DecodeError, EncodeError, PASSWORD_MAX, SYSTEM_ID_MAX};
use crate::wire::{Reader, put_c_string};

/// Who asks to be bound to.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Outbind {
    /// The name of the SMSC.
    pub system_id: Vec<u8>,
    /// Its password; never shown by `Debug`.
    pub password: Vec<u8>,
}

impl std::fmt::Debug for Outbind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbind")
            .field("system_id", &String::from_utf8_lossy(&self.system_id))
            .finish_non_exhaustive()
    }
}

impl Outbind {
    /// Reads the body; a missing password is an empty one.
    ///
    /// # Errors
    /// [`DecodeError`] when `system_id` is missing.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        Ok(Self {
            system_id: reader.c_string("system_id")?,
            password: reader.c_string_or_empty(),
        })
    }

    pub(crate) fn encode_body(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        put_c_string(out, "system_id", &self.system_id, SYSTEM_ID_MAX)?;
        put_c_string(out, "password", &self.password, PASSWORD_MAX)
    }
}
