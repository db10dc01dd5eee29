//! Where the next request line begins: the framing of HTTP/1 requests, followed but not interpreted.
//!
//! A pure machine over bytes. It exists so that request lines can be cleaned and bodies are never touched.
//! It reads as hyper reads (RFC 9112 section 6); wherever the two could come to differ, it gives up and passes
//! everything on unchanged for the rest of the connection, so that hyper alone decides.

use super::request_line::{self, RequestLine};

/// Beyond this many hexadecimal digits a chunk size may overflow.
const CHUNK_SIZE_DIGITS_MAX: u8 = 15;

/// What to do with the bytes given to [`Framing::advance`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// All of them may go on as they are.
    All,
    /// Those before `pass` may go on; the rest is the beginning of a line. Give it again with more behind it.
    Partial { pass: usize },
    /// Those before `pass` may go on; the `line` bytes after them are a request line to be rewritten.
    Dirty { pass: usize, line: usize },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before or within a request line.
    Line,
    /// Before or within a header line.
    Header,
    /// Within a body that has this many bytes left.
    Length(u64),
    /// Within a chunked body.
    Chunked(Chunk),
    /// Given up: nothing is looked at any more.
    Raw,
}

/// Places within a chunked body (RFC 9112 section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    Size { size: u64, digits: u8 },
    Extension { size: u64 },
    SizeLf { size: u64 },
    Data { left: u64 },
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
}

/// What the header lines said about the body.
#[derive(Debug, Default, Clone, Copy)]
struct Head {
    http_1_0: bool,
    content_length: Option<u64>,
    chunked: bool,
}

/// The machine. One for each connection.
#[derive(Debug)]
pub(super) struct Framing {
    state: State,
    head: Head,
    /// Bytes at the start of the next input that were searched for a line end already. Without it, a client
    /// that sends a long line byte by byte would cost quadratic time.
    searched: usize,
    line_bytes_max: usize,
    heads: u64,
}

impl Framing {
    pub(super) fn new(line_bytes_max: usize) -> Self {
        Self {
            state: State::Line,
            head: Head::default(),
            searched: 0,
            line_bytes_max,
            heads: 0,
        }
    }

    /// True between two requests, when no byte of the next one was seen.
    pub(super) fn between_requests(&self) -> bool {
        self.state == State::Line && self.searched == 0
    }

    /// True from the first byte of a request line to the end of the headers.
    pub(super) fn in_head(&self) -> bool {
        matches!(self.state, State::Line | State::Header) && !self.between_requests()
    }

    /// Heads completed so far.
    pub(super) fn heads(&self) -> u64 {
        self.heads
    }

    /// From here on everything passes unchanged.
    pub(super) fn give_up(&mut self) {
        self.state = State::Raw;
    }

    /// Follows `input`. After [`Cut::Partial`] the next input must begin with the bytes held back.
    pub(super) fn advance(&mut self, input: &[u8]) -> Cut {
        let mut at = 0;
        while at < input.len() {
            let rest = &input[at..];
            match self.state {
                State::Raw => return Cut::All,
                State::Length(left) => at += self.pass_body(left, rest),
                State::Chunked(chunk) => at += self.pass_chunked(chunk, rest),
                State::Line | State::Header => {
                    let Some(end) = rest[self.searched..].iter().position(|&byte| byte == b'\n')
                    else {
                        return self.hold(at, rest.len());
                    };
                    let length = self.searched + end + 1;
                    self.searched = 0;
                    if self.take_line(&rest[..length]) {
                        return Cut::Dirty {
                            pass: at,
                            line: length,
                        };
                    }
                    at += length;
                }
            }
        }
        Cut::All
    }

    fn hold(&mut self, pass: usize, length: usize) -> Cut {
        if length > self.line_bytes_max {
            self.give_up();
            return Cut::All;
        }
        self.searched = length;
        Cut::Partial { pass }
    }

    fn pass_body(&mut self, left: u64, rest: &[u8]) -> usize {
        let taken = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
        let left = left - taken as u64;
        self.state = if left == 0 {
            State::Line
        } else {
            State::Length(left)
        };
        taken
    }

