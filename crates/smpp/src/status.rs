//! Command status codes (SMPP 3.4 section 5.1.3) and what to make of them.
//!
//! The table says whether the same message is worth sending again. It does not decide when, nor
//! how often: that is the business of whoever owns the queue.

use std::collections::BTreeMap;
use std::fmt;

/// The outcome of a request as its answer gives it (SMPP 3.4 section 5.1.3). Vendor codes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandStatus(pub u32);

/// What an outcome means for the message that earned it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Accepted.
    Ok,
    /// Not now, and slower from here: the peer is at its limit.
    Throttled,
    /// Not now, but the message itself is not at fault.
    Temporary,
    /// The same message would be refused again.
    Permanent,
}

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $class:ident;)*) => {
        impl CommandStatus {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// The name in the specification's words; `None` for reserved and vendor codes.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }

        const fn default_class(code: u32) -> Class {
            match code {
                $($code => Class::$class,)*
                _ => Class::Permanent,
            }
        }
    };
}

statuses! {
    /// No error.
    ESME_ROK = 0x00, Ok;
    /// Message length is invalid.
    ESME_RINVMSGLEN = 0x01, Permanent;
    /// Command length is invalid.
    ESME_RINVCMDLEN = 0x02, Permanent;
    /// Invalid command id.
    ESME_RINVCMDID = 0x03, Permanent;
    /// Incorrect bind status: the bind is at fault, not the message.
    ESME_RINVBNDSTS = 0x04, Temporary;
    /// Already bound.
    ESME_RALYBND = 0x05, Temporary;
    /// Invalid priority flag.
    ESME_RINVPRTFLG = 0x06, Permanent;
    /// Invalid registered delivery flag.
    ESME_RINVREGDLVFLG = 0x07, Permanent;
    /// System error.
    ESME_RSYSERR = 0x08, Temporary;
    /// Invalid source address.
    ESME_RINVSRCADR = 0x0A, Permanent;
    /// Invalid destination address.
    ESME_RINVDSTADR = 0x0B, Permanent;
    /// Invalid message id.
    ESME_RINVMSGID = 0x0C, Permanent;
    /// Bind failed.
    ESME_RBINDFAIL = 0x0D, Temporary;
    /// Invalid password.
    ESME_RINVPASWD = 0x0E, Permanent;
    /// Invalid system id.
    ESME_RINVSYSID = 0x0F, Permanent;
    /// `cancel_sm` failed.
    ESME_RCANCELFAIL = 0x11, Permanent;
    /// `replace_sm` failed.
    ESME_RREPLACEFAIL = 0x13, Permanent;
    /// Message queue full.
    ESME_RMSGQFUL = 0x14, Throttled;
    /// Invalid service type.
    ESME_RINVSERTYP = 0x15, Permanent;
    /// Invalid number of destinations.
    ESME_RINVNUMDESTS = 0x33, Permanent;
    /// Invalid distribution list name.
    ESME_RINVDLNAME = 0x34, Permanent;
    /// Invalid destination flag.
    ESME_RINVDESTFLAG = 0x40, Permanent;
    /// Invalid submit-with-replace request.
    ESME_RINVSUBREP = 0x42, Permanent;
    /// Invalid esm_class.
    ESME_RINVESMCLASS = 0x43, Permanent;
    /// Cannot submit to distribution list.
    ESME_RCNTSUBDL = 0x44, Permanent;
    /// `submit_sm` failed.
    ESME_RSUBMITFAIL = 0x45, Permanent;
    /// Invalid source type of number.
    ESME_RINVSRCTON = 0x48, Permanent;
    /// Invalid source numbering plan.
    ESME_RINVSRCNPI = 0x49, Permanent;
    /// Invalid destination type of number.
    ESME_RINVDSTTON = 0x50, Permanent;
    /// Invalid destination numbering plan.
    ESME_RINVDSTNPI = 0x51, Permanent;
    /// Invalid system type.
    ESME_RINVSYSTYP = 0x53, Permanent;
    /// Invalid replace_if_present flag.
    ESME_RINVREPFLAG = 0x54, Permanent;
    /// Invalid number of messages.
    ESME_RINVNUMMSGS = 0x55, Permanent;
    /// Throttling: the ESME exceeded its allowed rate.
    ESME_RTHROTTLED = 0x58, Throttled;
    /// Invalid scheduled delivery time.
    ESME_RINVSCHED = 0x61, Permanent;
    /// Invalid validity period.
    ESME_RINVEXPIRY = 0x62, Permanent;
    /// Predefined message invalid or not found.
    ESME_RINVDFTMSGID = 0x63, Permanent;
    /// Temporary error of the receiving application.
    ESME_RX_T_APPN = 0x64, Temporary;
    /// Permanent error of the receiving application.
    ESME_RX_P_APPN = 0x65, Permanent;
    /// Rejected by the receiving application.
    ESME_RX_R_APPN = 0x66, Permanent;
    /// `query_sm` failed.
    ESME_RQUERYFAIL = 0x67, Permanent;
    /// Error in the optional part of the body.
    ESME_RINVOPTPARSTREAM = 0xC0, Permanent;
    /// Optional parameter not allowed.
    ESME_ROPTPARNOTALLWD = 0xC1, Permanent;
    /// Invalid parameter length.
    ESME_RINVPARLEN = 0xC2, Permanent;
    /// Expected optional parameter missing.
    ESME_RMISSINGOPTPARAM = 0xC3, Permanent;
    /// Invalid optional parameter value.
    ESME_RINVOPTPARAMVAL = 0xC4, Permanent;
    /// Delivery failure (`data_sm_resp`).
    ESME_RDELIVERYFAILURE = 0xFE, Permanent;
    /// Unknown error: the peer itself cannot blame the message.
    ESME_RUNKNOWNERR = 0xFF, Temporary;
}

