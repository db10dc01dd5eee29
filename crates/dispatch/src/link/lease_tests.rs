//! After the end of its lease a link sends nothing of what it has, and says nothing about it.

use super::bind::write_held;
use super::*;
use domain::ids::{AccountId, BulkNo, LineId, LinkId, PartKey, RecipientKey, Seq};
use domain::link::LinkSettings;
use smpp::SubmitSm;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

struct Noon;

impl Clock for Noon {
    fn now(&self) -> UnixMillis {
        UnixMillis(1_795_336_200_000)
    }
}

fn part(seq: u32) -> QueuedPart {
    QueuedPart {
        part: PartKey {
            recipient: RecipientKey {
                account: AccountId(1),
                bulk: BulkNo::FIRST,
                seq: Seq(seq),
            },
            part: 0,
        },
        line: LineId(1),
        line_rate: None,
        step: crate::learnt::Step::default(),
        pdu: SubmitSm::default(),
    }
}

/// A link that is up, with something in its queue.
fn link() -> (Shared, mpsc::UnboundedReceiver<Settled>) {
    let link = Link {
        id: LinkId(1),
        name: "mci-1".into(),
        settings: LinkSettings::default(),
    };
    let lease = Arc::new(Held::new(7, Instant::now() + Duration::from_secs(3_600)));
    let clock: Arc<dyn Clock> = Arc::new(Noon);
    let (outcomes, settled) = mpsc::unbounded_channel();
    let shared = Shared::new(link, lease, &clock, &Arc::default(), outcomes);
    shared.bind_up(true);
    shared.push(vec![part(0), part(1)]);
    (shared, settled)
}

#[tokio::test]
async fn what_is_queued_stays_in_the_queue() {
    let (shared, _settled) = link();
    assert!(shared.pop().is_some());
    shared.lease.give_up();
    assert!(shared.pop().is_none());
    assert_eq!(lock(&shared.queue).len(), 1);
}

#[tokio::test]
async fn no_outcome_goes_on_its_way() {
    let (shared, mut settled) = link();
    shared.lease.give_up();
    shared.cannot_be_sent(part(0).part);
    shared.bind_down(true, true, "the lease is over");
    assert!(settled.try_recv().is_err(), "the next holder settles them");
    let (shared, mut settled) = link();
    shared.bind_down(true, true, "the operator went away");
    let given_back = settled.try_recv().expect("they go back unsent");
    assert_eq!(given_back.outcomes.len(), 2);
}

#[tokio::test]
async fn what_waits_to_be_written_does_not_leave() {
    let (shared, _settled) = link();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap());
    let (ours, mut theirs) = (ours.await.unwrap(), listener.accept().await.unwrap().0);
    let (_reader, mut writer) = tokio::io::split(Box::new(ours) as Box<dyn connect::Socket>);
    assert_eq!(write_held(&mut writer, b"one", &shared).await.unwrap(), 3);
    shared.lease.give_up();
    write_held(&mut writer, b"two", &shared)
        .await
        .expect_err("it is over");
    drop((writer, _reader));
    let mut left = Vec::new();
    theirs.read_to_end(&mut left).await.unwrap();
    assert_eq!(left, b"one");
}