    /// Takes one whole line with its line end. True when it is a request line to be rewritten.
    fn take_line(&mut self, line: &[u8]) -> bool {
        if line.len() > self.line_bytes_max {
            self.give_up();
            return false;
        }
        let line = without_line_end(line);
        if self.state == State::Header {
            self.state = if line.is_empty() {
                self.end_head()
            } else {
                self.take_header(line)
            };
            return false;
        }
        // Empty lines before a request line are allowed (RFC 9112 section 2.2).
        if line.is_empty() {
            return false;
        }
        match request_line::parse(line) {
            Some(RequestLine {
                method: b"CONNECT", ..
            })
            | None => {
                self.give_up();
                false
            }
            Some(request) => {
                self.head = Head {
                    http_1_0: request.version == b"HTTP/1.0",
                    ..Head::default()
                };
                self.state = State::Header;
                !request.clean
            }
        }
    }

    fn take_header(&mut self, line: &[u8]) -> State {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            return State::Raw;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        // A blank or a tab in a name means a folded line or a smuggling attempt.
        if name.is_empty() || name.iter().any(|byte| !byte.is_ascii_graphic()) {
            return State::Raw;
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            return self.take_content_length(value);
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let plain = value.eq_ignore_ascii_case(b"chunked");
            let alone =
                !self.head.chunked && self.head.content_length.is_none() && !self.head.http_1_0;
            self.head.chunked = true;
            return if plain && alone {
                State::Header
            } else {
                State::Raw
            };
        }
        State::Header
    }

    fn take_content_length(&mut self, value: &[u8]) -> State {
        let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        let length = str::from_utf8(value)
            .ok()
            .and_then(|text| text.parse::<u64>().ok());
        let Some(length) = length.filter(|_| digits && !self.head.chunked) else {
            return State::Raw;
        };
        if self
            .head
            .content_length
            .is_some_and(|before| before != length)
        {
            return State::Raw;
        }
        self.head.content_length = Some(length);
        State::Header
    }

    fn end_head(&mut self) -> State {
        self.heads += 1;
        match (self.head.chunked, self.head.content_length) {
            (true, _) => State::Chunked(Chunk::Size { size: 0, digits: 0 }),
            (false, Some(length)) if length > 0 => State::Length(length),
            (false, _) => State::Line,
        }
    }

    fn pass_chunked(&mut self, chunk: Chunk, rest: &[u8]) -> usize {
        if let Chunk::Data { left } = chunk {
            let taken = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
            let left = left - taken as u64;
            self.state = State::Chunked(if left == 0 {
                Chunk::DataCr
            } else {
                Chunk::Data { left }
            });
            return taken;
        }
        self.state = chunk_byte(chunk, rest[0]);
        1
    }
}

/// One byte of a chunked body outside its data.
fn chunk_byte(chunk: Chunk, byte: u8) -> State {
    let next = match (chunk, byte) {
        (Chunk::Size { size, digits }, _) if byte.is_ascii_hexdigit() => {
            if digits == CHUNK_SIZE_DIGITS_MAX {
                return State::Raw;
            }
            let value = char::from(byte).to_digit(16).unwrap_or(0);
            Chunk::Size {
                size: size * 16 + u64::from(value),
                digits: digits + 1,
            }
        }
        (Chunk::Size { digits: 0, .. }, _) => return State::Raw,
        (Chunk::Size { size, .. } | Chunk::Extension { size }, b'\r') => Chunk::SizeLf { size },
        (Chunk::Size { size, .. }, b';' | b' ' | b'\t') => Chunk::Extension { size },
        (Chunk::Extension { .. }, b'\n') => return State::Raw,
        (Chunk::Extension { size }, _) => Chunk::Extension { size },
        (Chunk::SizeLf { size: 0 }, b'\n') => Chunk::TrailerStart,
        (Chunk::SizeLf { size }, b'\n') => Chunk::Data { left: size },
        (Chunk::DataCr, b'\r') => Chunk::DataLf,
        (Chunk::DataLf, b'\n') => Chunk::Size { size: 0, digits: 0 },
        (Chunk::TrailerStart, b'\r') => Chunk::EndLf,
        (Chunk::Trailer, b'\r') => Chunk::TrailerLf,
        (Chunk::TrailerStart | Chunk::Trailer, _) => Chunk::Trailer,
        (Chunk::TrailerLf, b'\n') => Chunk::TrailerStart,
        (Chunk::EndLf, b'\n') => return State::Line,
        _ => return State::Raw,
    };
    State::Chunked(next)
}

/// The line without `\r\n` or `\n`.
pub(super) fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
