//! What the machine itself costs: emptying the sockets every 100 ms and nothing else, and the two primitives per byte.

use crate::{
    Cost, Outcome,
    processes::{memory, own_thread_seconds},
    source::Source,
};
use domain::{ReelId, Secret32};
use seal::{DataKey, Kind, RecordHeader, key::TAG_BYTES};
use std::{
    hint::black_box,
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread::sleep,
    time::{Duration, Instant},
};

const TICK: Duration = Duration::from_millis(domain::limit::TICK_MS);
const PIECE_BYTES: usize = 256 * 1024;
const WARM: Duration = Duration::from_secs(6);
/// Enough to be far above the clock's tick of 10 ms.
const HASHED_BYTES: usize = 4_000_000_000;

/// CPU seconds for 10⁹ bytes in chunks of 256 KiB.
pub struct Primitives {
    pub blake3: f64,
    pub aes_gcm: f64,
}

/// Looks at all sockets every 100 ms and throws away what they hold.
pub fn drain(source: &Source, time: Duration) -> Outcome<Cost> {
    let mut sockets = (1..=source.cameras).map(|camera| open(source, camera)).collect::<Outcome<Vec<_>>>()?;
    let mut buffer = vec![0; PIECE_BYTES];
    let began = Instant::now();
    let (mut start, mut bytes) = (None, 0u64);
    while began.elapsed() < WARM + time {
        if start.is_none() && began.elapsed() >= WARM {
            start = Some((own_thread_seconds(), source.sent()));
            bytes = 0;
        }
        for socket in &mut sockets {
            loop {
                match socket.read(&mut buffer) {
                    Ok(0) => return Err("a camera went away".into()),
                    Ok(read) => bytes += read as u64,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        sleep(TICK);
    }
    let (cpu, sent) = start.ok_or("no time to measure")?;
    let (resident, proportional) = memory(std::process::id());
    Ok(Cost {
        name: "the machine's limit: sockets emptied every 100 ms".into(),
        cpu_seconds: own_thread_seconds() - cpu,
        bytes,
        frames: source.sent().frames - sent.frames,
        resident,
        proportional,
        parts: Vec::new(),
        lost: None,
        skipped: source.sent().skipped,
    })
}

fn open(source: &Source, camera: u32) -> Outcome<TcpStream> {
    let mut socket = TcpStream::connect(source.address)?;
    let url = source.url(camera);
    for (number, (method, more)) in
        [("SETUP", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"), ("PLAY", "")].iter().enumerate()
    {
        write!(socket, "{method} {url} RTSP/1.0\r\nCSeq: {number}\r\n{more}\r\n")?;
        let (mut answer, mut byte) = (Vec::new(), [0]);
        while !answer.ends_with(b"\r\n\r\n") {
            socket.read_exact(&mut byte)?;
            answer.extend_from_slice(&byte);
        }
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

pub fn primitives() -> Primitives {
    let mut pieces: Vec<Vec<u8>> = (0..64u8).map(|n| vec![n; PIECE_BYTES]).collect();
    let blake3 = per_gigabyte(&mut pieces, |_, piece| {
        black_box(blake3::hash(piece));
    });
    let key = DataKey(Secret32::new([7; 32]));
    let aes_gcm = per_gigabyte(&mut pieces, |number, piece| {
        let key = key.record_key(ReelId([1; 16]), Kind::Chunk, 0, number);
        let header = RecordHeader {
            kind: Kind::Chunk,
            handle: 0,
            payload_bytes: (piece.len() + TAG_BYTES) as u32,
            number,
            reel: ReelId([1; 16]),
            commitment: key.commitment,
        };
        black_box(key.seal(&header, piece));
    });
    Primitives { blake3, aes_gcm }
}

fn per_gigabyte(pieces: &mut [Vec<u8>], mut work: impl FnMut(u32, &mut [u8])) -> f64 {
    let before = own_thread_seconds();
    let rounds = HASHED_BYTES / (pieces.len() * PIECE_BYTES);
    let mut number = 0;
    for _ in 0..rounds {
        for piece in pieces.iter_mut() {
            work(number, piece);
            number += 1;
        }
    }
    (own_thread_seconds() - before) / (rounds * pieces.len() * PIECE_BYTES) as f64 * 1e9
}
