//! SMPP 3.4 as a pure machine over bytes.
//!
//! It frames, decodes and encodes PDUs, and keeps the state of one ESME session: bind, window,
//! sequence numbers, timers. It is lenient in what it takes and strict in what it sends.
//!
//! It is not a client: it owns no socket, no task and no clock. Time is an argument everywhere,
//! as a [`std::time::Duration`] since any fixed start the caller likes. It also does not read
//! the alphabets of texts; a text is octets here.

#![forbid(unsafe_code)]

pub mod command;
pub mod concat;
pub mod frame;
pub mod message_id;
pub mod pdu;
pub mod receipt;
pub mod session;
pub mod status;
pub mod tlv;
mod wire;

pub use command::CommandId;
pub use concat::Segment;
pub use frame::{Frame, FrameError, HEADER_LEN, Header, next_frame};
pub use message_id::{IdFormat, IdRules};
pub use pdu::{
    Address, Bind, BindResp, DecodeError, DeliverSm, EncodeError, Outbind, Pdu, SmResp, SubmitSm,
};
pub use receipt::{MessageState, Receipt, ReceiptStyle, Recognise};
pub use session::{
    BindMode, CloseReason, DeliverRef, EsmeSession, Event, ProtocolFault, SessionConfig,
    SessionCounts, SessionState, SubmitRefused,
};
pub use status::{Class, CommandStatus, StatusTable};
pub use tlv::{Tlv, Tlvs};
