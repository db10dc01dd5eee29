//! A way between store and server that breaks at a COMMIT, where it is told to.
//!
//! It understands of the protocol what it needs: that messages have a type and a length, that `Q`
//! with `COMMIT` ends a transaction, and which prepared statement writes a command's mark.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What happens at the next COMMIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It never reaches the server.
    Before,
    /// The server gets it, and its answer never reaches the store.
    After,
    /// As `After`, and from then on nobody reaches the server any more.
    AfterAndAway,
    /// The store loses the connection at once; the server gets the COMMIT so much later.
    Late(Duration),
    /// As `Late`, and so does the statement that writes the command's mark.
    LateMark(Duration),
}

/// What the server said to a COMMIT that the store did not see the answer of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Committed,
    RolledBack,
    /// It was not reached, or went away without an answer.
    Nothing,
}

#[derive(Default)]
struct Plan {
    cut: Option<Cut>,
    /// And what at the one behind that.
    then: Option<Cut>,
    /// COMMITs that pass before.
    pass: u32,
    away: bool,
}

/// The way. Dropping it ends it.
pub struct Proxy {
    url: String,
    plan: Arc<Mutex<Plan>>,
    said: Mutex<mpsc::UnboundedReceiver<Said>>,
    listening: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Proxy {
    /// A way to the server of that URL.
    pub async fn start(url: &str) -> Self {
        let (before, rest) = url.split_once('@').expect("a URL with a user");
        let (server, rest) = rest.split_once('/').expect("a URL with a database");
        let server = server.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let plan = Arc::new(Mutex::new(Plan::default()));
        let (tell, said) = mpsc::unbounded_channel();
        let of_all = Arc::clone(&plan);
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if of_all.lock().unwrap().away {
                    continue;
                }
                let Ok(server) = TcpStream::connect(&server).await else {
                    continue;
                };
                let way = Way {
                    plan: Arc::clone(&of_all),
                    tell: tell.clone(),
                    marks: HashSet::new(),
                };
                tokio::spawn(way.run(client, server));
            }
        });
        Self {
            url: format!("{before}@127.0.0.1:{port}/{rest}"),
            plan,
            said: Mutex::new(said),
            listening,
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Breaks the next COMMIT of anybody, and only that one.
    pub fn cut_next(&self, cut: Cut) {
        self.cut_after(0, cut);
    }

    /// As [`Proxy::cut_next`], after so many others have passed.
    pub fn cut_after(&self, pass: u32, cut: Cut) {
        let mut plan = self.plan.lock().unwrap();
        (plan.cut, plan.pass) = (Some(cut), pass);
    }

    /// Breaks the next two COMMITs.
    pub fn cut_two(&self, first: Cut, second: Cut) {
        self.cut_next(first);
        self.plan.lock().unwrap().then = Some(second);
    }

    /// True when a COMMIT was cut since.
    pub fn was_cut(&self) -> bool {
        self.plan.lock().unwrap().cut.is_none()
    }

    /// Lets the server be reached again.
    pub fn back(&self) {
        self.plan.lock().unwrap().away = false;
    }

    /// What the server said to the COMMIT that was cut; to be asked once for each.
    pub async fn said(&self) -> Said {
        let mut said = {
            let (_, none) = mpsc::unbounded_channel();
            std::mem::replace(&mut *self.said.lock().unwrap(), none)
        };
        let answer = said.recv().await.expect("the proxy runs");
        *self.said.lock().unwrap() = said;
        answer
    }
}

/// A message: its type and all its octets.
struct Frame {
    kind: u8,
    octets: Vec<u8>,
}

impl Frame {
    async fn read(from: &mut OwnedReadHalf) -> Option<Self> {
        let kind = from.read_u8().await.ok()?;
        let mut octets = vec![kind];
        read_rest(from, &mut octets).await?;
        Some(Self { kind, octets })
    }

    fn is_commit(&self) -> bool {
        self.kind == b'Q' && &self.octets[5..] == b"COMMIT\0"
    }

    /// The strings of a message, each of which ends with an octet 0.
    fn strings(&self) -> impl Iterator<Item = &[u8]> {
        self.octets[5..].split(|octet| *octet == 0)
    }
}

/// The length, which counts itself, and what it counts.
async fn read_rest(from: &mut OwnedReadHalf, octets: &mut Vec<u8>) -> Option<()> {
    let length = from.read_u32().await.ok()?;
    octets.extend_from_slice(&length.to_be_bytes());
    let start = octets.len();
    octets.resize(start + usize::try_from(length).ok()? - 4, 0);
    from.read_exact(&mut octets[start..]).await.ok()?;
    Some(())
}