impl CommandStatus {
    /// Whether this is `ESME_ROK`.
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for CommandStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (0x{:02X})", self.0),
            None => write!(f, "0x{:08X}", self.0),
        }
    }
}

/// Classes of status codes: the defaults of this crate, with the peculiarities of one peer on top.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusTable {
    overrides: BTreeMap<u32, Class>,
}

impl StatusTable {
    /// The defaults alone: 0 is `Ok`, `ESME_RTHROTTLED` and `ESME_RMSGQFUL` are `Throttled`,
    /// system and bind trouble is `Temporary`, everything else (vendor codes too) is `Permanent`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says what `status` means at this peer. Success stays success: an override of 0 is ignored,
    /// because a message that was accepted must never be sent again.
    #[must_use]
    pub fn with(mut self, status: CommandStatus, class: Class) -> Self {
        if !status.is_ok() {
            self.overrides.insert(status.0, class);
        }
        self
    }

    /// The class of one status.
    pub fn class(&self, status: CommandStatus) -> Class {
        if status.is_ok() || self.overrides.is_empty() {
            return default_class(status.0);
        }
        let own = self.overrides.get(&status.0).copied();
        own.unwrap_or_else(|| default_class(status.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttling_and_a_full_queue_are_one_class() {
        let table = StatusTable::new();
        assert_eq!(table.class(CommandStatus(0x58)), Class::Throttled);
        assert_eq!(table.class(CommandStatus(0x14)), Class::Throttled);
        assert_eq!(table.class(CommandStatus(0x08)), Class::Temporary);
        assert_eq!(table.class(CommandStatus(0x0B)), Class::Permanent);
        assert_eq!(table.class(CommandStatus(0x0405)), Class::Permanent);
        assert_eq!(table.class(CommandStatus(0)), Class::Ok);
    }

    #[test]
    fn an_override_wins_except_over_success() {
        let table = StatusTable::new()
            .with(CommandStatus(0x0405), Class::Throttled)
            .with(CommandStatus(0), Class::Permanent);
        assert_eq!(table.class(CommandStatus(0x0405)), Class::Throttled);
        assert_eq!(table.class(CommandStatus(0)), Class::Ok);
    }

    #[test]
    fn names_are_the_specifications() {
        assert_eq!(CommandStatus(0x58).to_string(), "ESME_RTHROTTLED (0x58)");
        assert_eq!(CommandStatus(0x0401).to_string(), "0x00000401");
    }
}
