//! One kept HTTP/1.1 connection; bodies by length or by chunks.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::Outcome;

pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    authorization: String,
    /// What was read and not yet used.
    buffer: Vec<u8>,
    start: usize,
    body: Vec<u8>,
    /// The server said that it ends the connection (a development server of HTTP/1.0 does so each time).
    ends: bool,
}

impl Connection {
    pub(crate) fn open(host: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        let authorization = std::env::var("AUTHORIZATION").unwrap_or_default();
        Ok(Self { stream, host: host.to_owned(), authorization, buffer: Vec::new(), start: 0, body: Vec::new(), ends: false })
    }

    /// Sends a request and reads the whole answer; gives its status.
    pub(crate) fn request(&mut self, method: &str, path: &str, body: Option<&[u8]>) -> Outcome<u16> {
        if self.ends {
            *self = Self { body: std::mem::take(&mut self.body), ..Self::open(&self.host)? };
        }
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nAccept: application/taxii+json;version=2.1\r\n", self.host);
        if !self.authorization.is_empty() {
            head += &format!("Authorization: {}\r\n", self.authorization);
        }
        if let Some(body) = body {
            head += &format!("Content-Type: application/taxii+json;version=2.1\r\nContent-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        self.stream.write_all(head.as_bytes())?;
        if let Some(body) = body {
            self.stream.write_all(body)?;
        }
        self.answer()
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn take_body(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.body)
    }

    fn answer(&mut self) -> Outcome<u16> {
        let head = self.until(b"\r\n\r\n")?;
        let text = String::from_utf8_lossy(&head);
        let status: u16 = text.split(' ').nth(1).ok_or("no status line")?.parse()?;
        let lower = text.to_ascii_lowercase();
        let length = lower.lines().find_map(|l| l.strip_prefix("content-length:")).map(str::trim).map(str::parse::<usize>);
        let chunked = lower.lines().any(|l| l.starts_with("transfer-encoding:") && l.contains("chunked"));
        self.ends = lower.starts_with("http/1.0") || lower.contains("\r\nconnection: close");
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        if chunked {
            loop {
                let line = self.until(b"\r\n")?;
                let size = usize::from_str_radix(std::str::from_utf8(&line)?.trim().split(';').next().unwrap_or(""), 16)?;
                if size == 0 {
                    self.until(b"\r\n")?;
                    break;
                }
                self.exactly(size, &mut body)?;
                self.until(b"\r\n")?;
            }
        } else if let Some(length) = length {
            self.exactly(length?, &mut body)?;
        }
        self.body = body;
        Ok(status)
    }

    /// Bytes up to and with `mark`.
    fn until(&mut self, mark: &[u8]) -> Outcome<Vec<u8>> {
        loop {
            let held = &self.buffer[self.start..];
            if let Some(at) = held.windows(mark.len()).position(|w| w == mark) {
                let found = held[..at + mark.len()].to_vec();
                self.start += found.len();
                return Ok(found);
            }
            self.fill()?;
        }
    }

    fn exactly(&mut self, length: usize, into: &mut Vec<u8>) -> Outcome<()> {
        let held = (self.buffer.len() - self.start).min(length);
        into.reserve(length);
        into.extend_from_slice(&self.buffer[self.start..self.start + held]);
        self.start += held;
        let rest = (length - held) as u64;
        if rest > 0 && (&mut self.stream).take(rest).read_to_end(into)? as u64 != rest {
            return Err("the answer ended early".into());
        }
        Ok(())
    }

    fn fill(&mut self) -> Outcome<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let mut chunk = [0u8; 16 * 1024];
        let got = self.stream.read(&mut chunk)?;
        if got == 0 {
            return Err("the server closed the connection".into());
        }
        self.buffer.extend_from_slice(&chunk[..got]);
        Ok(())
    }
}