struct Way {
    plan: Arc<Mutex<Plan>>,
    tell: mpsc::UnboundedSender<Said>,
    /// Names of the prepared statements that write marks.
    marks: HashSet<Vec<u8>>,
}

impl Way {
    async fn run(mut self, client: TcpStream, server: TcpStream) {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let mut startup = Vec::new();
        if read_rest(&mut from_client, &mut startup).await.is_none()
            || to_server.write_all(&startup).await.is_err()
        {
            return;
        }
        let mut held: Vec<u8> = Vec::new();
        let (frames, mut next) = mpsc::channel(1);
        // Reading a message must not be broken off in its middle, so it has a task of its own.
        let reading = tokio::spawn(async move {
            while let Some(frame) = Frame::read(&mut from_client).await {
                if frames.send(frame).await.is_err() {
                    return;
                }
            }
        });
        let mut answer = vec![0; 16 << 10];
        loop {
            tokio::select! {
                frame = next.recv() => {
                    let Some(frame) = frame else { break };
                    if let Some(cut) = self.cut_at(&frame, !held.is_empty()) {
                        held.extend_from_slice(&frame.octets);
                        self.cut(cut, held, (from_server, to_server), to_client).await;
                        break;
                    }
                    if self.is_held(&frame, !held.is_empty()) {
                        held.extend_from_slice(&frame.octets);
                    } else if to_server.write_all(&frame.octets).await.is_err() {
                        break;
                    }
                }
                read = from_server.read(&mut answer) => {
                    let read = read.unwrap_or(0);
                    if read == 0 || to_client.write_all(&answer[..read]).await.is_err() {
                        break;
                    }
                }
            }
        }
        reading.abort();
    }

    /// Whether a message waits for a late COMMIT: the one that writes the mark, and all after it.
    fn is_held(&mut self, frame: &Frame, holding: bool) -> bool {
        if frame.kind == b'P' {
            let mut strings = frame.strings();
            let name = strings.next().unwrap_or_default().to_vec();
            let sql = strings.next().unwrap_or_default();
            if sql.starts_with(b"INSERT INTO commit_mark") {
                self.marks.insert(name);
            }
        }
        let late = matches!(self.plan.lock().unwrap().cut, Some(Cut::LateMark(_)));
        // A bind names the portal, then the statement.
        let marks = frame.kind == b'B'
            && frame
                .strings()
                .nth(1)
                .is_some_and(|name| self.marks.contains(name));
        late && (holding || marks)
    }

    fn cut_at(&self, frame: &Frame, holding: bool) -> Option<Cut> {
        if !frame.is_commit() {
            return None;
        }
        let mut plan = self.plan.lock().unwrap();
        if matches!(plan.cut, Some(Cut::LateMark(_))) && !holding {
            return None;
        }
        if plan.cut.is_some() && plan.pass > 0 {
            plan.pass -= 1;
            return None;
        }
        let cut = plan.cut.take();
        plan.cut = plan.then.take();
        plan.away |= cut == Some(Cut::AfterAndAway);
        cut
    }

    async fn cut(
        self,
        cut: Cut,
        held: Vec<u8>,
        (mut from_server, mut to_server): (OwnedReadHalf, OwnedWriteHalf),
        to_client: OwnedWriteHalf,
    ) {
        let mut said = Said::Nothing;
        match cut {
            Cut::Before => {}
            Cut::After | Cut::AfterAndAway => {
                if to_server.write_all(&held).await.is_ok() {
                    said = end_of(&mut from_server).await;
                }
            }
            Cut::Late(pause) | Cut::LateMark(pause) => {
                drop(to_client);
                tokio::time::sleep(pause).await;
                if to_server.write_all(&held).await.is_ok() {
                    said = end_of(&mut from_server).await;
                }
            }
        }
        let _ = self.tell.send(said);
    }
}

/// How a transaction ended, by the server's messages.
async fn end_of(from_server: &mut OwnedReadHalf) -> Said {
    while let Some(frame) = Frame::read(from_server).await {
        if frame.kind != b'C' {
            continue;
        }
        match &frame.octets[5..] {
            b"COMMIT\0" => return Said::Committed,
            b"ROLLBACK\0" => return Said::RolledBack,
            _ => {}
        }
    }
    Said::Nothing
}
