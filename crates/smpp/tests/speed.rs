//! How fast the machine is. Run it by hand: `cargo test --release -p peyk-smpp -- --ignored`.

use std::time::{Duration, Instant};

use smpp::{
    Address, Bind, BindMode, BindResp, CommandStatus, EsmeSession, Pdu, SessionConfig, SmResp,
    SubmitSm, next_frame,
};

const ROUNDS: u32 = 20_000;
const WINDOW: usize = 100;

#[test]
#[ignore = "a measurement"]
fn submits_and_answers_through_the_machine() {
    let mut config = SessionConfig::new(Bind::default(), BindMode::Transceiver);
    config.window = WINDOW;
    let mut session = EsmeSession::new(config);
    let (mut out, mut events, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    session.start(Duration::ZERO, &mut out).unwrap();
    let bound = Pdu::BindTransceiverResp(BindResp::default());
    bound.encode(CommandStatus(0), 1, &mut answers).unwrap();
    session.receive(Duration::ZERO, &answers, &mut out, &mut events);
    let sm = SubmitSm {
        source: Address::new(1, 1, &b"98300012345"[..]),
        destination: Address::new(1, 1, &b"989121234567"[..]),
        data_coding: 8,
        registered_delivery: 1,
        short_message: vec![6; 140],
        ..SubmitSm::default()
    };
    let answer = Pdu::SubmitSmResp(SmResp::with_id(*b"1234567890"));
    let mut spent = Duration::ZERO;
    for _ in 0..ROUNDS {
        out.clear();
        let begun = Instant::now();
        for ticket in 0..WINDOW as u64 {
            session
                .submit(Duration::ZERO, ticket, &sm, &mut out)
                .unwrap();
        }
        spent += begun.elapsed();
        answers.clear();
        let mut rest = &out[..];
        while let Some((frame, used)) = next_frame(rest, 1000).unwrap() {
            answer
                .encode(CommandStatus(0), frame.header.sequence, &mut answers)
                .unwrap();
            rest = &rest[used..];
        }
        events.clear();
        let begun = Instant::now();
        session.receive(Duration::ZERO, &answers, &mut Vec::new(), &mut events);
        spent += begun.elapsed();
        assert_eq!(events.len(), WINDOW);
    }
    let messages = f64::from(ROUNDS) * WINDOW as f64;
    println!(
        "{:.0} submits with answers a second",
        messages / spent.as_secs_f64()
    );
}
