//! Customers who send without end and remember what they were promised.

use super::home::{LINE, PRICES};
use super::http::{Answer, Customer};
use super::random::Random;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What is sent, with its parts and the price of one. Three user data headers of six octets leave
/// 67 UCS-2 or 153 GSM characters a part.
pub struct Text {
    pub text: String,
    pub parts: u8,
    pub unit_price: i64,
}

/// The texts of the load: one part and several, in both alphabets.
pub fn texts() -> Vec<Text> {
    let long = "نوبت شما در درمانگاه فردا ساعت ده است. ".repeat(4);
    assert!((135..=201).contains(&long.chars().count()), "three parts");
    let text = |text: &str, parts, unit_price| Text {
        text: text.into(),
        parts,
        unit_price,
    };
    vec![
        text("Your code is 482913", 1, PRICES.1),
        text("کد ورود شما ۴۸۲۹۱۳ است", 1, PRICES.0),
        text(&long, 3, PRICES.0),
        text(
            &"Dear customer, your parcel is on its way. ".repeat(5),
            2,
            PRICES.1,
        ),
    ]
}

/// A bulk whose number was answered.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub bulk: u32,
    /// The account that sent it.
    pub account: String,
    /// The port of the service that answered, and when.
    pub port: u16,
    pub at: Instant,
    /// As `delivery` writes them: `+98` and ten digits.
    pub recipients: Vec<String>,
    /// Which of [`texts`].
    pub text: usize,
}

/// What the threads of a load share.
struct Shared {
    texts: Vec<Text>,
    stop: AtomicBool,
    /// Counts recipients, so that no number is ever used twice.
    next_number: AtomicU64,
    /// Parts that may still be sent before somebody allows more.
    allowed: Mutex<i64>,
    acknowledged: Mutex<Vec<Acknowledged>>,
    /// The ports that answered 503, and when.
    unavailable: Mutex<Vec<(u16, Instant)>>,
    strange: Mutex<Vec<String>>,
}

/// A running load.
pub struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts `customers` threads of one account. They send nothing before [`Load::allow`].
    pub fn start(customer: &Customer, customers: u64, seed: u64) -> Self {
        Self::of((0..customers).map(|_| customer.clone()).collect(), seed)
    }

    /// Starts a thread for each of these customers, which send nothing before [`Load::allow`].
    pub fn of(customers: Vec<Customer>, seed: u64) -> Self {
        let shared = Arc::new(Shared {
            texts: texts(),
            stop: AtomicBool::new(false),
            next_number: AtomicU64::new(0),
            allowed: Mutex::new(0),
            acknowledged: Mutex::default(),
            unavailable: Mutex::default(),
            strange: Mutex::default(),
        });
        let thread = |(n, customer): (u64, Customer)| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.run(&customer, Random::new(seed ^ (n << 32))))
        };
        let threads = (1..).zip(customers).map(thread).collect();
        Self { shared, threads }
    }

    /// Lets the customers send this many parts from now on, in place of what they had left.
    pub fn allow(&self, parts: i64) {
        *self.shared.allowed.lock().expect("the allowance") = parts;
    }

    /// How many bulks were acknowledged so far.
    pub fn count(&self) -> usize {
        self.shared.acknowledged.lock().expect("the list").len()
    }

    /// How many bulks this port has acknowledged since then.
    pub fn count_since(&self, port: u16, since: Instant) -> usize {
        let bulks = self.shared.acknowledged.lock().expect("the list");
        let of_port = |bulk: &&Acknowledged| bulk.port == port && bulk.at > since;
        bulks.iter().filter(of_port).count()
    }

    /// How often this port has answered 503 since then.
    pub fn unavailable_since(&self, port: u16, since: Instant) -> usize {
        let answers = self.shared.unavailable.lock().expect("the list");
        let of_port = |(at_port, at): &&(u16, Instant)| *at_port == port && *at > since;
        answers.iter().filter(of_port).count()
    }

    /// How many parts the acknowledged bulks have.
    pub fn parts(&self) -> i64 {
        let bulks = self.shared.acknowledged.lock().expect("the list");
        let parts = |bulk: &Acknowledged| {
            bulk.recipients.len() * usize::from(self.shared.texts[bulk.text].parts)
        };
        i64::try_from(bulks.iter().map(parts).sum::<usize>()).expect("few")
    }

    /// Stops the customers and gives what they were promised.
    pub fn stop(self) -> Vec<Acknowledged> {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a customer thread");
        }
        let strange = std::mem::take(&mut *self.shared.strange.lock().expect("the list"));
        assert!(
            strange.is_empty(),
            "answers that should never be given: {strange:?}"
        );
        std::mem::take(&mut *self.shared.acknowledged.lock().expect("the list"))
    }
}

impl Shared {
    fn run(&self, customer: &Customer, mut random: Random) {
        while !self.stop.load(Ordering::Relaxed) {
            let text = usize::try_from(random.next() % self.texts.len() as u64).expect("an index");
            // Most requests are for one, as in life; the others are what fills the windows.
            let count = if random.next().is_multiple_of(3) {
                random.between(3, 50)
            } else {
                1
            };
            if !self.may_send(count, text) {
                std::thread::sleep(Duration::from_millis(5));
                continue;
            }
            let numbers: Vec<String> = (0..count).map(|_| self.number()).collect();
            let to: Vec<String> = numbers.iter().map(|number| format!("0{number}")).collect();
            match customer.send(LINE, &self.texts[text].text, &to) {
                Answer::Acknowledged(bulk) => {
                    let recipients = numbers
                        .iter()
                        .map(|number| format!("+98{number}"))
                        .collect();
                    let made = Acknowledged {
                        bulk,
                        account: customer.name.clone(),
                        port: customer.port,
                        at: Instant::now(),
                        recipients,
                        text,
                    };
                    self.acknowledged.lock().expect("the list").push(made);
                }
                Answer::Refused(reply) if reply.status == 503 => {
                    let answer = (customer.port, Instant::now());
                    self.unavailable.lock().expect("the list").push(answer);
                    std::thread::sleep(Duration::from_millis(20));
                }
                Answer::Refused(reply) => {
                    self.strange
                        .lock()
                        .expect("the list")
                        .push(format!("{reply:?}"));
                }
                // The server was killed, or is not up again yet.
                Answer::Lost(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    fn may_send(&self, recipients: u64, text: usize) -> bool {
        let mut allowed = self.allowed.lock().expect("the allowance");
        if *allowed <= 0 {
            return false;
        }
        *allowed -= i64::try_from(recipients).expect("few") * i64::from(self.texts[text].parts);
        true
    }

    /// Ten national digits that nobody had before, of one of three operators.
    fn number(&self) -> String {
        let n = self.next_number.fetch_add(1, Ordering::Relaxed);
        let prefix = ["912", "935", "921"][(n % 3) as usize];
        format!("{prefix}{:07}", n / 3)
    }
}
