//! How fast the simulator is as a sink. Run it by hand:
//! `cargo test --release -p peyk-smsc-sim -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use smpp::{Address, Bind, BindMode, CommandStatus, EsmeSession, Event, SessionConfig, SubmitSm};
use smsc_sim::{Sim, SimConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MESSAGES: u64 = 1_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn a_million_messages_through_one_bind() {
    for registered_delivery in [0, 1] {
        let config = SimConfig {
            record: false,
            ..SimConfig::default()
        };
        let sim = Sim::start(config).await.unwrap();
        let begun = Instant::now();
        play(&sim, registered_delivery).await;
        let rate = MESSAGES as f64 / begun.elapsed().as_secs_f64();
        println!("receipts {registered_delivery}: {rate:.0} messages a second");
        println!("{:?}", sim.counts());
        sim.stop().await;
    }
}

async fn play(sim: &Sim, registered_delivery: u8) {
    let mut config = SessionConfig::new(Bind::default(), BindMode::Transceiver);
    config.window = 1000;
    let mut session = EsmeSession::new(config);
    let mut stream = TcpStream::connect(sim.addr()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let sm = SubmitSm {
        source: Address::new(1, 1, &b"98300012345"[..]),
        destination: Address::new(1, 1, &b"989121234567"[..]),
        data_coding: 8,
        registered_delivery,
        short_message: vec![6; 140],
        ..SubmitSm::default()
    };
    let mut buffer = vec![0; 256 * 1024];
    let (mut out, mut events) = (Vec::new(), Vec::new());
    let (mut sent, mut answered, mut receipted) = (0, 0, 0);
    let now = Duration::ZERO;
    session.start(now, &mut out).unwrap();
    let wanted = if registered_delivery == 0 {
        0
    } else {
        MESSAGES
    };
    while answered < MESSAGES || receipted < wanted {
        while sent < MESSAGES && session.free_window() > 0 {
            session.submit(now, sent, &sm, &mut out).unwrap();
            sent += 1;
        }
        stream.write_all(&out).await.unwrap();
        out.clear();
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0);
        session.receive(now, &buffer[..count], &mut out, &mut events);
        for event in events.drain(..) {
            match event {
                Event::Answer { .. } => answered += 1,
                Event::Deliver { reply, .. } => {
                    receipted += 1;
                    session.deliver_resp(reply, CommandStatus::ESME_ROK, &mut out);
                }
                _ => {}
            }
        }
    }
    stream.write_all(&out).await.unwrap();
}
