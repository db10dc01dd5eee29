//! `bind_transmitter`, `bind_receiver`, `bind_transceiver` and their answers (SMPP 3.4 section 4.1).
//!
//! The three share one body. Passwords are read at any length, because peers hand out longer ones
//! than the specification's eight octets; writing one needs [`Bind::long_credentials`].

use std::fmt;

use crate::pdu::{DecodeError, EncodeError};
use crate::tlv::{Tlvs, tag};
use crate::wire::{Reader, put_c_string};

/// The longest `system_id`, in octets without its NUL (SMPP 3.4 section 5.2.1).
pub const SYSTEM_ID_MAX: usize = 15;
/// The longest `password`, in octets without its NUL (SMPP 3.4 section 5.2.2).
pub const PASSWORD_MAX: usize = 8;
/// The longest `system_type`, in octets without its NUL (SMPP 3.4 section 5.2.3).
pub const SYSTEM_TYPE_MAX: usize = 12;
/// The longest `address_range`, in octets without its NUL (SMPP 3.4 section 5.2.7).
pub const ADDRESS_RANGE_MAX: usize = 40;
/// The `interface_version` of SMPP 3.4 (section 5.2.4).
pub const INTERFACE_VERSION_34: u8 = 0x34;

/// The longest `system_id` and `password` with [`Bind::long_credentials`], in octets.
const LONG_CREDENTIAL_MAX: usize = 255;

/// Who binds, and for which addresses.
#[derive(Clone, PartialEq, Eq)]
pub struct Bind {
    /// The name of the ESME.
    pub system_id: Vec<u8>,
    /// Its password; never shown by `Debug`.
    pub password: Vec<u8>,
    /// The kind of ESME, empty when unused.
    pub system_type: Vec<u8>,
    /// The version this side speaks, 0x34 for SMPP 3.4.
    pub interface_version: u8,
    /// Type of number of the addresses served.
    pub addr_ton: u8,
    /// Numbering plan of the addresses served.
    pub addr_npi: u8,
    /// The addresses served, empty when the SMSC knows.
    pub address_range: Vec<u8>,
    /// Lets `system_id` and `password` have up to 255 octets. It is not on the wire: set it for
    /// an SMSC that issued credentials longer than its own specification allows.
    pub long_credentials: bool,
}

impl Default for Bind {
    fn default() -> Self {
        Self {
            system_id: Vec::new(),
            password: Vec::new(),
            system_type: Vec::new(),
            interface_version: INTERFACE_VERSION_34,
            addr_ton: 0,
            addr_npi: 0,
            address_range: Vec::new(),
            long_credentials: false,
        }
    }
}

impl fmt::Debug for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bind")
            .field("system_id", &String::from_utf8_lossy(&self.system_id))
            .field("system_type", &String::from_utf8_lossy(&self.system_type))
            .field("interface_version", &self.interface_version)
            .finish_non_exhaustive()
    }
}

impl Bind {
    /// Reads the body. Lengths beyond the specification's are taken, and everything after the
    /// password may be missing.
    ///
    /// # Errors
    /// [`DecodeError`] when `system_id` or `password` is missing.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let system_id = reader.c_string("system_id")?;
        let password = reader.c_string("password")?;
        let long_credentials = system_id.len() > SYSTEM_ID_MAX || password.len() > PASSWORD_MAX;
        Ok(Self {
            system_id,
            password,
            system_type: reader.c_string_or_empty(),
            interface_version: reader.u8("interface_version").unwrap_or(0),
            addr_ton: reader.u8("addr_ton").unwrap_or(0),
            addr_npi: reader.u8("addr_npi").unwrap_or(0),
            address_range: reader.c_string_or_empty(),
            long_credentials,
        })
    }

    pub(crate) fn encode_body(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let (id_max, password_max) = if self.long_credentials {
            (LONG_CREDENTIAL_MAX, LONG_CREDENTIAL_MAX)
        } else {
            (SYSTEM_ID_MAX, PASSWORD_MAX)
        };
        put_c_string(out, "system_id", &self.system_id, id_max)?;
        put_c_string(out, "password", &self.password, password_max)?;
        put_c_string(out, "system_type", &self.system_type, SYSTEM_TYPE_MAX)?;
        out.extend_from_slice(&[self.interface_version, self.addr_ton, self.addr_npi]);
        put_c_string(out, "address_range", &self.address_range, ADDRESS_RANGE_MAX)
    }
}

/// The SMSC's answer to a bind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BindResp {
    /// The name of the SMSC; empty in error answers without a body.
    pub system_id: Vec<u8>,
    /// Optional parameters, see [`BindResp::sc_interface_version`].
    pub tlvs: Tlvs,
}

impl BindResp {
    /// Reads the body; an absent one is an empty answer.
    pub fn decode(body: &[u8]) -> Self {
        let mut reader = Reader::new(body);
        Self {
            system_id: reader.c_string_or_empty(),
            tlvs: Tlvs::decode(reader.rest()),
        }
    }

    /// The version the SMSC speaks, when it says (SMPP 3.4 section 5.3.2.25).
    pub fn sc_interface_version(&self) -> Option<u8> {
        let version = self.tlvs.integer(tag::SC_INTERFACE_VERSION)?;
        u8::try_from(version).ok()
    }

    pub(crate) fn encode_body(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        put_c_string(out, "system_id", &self.system_id, SYSTEM_ID_MAX)?;
        self.tlvs.encode(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twelve_octet_password_is_read_and_written_only_on_request() {
        let body = b"esme\0twelve-chars\0\0\x34\0\0\0";
        let mut bind = Bind::decode(body).unwrap();
        assert_eq!(bind.password, b"twelve-chars");
        let mut out = Vec::new();
        bind.encode_body(&mut out).unwrap();
        assert_eq!(out, body);
        bind.long_credentials = false;
        assert_eq!(
            bind.encode_body(&mut Vec::new()),
            Err(EncodeError::TooLong {
                field: "password",
                length: 12,
                max: 8
            })
        );
    }

    #[test]
    fn the_password_is_not_in_the_debug_text() {
        let bind = Bind {
            password: b"secret".to_vec(),
            ..Bind::default()
        };
        assert!(!format!("{bind:?}").contains("secret"));
        assert!(!format!("{bind:?}").contains("115"));
    }
}
