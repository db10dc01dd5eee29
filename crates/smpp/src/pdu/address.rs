//! Addresses: type of number, numbering plan, and the digits (SMPP 3.4 sections 5.2.5 to 5.2.9).
//!
//! The digits are octets: alphanumeric senders are Latin-1 at some peers. Whether a number exists is
//! not known here.

use crate::pdu::{DecodeError, EncodeError};
use crate::wire::{Reader, put_c_string};

/// The longest address, in octets without its NUL (SMPP 3.4 section 5.2.8).
pub const ADDRESS_MAX: usize = 20;

/// Where a message comes from or goes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Address {
    /// Type of number (section 5.2.5): 1 international, 2 national, 5 alphanumeric.
    pub ton: u8,
    /// Numbering plan indicator (section 5.2.6): 1 is E.164.
    pub npi: u8,
    /// The digits or letters, without the NUL.
    pub digits: Vec<u8>,
}

impl Address {
    /// An address from its three parts.
    pub fn new(ton: u8, npi: u8, digits: impl Into<Vec<u8>>) -> Self {
        let digits = digits.into();
        Self { ton, npi, digits }
    }

    pub(crate) fn decode(
        reader: &mut Reader<'_>,
        field: &'static str,
    ) -> Result<Self, DecodeError> {
        Ok(Self {
            ton: reader.u8(field)?,
            npi: reader.u8(field)?,
            digits: reader.c_string(field)?,
        })
    }

    pub(crate) fn encode(&self, field: &'static str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(&[self.ton, self.npi]);
        put_c_string(out, field, &self.digits, ADDRESS_MAX)
    }
}
