//! A small ESME on a real socket, which acknowledges what it gets.

use std::time::{Duration, Instant};

use smpp::{
    Address, Bind, BindMode, Class, CommandStatus, EsmeSession, Event, Receipt, Recognise,
    SessionConfig, SubmitSm,
};
use smsc_sim::Sim;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(5);

pub struct Client {
    stream: TcpStream,
    pub session: EsmeSession,
    begun: Instant,
    pub out: Vec<u8>,
    seen: Vec<Event>,
    pub acknowledge: bool,
}

impl Client {
    pub async fn connect(sim: &Sim, mode: BindMode) -> Self {
        let mut client = Self::open(sim, mode, b"esme", b"").await;
        let bound = client.until(|event| matches!(event, Event::Bound { .. }));
        bound.await;
        client
    }

    pub async fn open(sim: &Sim, mode: BindMode, system_id: &[u8], password: &[u8]) -> Self {
        let bind = Bind {
            system_id: system_id.to_vec(),
            password: password.to_vec(),
            long_credentials: true,
            ..Bind::default()
        };
        let mut config = SessionConfig::new(bind, mode);
        config.window = 1000;
        let stream = TcpStream::connect(sim.addr()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = Self {
            stream,
            session: EsmeSession::new(config),
            begun: Instant::now(),
            out: Vec::new(),
            seen: Vec::new(),
            acknowledge: true,
        };
        client
            .session
            .start(Duration::ZERO, &mut client.out)
            .unwrap();
        client
    }

    pub async fn submit(&mut self, ticket: u64, destination: &str) {
        let sm = SubmitSm {
            source: Address::new(1, 1, &b"983000"[..]),
            destination: Address::new(1, 1, destination.as_bytes()),
            registered_delivery: 1,
            short_message: b"hello".to_vec(),
            ..SubmitSm::default()
        };
        let now = self.begun.elapsed();
        self.session
            .submit(now, ticket, &sm, &mut self.out)
            .unwrap();
        self.flush().await;
    }

    pub async fn flush(&mut self) {
        // The simulator may be gone on purpose; reading finds that out.
        let _ = self.stream.write_all(&self.out).await;
        self.out.clear();
    }

    /// Reads until an event fits, and gives all events up to it.
    pub async fn until(&mut self, fits: impl Fn(&Event) -> bool) -> Vec<Event> {
        timeout(PATIENCE, self.until_forever(fits)).await.unwrap()
    }

    pub async fn until_forever(&mut self, fits: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut buffer = vec![0; 65_536];
        loop {
            if let Some(at) = self.seen.iter().position(&fits) {
                return self.seen.drain(..=at).collect();
            }
            self.flush().await;
            let mut events = Vec::new();
            match self.stream.read(&mut buffer).await {
                Ok(count) if count > 0 => {
                    let now = self.begun.elapsed();
                    let bytes = &buffer[..count];
                    self.session.receive(now, bytes, &mut self.out, &mut events);
                }
                _ => self.session.close(&mut events),
            }
            for event in &events {
                if let (Event::Deliver { reply, .. }, true) = (event, self.acknowledge) {
                    let ok = CommandStatus::ESME_ROK;
                    self.session.deliver_resp(*reply, ok, &mut self.out);
                }
            }
            self.flush().await;
            self.seen.extend(events);
        }
    }

    pub async fn answer(&mut self, ticket: u64) -> (Class, Option<Box<[u8]>>) {
        let is =
            |event: &Event| matches!(event, Event::Answer { ticket: one, .. } if *one == ticket);
        match self.until(is).await.pop() {
            Some(Event::Answer {
                class, message_id, ..
            }) => (class, message_id),
            other => panic!("{other:?}"),
        }
    }

    pub async fn receipt(&mut self) -> Receipt {
        let delivery = self.delivery().await;
        Receipt::from_deliver(&delivery, Recognise::Marked).unwrap()
    }

    pub async fn delivery(&mut self) -> smpp::DeliverSm {
        let mut events = self
            .until(|event| matches!(event, Event::Deliver { .. }))
            .await;
        match events.pop() {
            Some(Event::Deliver { sm, .. }) => sm,
            other => panic!("{other:?}"),
        }
    }

    pub async fn closed(&mut self) -> Vec<Event> {
        self.until(|event| matches!(event, Event::Closed { .. }))
            .await
    }
}
