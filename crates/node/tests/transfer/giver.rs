//! A giver of contents over plain HTTP on loopback, which does as it is told.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use comity_node::evidence::age::{CHUNK, HEADER, Sealer, recipient_of};

use super::IDENTITY;

/// How a giver behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conduct {
    Good,
    /// Answers parts of item 1 two at a time only.
    InPairs,
    /// Breaks off after so many octets of a body, so often.
    Cut {
        after: usize,
        times: usize,
    },
    /// Encrypts something else of the same size as this item.
    Other(u64),
    /// Changes one octet of the first chunk of this item.
    Changed(u64),
    /// Encrypts to another node.
    ForAnother,
    /// Sends octets that are no age file.
    NoHeader,
    /// Says that the file is longer.
    OtherTotal,
    /// Sends the whole file whatever is asked for.
    NoRange,
    /// Goes on after the last octet, for ever.
    Endless,
    /// Takes the request and says nothing.
    Silent,
    /// Stops in the middle of the header and keeps the line open.
    Stalls,
    /// Hangs up.
    Closes,
}

/// A giver; its threads end with the test's process.
pub(super) struct Giver {
    pub(super) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    files: BTreeMap<u64, Vec<u8>>,
    conduct: Conduct,
    state: Mutex<State>,
    paired: Condvar,
}

#[derive(Default)]
struct State {
    /// Item and `Range` of each request.
    asked: Vec<(u64, String)>,
    cuts: usize,
    /// Parts of item 1 that were asked for, each as often as it was.
    parts: usize,
    /// Lines that are kept open.
    held: Vec<TcpStream>,
}

impl Giver {
    pub(super) fn start(contents: &BTreeMap<u64, Vec<u8>>, conduct: Conduct) -> Self {
        let mut files = BTreeMap::new();
        for (number, bytes) in contents {
            files.insert(*number, sealed(*number, bytes, conduct));
        }
        let shared = Arc::new(Shared {
            files,
            conduct,
            state: Mutex::default(),
            paired: Condvar::new(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let worker = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&worker);
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Self { url, shared }
    }

    pub(super) fn asked(&self) -> Vec<(u64, String)> {
        self.shared.state.lock().unwrap().asked.clone()
    }

    pub(super) fn cuts(&self) -> usize {
        self.shared.state.lock().unwrap().cuts
    }
}

fn sealed(number: u64, bytes: &[u8], conduct: Conduct) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if conduct == Conduct::Other(number) {
        bytes.reverse();
    }
    let identity = if conduct == Conduct::ForAnother {
        [8; 32]
    } else {
        IDENTITY
    };
    let recipient = recipient_of(&identity).unwrap();
    let size = bytes.len() as u64;
    let sealer = Sealer::new(&[1; 32], &[&number.to_be_bytes()], &recipient, size).unwrap();
    let mut file = sealer.header().to_vec();
    for (number, chunk) in bytes.chunks(CHUNK).enumerate() {
        let mut chunk = chunk.to_vec();
        sealer.seal(number as u64, &mut chunk).unwrap();
        file.extend(chunk);
    }
    if bytes.is_empty() {
        let mut chunk = Vec::new();
        sealer.seal(0, &mut chunk).unwrap();
        file.extend(chunk);
    }
    match conduct {
        Conduct::Changed(item) if item == number => file[HEADER + 5] ^= 1,
        Conduct::NoHeader => file[..HEADER].fill(b'x'),
        _ => {}
    }
    file
}

impl Shared {
    /// Request after request on one line.
    fn serve(&self, stream: TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        while let Some((item, range)) = request(&mut lines) {
            self.state.lock().unwrap().asked.push((item, range.clone()));
            if self.answer(&stream, item, &range).is_none() {
                return;
            }
        }
    }

    /// `None` when the line is given up.
    fn answer(&self, mut to: &TcpStream, item: u64, range: &str) -> Option<()> {
        let file = self.files.get(&item)?;
        let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        let body = file.get(first..=last)?;
        let total = file.len();
        let said = match self.conduct {
            Conduct::OtherTotal => format!("content-range: bytes {first}-{last}/{}\r\n", total + 1),
            _ => format!("content-range: bytes {first}-{last}/{total}\r\n"),
        };
        let length = format!("content-length: {}\r\n\r\n", body.len());
        let good = format!("HTTP/1.1 206 Partial Content\r\n{said}{length}");
        match self.conduct {
            Conduct::Closes => return None,
            Conduct::Silent => {
                self.hold(to);
                return None;
            }
            Conduct::NoRange => {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {total}\r\n\r\n");
                to.write_all(head.as_bytes()).ok()?;
                return to.write_all(file).ok();
            }
            Conduct::Endless => {
                let head = format!(
                    "HTTP/1.1 206 Partial Content\r\n{said}transfer-encoding: chunked\r\n\r\n"
                );
                to.write_all(head.as_bytes()).ok()?;
                to.write_all(&chunked(body)).ok()?;
                let more = chunked(&[0; 1000]);
                // until the other side has had enough
                while to.write_all(&more).is_ok() {}
                return None;
            }
            Conduct::Stalls => {
                to.write_all(good.as_bytes()).ok()?;
                to.write_all(body.get(..10)?).ok()?;
                self.hold(to);
                return None;
            }
            Conduct::InPairs if item == 1 && body.len() > HEADER => self.pair(),
            _ => {}
        }
        to.write_all(good.as_bytes()).ok()?;
        if let Some(part) = self.cut(body) {
            let _ended = to.write_all(part);
            let _ended = to.shutdown(std::net::Shutdown::Both);
            return None;
        }
        to.write_all(body).ok()
    }

    fn hold(&self, line: &TcpStream) {
        let line = line.try_clone().unwrap();
        self.state.lock().unwrap().held.push(line);
    }

    /// Waits for the other of two.
    fn pair(&self) {
        let mut state = self.state.lock().unwrap();
        state.parts += 1;
        let pair = state.parts.div_ceil(2) * 2;
        self.paired.notify_all();
        while state.parts < pair {
            state = self.paired.wait(state).unwrap();
        }
    }

    fn cut<'b>(&self, body: &'b [u8]) -> Option<&'b [u8]> {
        let Conduct::Cut { after, times } = self.conduct else {
            return None;
        };
        let part = body.get(..after)?;
        let mut state = self.state.lock().unwrap();
        (state.cuts < times).then(|| {
            state.cuts += 1;
            part
        })
    }
}

fn chunked(bytes: &[u8]) -> Vec<u8> {
    let mut out = format!("{:x}\r\n", bytes.len()).into_bytes();
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
    out
}

/// The item a request asks for, and its `Range`.
fn request(lines: &mut BufReader<TcpStream>) -> Option<(u64, String)> {
    let mut range = String::new();
    let mut item = None;
    loop {
        let mut line = String::new();
        // a request of ours is short
        lines.by_ref().take(16 << 10).read_line(&mut line).ok()?;
        let line = line.trim_end();
        if line.is_empty() {
            return Some((item?, range));
        }
        if let Some(rest) = line.strip_prefix("GET ") {
            let path = rest.split(' ').next()?;
            item = path.rsplit('/').next()?.parse().ok();
        } else if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("range")
        {
            range = value.trim().to_owned();
        }
    }
}
