//! The ceiling: a bare windowed SMPP client against the same sink. It keeps nothing, so no program
//! that submits over the same binds and windows can be faster.

use crate::clock::{now_micros, seconds_between};
use crate::load::TEXT;
use crate::numbers;
use crate::worker::{self, Worker};
use anyhow::{Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use smpp::{Address, Bind, BindMode, CommandStatus, EsmeSession, Event, SessionConfig, SubmitSm};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Octets read at once.
const READ_BYTES: usize = 256 * 1024;
/// Silence after which the measurement is given up.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A bare SMPP client (a helper of the bench)
#[derive(Args)]
pub struct BareArgs {
    /// The sink's port on loopback
    #[arg(long)]
    port: u16,
    /// Connections
    #[arg(long)]
    binds: u16,
    /// Messages without an answer on each
    #[arg(long)]
    window: u32,
    /// Messages in all
    #[arg(long)]
    messages: u64,
    /// Ask for receipts and wait for them
    #[arg(long)]
    receipts: bool,
}

/// What the bare client reached.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Ceiling {
    /// Submits answered a second.
    pub submitted_per_second: f64,
    /// Messages a second from the first submit to the last receipt.
    pub receipted_per_second: f64,
}

/// The helper process: prints a [`Ceiling`].
///
/// # Errors
/// The sink is gone or silent.
#[expect(clippy::cast_precision_loss, reason = "counts fit")]
pub fn run(args: &BareArgs) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ceiling = runtime.block_on(async {
        let binds = u64::from(args.binds.max(1));
        let mut clients = Vec::new();
        for _ in 0..binds {
            clients.push(Client::connect(args).await?);
        }
        let begun = now_micros();
        let share = args.messages / binds;
        let tasks: Vec<_> = clients
            .into_iter()
            .map(|client| tokio::spawn(client.send(share, args.receipts)))
            .collect();
        let (mut answered, mut receipted) = (0, 0);
        for task in tasks {
            let (last_answer, last_receipt) = task.await??;
            answered = answered.max(last_answer);
            receipted = receipted.max(last_receipt);
        }
        let all = (share * binds) as f64;
        anyhow::Ok(Ceiling {
            submitted_per_second: all / seconds_between(begun, answered).max(1e-6),
            receipted_per_second: all / seconds_between(begun, receipted).max(1e-6),
        })
    })?;
    worker::say(&ceiling)
}

/// Measures the ceiling in a process of its own.
///
/// # Errors
/// The process broke off.
pub fn measure(
    port: u16,
    binds: u16,
    window: u32,
    messages: u64,
    receipts: bool,
) -> Result<Ceiling> {
    let mut words = vec!["bare".to_owned()];
    for (name, value) in [
        ("--port", u64::from(port)),
        ("--binds", u64::from(binds)),
        ("--window", u64::from(window)),
        ("--messages", messages),
    ] {
        words.extend([name.to_owned(), value.to_string()]);
    }
    if receipts {
        words.push("--receipts".into());
    }
    Worker::start(&words)?.hear()
}

struct Client {
    stream: TcpStream,
    session: EsmeSession,
    begun: Instant,
    out: Vec<u8>,
    events: Vec<Event>,
}

impl Client {
    async fn connect(args: &BareArgs) -> Result<Self> {
        let bind = Bind {
            system_id: b"bare".to_vec(),
            ..Bind::default()
        };
        let mut config = SessionConfig::new(bind, BindMode::Transceiver);
        config.window = args.window as usize;
        let stream = TcpStream::connect(("127.0.0.1", args.port)).await?;
        stream.set_nodelay(true)?;
        let mut client = Self {
            stream,
            session: EsmeSession::new(config),
            begun: Instant::now(),
            out: Vec::new(),
            events: Vec::new(),
        };
        client.session.start(Duration::ZERO, &mut client.out)?;
        let mut buffer = vec![0; READ_BYTES];
        loop {
            client.exchange(&mut buffer).await?;
            match client.events.pop() {
                Some(Event::Bound { .. }) => return Ok(client),
                Some(other) => bail!("no bind: {other:?}"),
                None => {}
            }
        }
    }

    /// Writes what is to be written, and takes what one read brings.
    async fn exchange(&mut self, buffer: &mut [u8]) -> Result<()> {
        self.stream.write_all(&self.out).await?;
        self.out.clear();
        let read = tokio::time::timeout(SILENCE_MAX, self.stream.read(buffer));
        let count = read.await??;
        if count == 0 {
            bail!("the sink closed the connection");
        }
        let now = self.begun.elapsed();
        let bytes = &buffer[..count];
        self.session
            .receive(now, bytes, &mut self.out, &mut self.events);
        Ok(())
    }

    /// Sends so many messages and waits for their answers and receipts; gives the instants of the
    /// last answer and the last receipt.
    async fn send(mut self, messages: u64, receipts: bool) -> Result<(u64, u64)> {
        let mut sm = SubmitSm {
            source: Address::new(1, 1, &b"983000505"[..]),
            registered_delivery: u8::from(receipts),
            data_coding: 8,
            short_message: TEXT.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            ..SubmitSm::default()
        };
        let (mut sent, mut answered, mut receipted) = (0, 0, 0);
        let (mut last_answer, mut last_receipt) = (now_micros(), now_micros());
        let mut buffer = vec![0; READ_BYTES];
        while answered < messages || (receipts && receipted < messages) {
            let now = self.begun.elapsed();
            while sent < messages && self.session.free_window() > 0 {
                let number = format!("98{}", numbers::national(sent));
                sm.destination = Address::new(1, 1, number.into_bytes());
                self.session.submit(now, sent, &sm, &mut self.out)?;
                sent += 1;
            }
            self.exchange(&mut buffer).await?;
            for event in self.events.drain(..) {
                match event {
                    Event::Answer { .. } => {
                        answered += 1;
                        last_answer = now_micros();
                    }
                    Event::Deliver { reply, .. } => {
                        receipted += 1;
                        last_receipt = now_micros();
                        let ok = CommandStatus::ESME_ROK;
                        self.session.deliver_resp(reply, ok, &mut self.out);
                    }
                    other => bail!("the bare client did not expect {other:?}"),
                }
            }
        }
        self.session.unbind(self.begun.elapsed(), &mut self.out);
        // The last acknowledgements must leave before the socket closes.
        self.stream.write_all(&self.out).await?;
        let _ = self.stream.read(&mut buffer).await;
        Ok((last_answer, last_receipt))
    }
}
