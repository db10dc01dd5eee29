//! The handle on a running simulator, and the task that accepts connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use smpp::{Address, DeliverSm, Segment};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

use crate::config::SimConfig;
use crate::connection::serve;
use crate::garbage::Garbage;
use crate::hub::{Hub, Order, SimCounts, SimEvent, SubmitRecord};
use crate::mailbox::{Delivery, Mailbox};
use crate::script::Script;

/// Octets of a text in one message, and in each of several (3GPP TS 23.040: 140 less a header of 6).
const OCTETS_MAX: (usize, usize) = (140, 134);
/// The same in unpacked septets, which is how the SMSC's default alphabet travels over SMPP.
const SEPTETS_MAX: (usize, usize) = (160, 153);
/// How long to wait before the port is tried again.
const REOPEN_PAUSE: Duration = Duration::from_millis(50);
/// How long to wait after a failed accept, which is usually a lack of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// How many segments a message can have.
const SEGMENTS_MAX: usize = 255;

/// Why the simulator cannot do something.
#[derive(Debug, Error)]
pub enum SimError {
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The system gave no random seed.
    #[error("no random seed: {0}")]
    Random(getrandom::Error),
    /// Nobody ever bound, so there is nobody to deliver to.
    #[error("nobody has bound yet")]
    Nobody,
    /// The text does not fit into 255 segments.
    #[error("the text does not fit into {SEGMENTS_MAX} segments")]
    TooLong,
    /// The simulator is stopping.
    #[error("the simulator is stopped")]
    Stopped,
}

/// A mobile-originated message.
#[derive(Debug, Clone, Default)]
pub struct Mo {
    /// For whom; `None` for anybody who takes deliveries.
    pub system_id: Option<Vec<u8>>,
    /// The handset.
    pub from: Address,
    /// The line.
    pub to: Address,
    /// The alphabet (SMPP 3.4 section 5.2.19): 0 for one octet a character, 8 for UCS-2.
    pub data_coding: u8,
    /// The text; a long one is cut into segments with a UDH.
    pub payload: Vec<u8>,
}

/// What the acceptor is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Open,
    Shut,
    Stopped,
}

/// A running simulator. Dropping it ends the connections too, but only [`Sim::stop`] waits for them.
#[derive(Debug)]
pub struct Sim {
    hub: Arc<Hub>,
    addr: SocketAddr,
    door: watch::Sender<Door>,
    /// What the door is now, as the acceptor says.
    is: watch::Receiver<Door>,
    dropped: watch::Sender<u64>,
    acceptor: JoinHandle<()>,
    reference: AtomicU8,
}

