use std::collections::VecDeque;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;

/// Gives its pieces one read after the other, then the end.
struct Pieces(VecDeque<Vec<u8>>);

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(mut piece) = self.0.pop_front() {
            let rest = piece.split_off(piece.len().min(buffer.remaining()));
            buffer.put_slice(&piece);
            if !rest.is_empty() {
                self.0.push_front(rest);
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn connection<S>(inner: S, limits: &HttpLimits) -> Connection<S> {
    Connection::new(inner, limits, Arc::new(AtomicBool::new(false)))
}

/// What hyper would read, given these pieces and a buffer of `room` bytes.
async fn through(pieces: Vec<Vec<u8>>, room: usize) -> Vec<u8> {
    let pieces = pieces
        .into_iter()
        .filter(|piece| !piece.is_empty())
        .collect();
    let mut connection = connection(Pieces(pieces), &HttpLimits::default());
    let mut seen = Vec::new();
    let mut buffer = vec![0; room];
    loop {
        match connection.read(&mut buffer).await.unwrap() {
            0 => return seen,
            count => seen.extend_from_slice(&buffer[..count]),
        }
    }
}

async fn whole(input: &[u8]) -> Vec<u8> {
    through(vec![input.to_vec()], 64 * 1024).await
}

/// Requests of every framing, one behind the other, and what must come out.
fn traffic() -> (Vec<u8>, Vec<u8>) {
    let pairs: [(&str, &str); 10] = [
        (
            "GET /a?to=[\"0912\"] HTTP/1.1\r\n",
            "GET /a?to=[%220912%22] HTTP/1.1\r\n",
        ),
        ("0: zero\r\nHost: x\r\n\r\n", "0: zero\r\nHost: x\r\n\r\n"),
        (
            "POST /b c HTTP/1.1\r\nContent-Length: 29\r\n\r\n",
            "POST /b%20c HTTP/1.1\r\nContent-Length: 29\r\n\r\n",
        ),
        (
            "GET /a\"b HTTP/1.1\r\nx: \"y\"\r\n\r\n",
            "GET /a\"b HTTP/1.1\r\nx: \"y\"\r\n\r\n",
        ),
        (
            "\r\n\nGET /<x> HTTP/1.0\nconnection: keep-alive\n\n",
            "\r\n\nGET /%3Cx%3E HTTP/1.0\r\nconnection: keep-alive\n\n",
        ),
        (
            "POST /d HTTP/1.1\r\ntransfer-encoding: Chunked\r\nExpect: 100-continue\r\n\r\n",
            "POST /d HTTP/1.1\r\ntransfer-encoding: Chunked\r\nExpect: 100-continue\r\n\r\n",
        ),
        (
            "18;x=\"y\"\r\nGET / < HTTP/1.1\r\n\r\nab\r\n\r\n1 \r\nz\r\n000\r\nA: \"b\"\r\nGET / > HTTP/1.1\r\n\r\n",
            "18;x=\"y\"\r\nGET / < HTTP/1.1\r\n\r\nab\r\n\r\n1 \r\nz\r\n000\r\nA: \"b\"\r\nGET / > HTTP/1.1\r\n\r\n",
        ),
        (
            "PUT /e HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
            "PUT /e HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            "GET /f?m=س&n=5% HTTP/1.1\r\n\r\n",
            "GET /f?m=%D8%B3&n=5%25 HTTP/1.1\r\n\r\n",
        ),
        ("GET /g HTTP/1.1\r\n\r\n", "GET /g HTTP/1.1\r\n\r\n"),
    ];
    let join = |side: fn(&(&'static str, &'static str)) -> &'static str| {
        pairs.iter().flat_map(|pair| side(pair).bytes()).collect()
    };
    (join(|pair| pair.0), join(|pair| pair.1))
}

#[tokio::test]
async fn request_lines_are_cleaned_and_nothing_else_is_touched() {
    let (input, expected) = traffic();
    assert_eq!(
        String::from_utf8_lossy(&whole(&input).await),
        String::from_utf8_lossy(&expected)
    );
}

#[tokio::test]
async fn a_split_at_any_byte_changes_nothing() {
    let (input, expected) = traffic();
    for at in 0..input.len() {
        let (before, after) = input.split_at(at);
        assert_eq!(
            through(vec![before.to_vec(), after.to_vec()], 8192).await,
            expected,
            "split at {at}"
        );
    }
    for room in [1, 2, 3, 7, 50] {
        let bytes = input.iter().map(|&byte| vec![byte]).collect();
        assert_eq!(
            through(bytes, room).await,
            expected,
            "byte by byte into {room}"
        );
        assert_eq!(
            through(vec![input.clone()], room).await,
            expected,
            "at once into {room}"
        );
    }
}

#[tokio::test]
async fn whatever_is_odd_passes_unchanged_to_the_end() {
    let tail = "GET /\"x HTTP/1.1\r\n\r\n";
    for odd in [
        "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: +0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length : 0\r\n\r\n",
        "POST / HTTP/1.1\r\na: b\r\n c: d\r\n\r\n",
        "POST / HTTP/1.1\r\nno colon\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\n\r\n",
        "GET /\r\n",
        "PRI * HTTP/2.0 or not\r\n\r\n",
    ] {
        let input = [odd, tail].concat();
        assert_eq!(
            String::from_utf8_lossy(&whole(input.as_bytes()).await),
            input
        );
    }
}

#[tokio::test]
async fn an_equal_second_content_length_is_followed() {
    let input = b"POST / HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\n\"GET /\"x HTTP/1.1\r\n\r\n";
    let expected = b"POST / HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\n\"GET /%22x HTTP/1.1\r\n\r\n";
    assert_eq!(whole(input).await, expected);
}

#[tokio::test]
async fn a_line_beyond_the_limit_passes_unchanged() {
    let line = format!("GET /\"{} HTTP/1.1\r\n\r\n", "x".repeat(70_000));
    assert_eq!(whole(line.as_bytes()).await, line.as_bytes());
    let pieces = line.as_bytes().chunks(1000).map(<[u8]>::to_vec).collect();
    assert_eq!(through(pieces, 8192).await, line.as_bytes());
}

#[tokio::test]
async fn what_is_held_when_the_client_closes_is_handed_on() {
    assert_eq!(whole(b"GET /\"x").await, b"GET /\"x");
}

/// Short limits, so that the tests need not wait long; each is well apart from the others.
fn short() -> HttpLimits {
    HttpLimits {
        header_read_timeout: Duration::from_millis(120),
        keep_alive_idle: Duration::from_millis(300),
        write_stall: Duration::from_millis(120),
        ..HttpLimits::default()
    }
}

#[tokio::test]
async fn a_silent_connection_ends_without_an_error() {
    let (mut client, server) = duplex(1024);
    let mut connection = connection(server, &short());
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    connection.read_exact(&mut [0; 18]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    connection.read_exact(&mut [0; 18]).await.unwrap();
    let since = Instant::now();
    assert_eq!(connection.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    assert!(
        since.elapsed() >= Duration::from_millis(290),
        "measured from the last request: {:?}",
        since.elapsed()
    );
}

#[tokio::test]
async fn a_header_that_trickles_in_is_cut_off() {
    let (mut client, server) = duplex(1024);
    let mut connection = connection(server, &short());
    let trickle = tokio::spawn(async move {
        for byte in b"GET / HTTP/1.1\r\nHost: a\r\nb: c\r\n" {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if client.write_all(&[*byte]).await.is_err() {
                return true;
            }
        }
        false
    });
    let error = connection.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    drop(connection);
    assert!(trickle.await.unwrap(), "the client was cut off half way");
}

#[tokio::test]
async fn a_running_handler_is_not_taken_for_silence() {
    let (mut client, server) = duplex(1024);
    let mut connection = Connection::new(server, &short(), Arc::new(AtomicBool::new(true)));
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    connection.read_exact(&mut [0; 18]).await.unwrap();
    let mut rest = Vec::new();
    let waited = tokio::time::timeout(
        Duration::from_millis(600),
        connection.read_to_end(&mut rest),
    )
    .await;
    assert!(waited.is_err());
}

#[tokio::test]
async fn a_client_that_takes_no_bytes_is_cut_off() {
    let (_client, server) = duplex(16);
    let mut connection = connection(server, &short());
    let error = connection.write_all(&[0; 100]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_come_out_the_same(
        parts in proptest::collection::vec(prop_oneof![
            Just(b"GET /\"x HTTP/1.1\r\n".to_vec()), Just(b"\r\n".to_vec()), Just(b"content-length: 5\r\n".to_vec()),
            Just(b"transfer-encoding: chunked\r\n".to_vec()), Just(b"0\r\n".to_vec()), Just(b"3\r\n".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..12),
        ], 0..12),
        cuts in proptest::collection::vec(1..40usize, 1..8),
        room in 1..64usize,
    ) {
        let input = parts.concat();
        let mut rest = input.as_slice();
        let mut pieces = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece.to_vec());
            rest = after;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (at_once, in_pieces) = runtime.block_on(async { (whole(&input).await, through(pieces, room).await) });
        prop_assert_eq!(at_once, in_pieces);
    }
}
