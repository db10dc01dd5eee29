//! What a session tells its owner, in the order in which it happened.

use std::time::Duration;

use thiserror::Error;

use crate::command::CommandId;
use crate::frame::FrameError;
use crate::pdu::{DecodeError, DeliverSm, EncodeError};
use crate::status::{Class, CommandStatus};

/// Something that happened on the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The bind was accepted.
    Bound {
        /// The name of the SMSC.
        system_id: Vec<u8>,
        /// The version it speaks, when it says.
        sc_interface_version: Option<u8>,
    },
    /// The bind was refused; [`Event::Closed`] follows.
    BindRefused {
        /// Why.
        status: CommandStatus,
    },
    /// A submitted message was answered; exactly one of this and [`Event::AnswerLost`] comes for
    /// each accepted `submit`.
    Answer {
        /// The owner's name for the message.
        ticket: u64,
        /// The outcome; never `ESME_ROK` when the peer sent a `generic_nack`.
        status: CommandStatus,
        /// The outcome's class in the table of the configuration.
        class: Class,
        /// What the peer calls the message, raw; `None` when it named none.
        message_id: Option<Box<[u8]>>,
        /// From `submit` to here.
        round_trip: Duration,
    },
    /// No answer came in time, or none can come any more. Whether the peer has the message is
    /// unknown.
    AnswerLost {
        /// The owner's name for the message.
        ticket: u64,
    },
    /// An answer to a message that was reported lost before.
    LateAnswer {
        /// The owner's name for the message.
        ticket: u64,
        /// The outcome.
        status: CommandStatus,
        /// What the peer calls the message, raw.
        message_id: Option<Box<[u8]>>,
    },
    /// A receipt or a mobile-originated message. It waits for [`deliver_resp`].
    ///
    /// [`deliver_resp`]: crate::EsmeSession::deliver_resp
    Deliver {
        /// What to answer with.
        reply: DeliverRef,
        /// The message.
        sm: DeliverSm,
    },
    /// The peer broke a rule and the session goes on; for logs.
    ProtocolError(ProtocolFault),
    /// The session is over: write what is in `out`, then close the socket. Always the last event.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}

/// Names one `deliver_sm` or `data_sm` for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeliverRef {
    /// Its sequence number.
    pub sequence: u32,
    /// Whether it was a `data_sm`.
    pub data_sm: bool,
}

/// A rule the peer broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProtocolFault {
    /// A body that cannot be read; it was answered with `generic_nack`.
    #[error("{id} {sequence} has a bad body: {error}")]
    BadBody {
        /// What it claimed to be.
        id: CommandId,
        /// Its sequence number.
        sequence: u32,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// A request that an ESME does not serve; it was answered with `generic_nack`.
    #[error("{id} {sequence} is not served")]
    Unserved {
        /// What was asked.
        id: CommandId,
        /// Its sequence number.
        sequence: u32,
    },
    /// A PDU that needs no answer and means nothing here.
    #[error("{id} was ignored")]
    Ignored {
        /// What it was.
        id: CommandId,
    },
    /// An answer that nobody waits for.
    #[error("{id} {sequence} with status {status} answers nothing")]
    UnknownAnswer {
        /// What it claimed to answer.
        id: CommandId,
        /// Its sequence number.
        sequence: u32,
        /// Its status.
        status: CommandStatus,
    },
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CloseReason {
    /// The owner said that the socket is gone.
    #[error("the connection was lost")]
    ConnectionLost,
    /// The bind was refused.
    #[error("the bind was refused with {0}")]
    BindRefused(CommandStatus),
    /// No answer to the bind in time.
    #[error("the bind was not answered in time")]
    BindTimeout,
    /// No sign of life after `enquire_link` in time.
    #[error("enquire_link was not answered in time")]
    EnquireTimeout,
    /// Our `unbind` was answered.
    #[error("unbound")]
    Unbound,
    /// Our `unbind` was not answered in time.
    #[error("unbind was not answered in time")]
    UnbindTimeout,
    /// The peer sent `unbind`.
    #[error("the peer unbound")]
    PeerUnbound,
    /// The stream cannot be read on.
    #[error(transparent)]
    BadLength(#[from] FrameError),
}

/// Why a message was not written. It is as if `submit` had not been called.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SubmitRefused {
    /// As many messages wait for their answers as the window allows: try after the next answer.
    #[error("the window is full")]
    WindowFull,
    /// The session cannot submit now, or, on a receiver bind, ever.
    #[error("the session is not bound for submitting")]
    NotBound,
    /// The message itself cannot be sent by anyone.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}