impl Sim {
    /// Listens and serves from now on.
    ///
    /// # Errors
    /// [`SimError::Listen`] and [`SimError::Random`].
    pub async fn start(config: SimConfig) -> Result<Self, SimError> {
        let seed = match config.seed {
            Some(seed) => seed,
            None => random_seed()?,
        };
        let (listener, addr) = listen(config.listen).await?;
        let hub = Arc::new(Hub::new(config, seed));
        let (door, wanted) = watch::channel(Door::Open);
        let (said, is) = watch::channel(Door::Open);
        let dropped = watch::Sender::new(0);
        let acceptor = Acceptor {
            hub: Arc::clone(&hub),
            addr,
            wanted,
            said,
            dropped: dropped.clone(),
            next_connection: 1,
            connections: JoinSet::new(),
        };
        Ok(Self {
            hub,
            addr,
            door,
            is,
            dropped,
            acceptor: tokio::spawn(acceptor.run(listener)),
            reference: AtomicU8::new(0),
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The handle on its behaviour.
    pub fn script(&self) -> Script {
        self.hub.script.clone()
    }

    /// How often things happened.
    pub fn counts(&self) -> SimCounts {
        self.hub.counts()
    }

    /// The messages on record, in the order of their reading.
    pub fn submits(&self) -> Vec<SubmitRecord> {
        self.hub.records()
    }

    /// Empties the record.
    pub fn clear_submits(&self) {
        self.hub.clear_records();
    }

    /// Closes all connections without a word; new ones are taken.
    pub fn drop_connections(&self) {
        self.dropped.send_modify(|epoch| *epoch += 1);
    }

    /// Refuses new connections and closes those there are. Returns when the port is closed.
    ///
    /// # Errors
    /// [`SimError::Stopped`].
    pub async fn down(&self) -> Result<(), SimError> {
        self.door.send_replace(Door::Shut);
        self.wait_for(Door::Shut).await
    }

    /// Takes connections again after [`Sim::down`], on the same port. Returns when it does.
    ///
    /// # Errors
    /// [`SimError::Stopped`].
    pub async fn up(&self) -> Result<(), SimError> {
        self.door.send_replace(Door::Open);
        self.wait_for(Door::Open).await
    }

    /// Sends a mobile-originated message, cut into segments when it is long, and gives their
    /// number. It waits in the mailbox until a receiver takes it.
    ///
    /// # Errors
    /// [`SimError::Nobody`] and [`SimError::TooLong`].
    pub fn send_mo(&self, mo: &Mo) -> Result<usize, SimError> {
        let mailbox = self.mailbox(mo.system_id.as_deref())?;
        let (single, each) = if mo.data_coding == 0 {
            SEPTETS_MAX
        } else {
            OCTETS_MAX
        };
        let whole = DeliverSm {
            source: mo.from.clone(),
            destination: mo.to.clone(),
            data_coding: mo.data_coding,
            ..DeliverSm::default()
        };
        let mut messages = Vec::new();
        if mo.payload.len() <= single {
            let short_message = mo.payload.clone();
            messages.push(DeliverSm {
                short_message,
                ..whole
            });
        } else {
            let total = u8::try_from(mo.payload.len().div_ceil(each));
            let total = total.map_err(|_| SimError::TooLong)?;
            let reference = u16::from(self.reference.fetch_add(1, Ordering::Relaxed));
            for (number, part) in (1..=total).zip(mo.payload.chunks(each)) {
                let segment = Segment {
                    reference,
                    total,
                    number,
                };
                messages.push(DeliverSm {
                    esm_class: smpp::concat::ESM_UDHI,
                    short_message: [&segment.header_8()[..], part].concat(),
                    ..whole.clone()
                });
            }
        }
        let count = messages.len();
        post(&mailbox, messages);
        Ok(count)
    }

    /// Sends any `deliver_sm`, for instance a receipt of one's own making.
    ///
    /// # Errors
    /// [`SimError::Nobody`].
    pub fn send_deliver(&self, system_id: Option<&[u8]>, sm: DeliverSm) -> Result<(), SimError> {
        let mailbox = self.mailbox(system_id)?;
        post(&mailbox, vec![sm]);
        Ok(())
    }

    /// Sends garbage on all connections, and gives their number.
    pub fn send_garbage(&self, garbage: Garbage) -> usize {
        self.hub.order(&Order::Send(garbage))
    }

    /// Sends `enquire_link` on all connections, and gives their number.
    pub fn enquire_all(&self) -> usize {
        self.hub.order(&Order::Enquire)
    }

    /// Sends `unbind` on all connections, and gives their number. They close when it is answered.
    pub fn unbind_all(&self) -> usize {
        self.hub.order(&Order::Unbind)
    }

    /// Closes everything and waits until it is closed.
    pub async fn stop(self) {
        self.door.send_replace(Door::Stopped);
        if let Err(error) = self.acceptor.await {
            tracing::warn!(%error, "the acceptor did not end well");
        }
    }

    fn mailbox(&self, system_id: Option<&[u8]>) -> Result<Arc<Mailbox>, SimError> {
        match system_id {
            Some(system_id) => Ok(self.hub.mailbox(system_id)),
            None => self.hub.any_mailbox().ok_or(SimError::Nobody),
        }
    }

    async fn wait_for(&self, door: Door) -> Result<(), SimError> {
        let mut is = self.is.clone();
        let reached = is.wait_for(|is| *is == door).await;
        reached.map(|_| ()).map_err(|_| SimError::Stopped)
    }
}

fn post(mailbox: &Mailbox, messages: Vec<DeliverSm>) {
    let now = Instant::now();
    let deliveries = messages.into_iter().map(|sm| {
        let delivery = Delivery::Message(Box::new(sm));
        (now, delivery)
    });
    mailbox.push_all(deliveries, true);
}

fn random_seed() -> Result<u64, SimError> {
    let mut octets = [0; 8];
    getrandom::fill(&mut octets).map_err(SimError::Random)?;
    Ok(u64::from_le_bytes(octets))
}

async fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), SimError> {
    let failed = |source| SimError::Listen { addr, source };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// The task that owns the listening socket and the connections.
struct Acceptor {
    hub: Arc<Hub>,
    addr: SocketAddr,
    wanted: watch::Receiver<Door>,
    said: watch::Sender<Door>,
    dropped: watch::Sender<u64>,
    next_connection: u64,
    connections: JoinSet<()>,
}

impl Acceptor {
    async fn run(mut self, listener: TcpListener) {
        let mut listener = Some(listener);
        loop {
            let wanted = *self.wanted.borrow_and_update();
            match wanted {
                Door::Open if listener.is_none() => {
                    listener = self.reopen().await;
                    if listener.is_none() {
                        continue;
                    }
                }
                Door::Open => {}
                Door::Shut | Door::Stopped => {
                    listener = None;
                    self.close_all().await;
                }
            }
            self.said.send_replace(wanted);
            if wanted == Door::Stopped {
                return;
            }
            tokio::select! {
                // An error says that the handle is gone without a stop; leaving ends all.
                changed = self.wanted.changed() => if changed.is_err() {
                    return;
                },
                accepted = accept(listener.as_ref()) => self.welcome(accepted).await,
            }
        }
    }

    /// Drops the connections here and not in the handle, so that none accepted meanwhile is missed.
    async fn close_all(&mut self) {
        self.dropped.send_modify(|epoch| *epoch += 1);
        while self.connections.join_next().await.is_some() {}
    }

    /// Takes the port again; another process may hold it for a moment.
    async fn reopen(&self) -> Option<TcpListener> {
        match listen(self.addr).await {
            Ok((listener, _)) => Some(listener),
            Err(error) => {
                tracing::warn!(%error, "cannot come up again yet");
                sleep(REOPEN_PAUSE).await;
                None
            }
        }
    }

    async fn welcome(&mut self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                sleep(ACCEPT_PAUSE).await;
                return;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::warn!(%error, "TCP_NODELAY was not set");
        }
        while self.connections.try_join_next().is_some() {}
        let connection = self.next_connection;
        self.next_connection += 1;
        self.hub.tell(|| SimEvent::Connected { connection, peer });
        let hub = Arc::clone(&self.hub);
        let dropped = self.dropped.subscribe();
        self.connections
            .spawn(serve(hub, connection, stream, dropped));
    }
}

/// Waits forever while the door is shut.
async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}
