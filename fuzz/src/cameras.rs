//! What cameras send: RTSP answers, descriptions, packets, H.264; and what clients send to our simulated ones.

use bytes::Bytes;
use media::h265;
use recorder::{
    fingerprint::{Fingerprint, HeadRead, read_head},
    source::{CameraUrl, Source, retina::RetinaSource},
};
use simulator::{
    coding::Codec,
    mark::{Mark, read_mark, write_mark},
    packetise::{Depacketiser, split_annex_b},
    rtsp::message::{Parsed, interleaved_channels, parse},
};
use std::{
    cell::RefCell,
    future::poll_fn,
    hint::black_box,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::Mutex,
    thread,
    time::Duration,
};

/// Each step of a session; the camera hangs up when it has said everything, so that nobody waits for so long.
const PATIENCE: Duration = Duration::from_millis(120);
/// A camera's words of one session.
const SESSION_BYTES_MAX: usize = 64 * 1024;

/// The whole client (DESCRIBE, SETUP, PLAY, pictures) against a camera that says these bytes, one answer a request.
pub fn rtsp_session(bytes: &[u8]) {
    static LISTENER: Mutex<Option<TcpListener>> = Mutex::new(None);
    thread_local! {
        static RUNTIME: RefCell<Option<tokio::runtime::Runtime>> = const { RefCell::new(None) };
    }
    if bytes.len() > SESSION_BYTES_MAX {
        return;
    }
    let mut listener = LISTENER.lock().expect("no target panics while it listens");
    let listener = listener.get_or_insert_with(|| TcpListener::bind("127.0.0.1:0").expect("loopback has a free port"));
    let address = listener.local_addr().expect("a bound socket has an address");
    let said = bytes.to_vec();
    let accepting = listener.try_clone().expect("a socket can be cloned");
    let camera = thread::spawn(move || {
        if let Ok((stream, _)) = accepting.accept() {
            // the client may go away at any time
            drop(speak(stream, &said));
        }
    });
    let url: CameraUrl = format!("rtsp://{address}/cam").parse().expect("an address of ours is right");
    RUNTIME.with(|runtime| {
        let mut runtime = runtime.borrow_mut();
        let runtime = runtime.get_or_insert_with(|| {
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime of one thread")
        });
        runtime.block_on(async {
            if let Ok(mut source) = RetinaSource::open(&url, None, PATIENCE).await {
                for _ in 0..64 {
                    let picture = poll_fn(|context| source.poll_picture(context));
                    match tokio::time::timeout(PATIENCE, picture).await {
                        Ok(Ok(_)) => {}
                        _ => break,
                    }
                }
            }
        });
    });
    // a client that never connected leaves the camera waiting
    drop(TcpStream::connect(address));
    camera.join().expect("the camera's own thread holds");
}

/// One part of what is said for each request; parts begin at the words of a status line.
fn speak(mut stream: TcpStream, said: &[u8]) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut starts: Vec<usize> = (1..said.len()).filter(|at| said[*at..].starts_with(b"RTSP/1.0 ")).collect();
    starts.push(said.len());
    let (mut from, mut request) = (0, [0; 4_096]);
    for to in starts {
        if stream.read(&mut request)? == 0 {
            break;
        }
        stream.write_all(&said[from..to])?;
        from = to;
    }
    stream.shutdown(std::net::Shutdown::Write)
}

pub fn rtsp_session_seeds() -> Vec<Vec<u8>> {
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n\
               m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
               a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z2QAH6zZQFAFuhAAAAMAEAAAAwPI8YMZYA==,aOvjyyLA\r\n\
               a=control:video\r\n";
    let answer = |cseq: u32, more: &str, body: &str| {
        format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n{more}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    let describe = answer(1, "Content-Type: application/sdp\r\n", sdp);
    let setup = answer(2, "Session: 7\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", "");
    let play = answer(3, "Session: 7\r\nRange: npt=now-\r\n", "");
    let packet = |marker: u8, sequence: u8, payload: &[u8]| {
        let mut packet = vec![b'$', 0, 0, 12 + payload.len() as u8, 0x80, 96 | marker, 0, sequence];
        packet.extend_from_slice(&[0, 0, 1, 0, 0, 0, 0, 9]);
        packet.extend_from_slice(payload);
        packet
    };
    let pictures =
        [packet(0, 1, &[0x65, 0x88, 1, 2]), packet(0x80, 2, &[0x7c, 0x85, 3]), packet(0x80, 3, &[0x41, 0x9a])];
    let whole = [describe.clone(), setup, play, pictures.concat()].concat();
    vec![
        whole,
        describe,
        b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Digest realm=\"x\"\r\n\r\n".to_vec(),
    ]
}

pub fn answer_head(bytes: &[u8]) {
    if let HeadRead::Head(head) = read_head(bytes) {
        assert!(head.realm.iter().chain(&head.server).all(|text| text.len() <= bytes.len() * 3));
    }
}
pub fn answer_head_seeds() -> Vec<Vec<u8>> {
    vec![
        b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nServer: x/1\r\nWWW-Authenticate: Digest realm=\"a, \\\"b\", nonce=\"1\"\r\n\r\n".to_vec(),
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nWWW-Authenticate: Basic realm=\"cam\"\r\n\r\n".to_vec(),
    ]
}

pub fn address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(url) = text.parse::<CameraUrl>() {
        assert!(!url.host().is_empty() && url.as_str().starts_with("rtsp://"));
        let authority = url.as_str().trim_start_matches("rtsp://").split(['/', '?', '#']).next().unwrap_or_default();
        assert!(!authority.contains('@'), "no credentials in an address");
    }
}
pub fn address_seeds() -> Vec<Vec<u8>> {
    ["rtsp://10.0.0.8/s?a=b", "rtsp://u:p@h:1/", "rtsp://[fd00::8]:8554/a", "rtsp://h/user=a&password=b"]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}

/// What reads is written back the same.
pub fn fingerprint(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(read) = text.parse::<Fingerprint>() {
        assert_eq!(read.to_string().parse::<Fingerprint>(), Ok(read));
    }
}
pub fn fingerprint_seeds() -> Vec<Vec<u8>> {
    vec![b"device-1 host=10.0.0.8 port=554 realm=a%20b server=x".to_vec(), b"device-1 host=h port=1".to_vec()]
}

pub fn request(bytes: &[u8]) {
    let mut rest = bytes;
    loop {
        match parse(rest) {
            Parsed::More | Parsed::Bad => return,
            Parsed::Skip(taken) => rest = &rest[taken..],
            Parsed::Request(request, taken) => {
                assert!(request.path().iter().all(|part| !part.contains('/')));
                black_box(request.header("transport").and_then(interleaved_channels));
                rest = &rest[taken..];
            }
        }
    }
}
pub fn request_seeds() -> Vec<Vec<u8>> {
    vec![
        b"SETUP rtsp://h/cam1/video RTSP/1.0\r\nCSeq: 3\r\nTransport: RTP/AVP/TCP;unicast;interleaved=2-3\r\n\r\n"
            .to_vec(),
        b"$\x01\x00\x02ab\r\nPLAY rtsp://h/cam1 RTSP/1.0\r\nCSeq: 4\r\nContent-Length: 2\r\n\r\nxx".to_vec(),
    ]
}

/// Payloads after their lengths in two bytes, and a clip as Annex B.
pub fn rtp_payloads(bytes: &[u8]) {
    [Codec::H264, Codec::H265].iter().for_each(|codec| payloads_of(*codec, bytes));
    assert!(split_annex_b(bytes).iter().all(|nal| !nal.is_empty()));
}
fn payloads_of(codec: Codec, bytes: &[u8]) {
    let (mut depacketiser, mut rest) = (Depacketiser::of(codec), bytes);
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let taken = usize::from(u16::from_be_bytes(*length)).min(after.len());
        let (payload, after) = after.split_at(taken);
        for nal in depacketiser.push(payload).into_iter().flatten() {
            black_box(read_mark(&nal));
        }
        rest = after;
    }
}
pub fn rtp_payloads_seeds() -> Vec<Vec<u8>> {
    let mark = write_mark(Codec::H264, Mark { camera: 1, frame: 2 });
    let single = [&(mark.len() as u16).to_be_bytes()[..], &mark].concat();
    vec![
        single,
        vec![0, 4, 0x7c, 0x85, 1, 2, 0, 3, 0x7c, 0x45, 3],
        vec![0, 6, 0x78, 0, 1, 0x67, 0, 1],
        vec![0, 0, 1, 0x65, 0, 0, 1, 0x41],
    ]
}

pub fn h264_parameters(bytes: &[u8]) {
    parameters(domain::Codec::H264, "avc1.", bytes);
    // the same behind a record that is right
    if let (Some(sps), Ok(length)) = (bytes.split_first(), u16::try_from(bytes.len())) {
        let mut config = vec![1, 0x64, 0, 0x1f, 0xff, 0xe1];
        config.extend_from_slice(&length.to_be_bytes());
        config.push(0x67);
        config.extend_from_slice(sps.1);
        config.extend_from_slice(&[1, 0, 4, 0x68, 0xeb, 0xe3, 0xcb]);
        parameters(domain::Codec::H264, "avc1.", &config);
    }
}

/// What reads has a size, a name for the browser and an init segment.
fn parameters(codec: domain::Codec, name: &str, config: &[u8]) {
    if let Ok(sets) = media::codec::parameter_sets(codec, config) {
        assert!(sets.width > 0 && sets.height > 0);
        assert!(media::codec::codec_string(&sets).starts_with(name));
        media::Reorder::default().expect_depth(media::codec::reorder_depth(&sets));
        drop(media::fmp4::init_segment(&sets));
    }
}

fn access_unit(codec: domain::Codec, bytes: &[u8]) {
    drop(media::codec::classify(codec, bytes));
    if let Ok(stripped) = media::codec::without_parameter_sets(codec, &Bytes::copy_from_slice(bytes)) {
        assert!(stripped.len() <= bytes.len());
        drop(media::codec::classify(codec, &stripped));
    }
}

/// A decoder configuration, and the bytes as each of its three sets behind ones that are right.
pub fn h265_parameters(bytes: &[u8]) {
    parameters(domain::Codec::H265, "hvc1.", bytes);
    for (place, kind) in [(0, 0x40), (1, 0x42), (2, 0x44)] {
        let mut sets = H265_SETS.map(<[u8]>::to_vec);
        sets[place] = [&[kind, 1], bytes].concat();
        if let Ok(config) = h265::hvcc_from_sets(&[&sets[0]], &[&sets[1]], &[&sets[2]]) {
            parameters(domain::Codec::H265, "hvc1.", &config);
        }
    }
}

/// VPS, SPS and PPS of a small picture, as x265 writes them.
const H265_SETS: [&[u8]; 3] = [
    &[0x40, 1, 0x0c, 1, 0xff, 0xff, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 0x3c, 0x95, 0x98, 9],
    &[
        0x42, 1, 1, 1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 0x3c, 0xa0, 0x0a, 8, 0x0f, 0x16, 0x59, 0x59, 0xa4,
        0x93, 0x2b, 0xc0, 0x5a, 0x70, 0x80, 0, 1, 0xf4, 0x80, 0, 0x3a, 0x98, 4,
    ],
    &[0x44, 1, 0xc1, 0x73, 0xd1, 0x89],
];

pub fn h265_parameters_seeds() -> Vec<Vec<u8>> {
    let [vps, sps, pps] = H265_SETS;
    let config = h265::hvcc_from_sets(&[vps], &[sps], &[pps]).ok();
    H265_SETS.iter().map(|set| set[2..].to_vec()).chain(config).collect()
}

pub fn h265_access_unit(bytes: &[u8]) {
    access_unit(domain::Codec::H265, bytes);
}
pub fn h265_access_unit_seeds() -> Vec<Vec<u8>> {
    vec![
        vec![0, 0, 0, 3, 0x40, 1, 9, 0, 0, 0, 4, 0x26, 1, 0xaf, 9],
        vec![0, 0, 0, 4, 0x2a, 1, 0xac, 9, 0, 0, 0, 3, 0x10, 1, 0xd0],
    ]
}

pub fn h264_parameters_seeds() -> Vec<Vec<u8>> {
    let sps = [
        0x67, 0x64, 0, 0x1f, 0xac, 0xd9, 0x40, 0x50, 5, 0xba, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0xc8, 0xf1, 0x83,
        0x19, 0x60,
    ];
    let mut config = vec![1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, sps.len() as u8];
    config.extend_from_slice(&sps);
    config.extend_from_slice(&[1, 0, 6, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0]);
    vec![config, sps.to_vec()]
}

pub fn h264_access_unit(bytes: &[u8]) {
    access_unit(domain::Codec::H264, bytes);
}
pub fn h264_access_unit_seeds() -> Vec<Vec<u8>> {
    vec![
        vec![0, 0, 0, 2, 0x67, 1, 0, 0, 0, 3, 0x65, 0x88, 1],
        vec![0, 0, 0, 5, 0x06, 6, 1, 0xc4, 0x80, 0, 0, 0, 3, 0x41, 0x9a, 1],
    ]
}

/// A device that answers each ONVIF question with the next of these texts, a zero byte between them.
pub fn onvif_answers(bytes: &[u8]) {
    struct Says<'a>(std::slice::Split<'a, u8, fn(&u8) -> bool>);
    impl onvif::Line for Says<'_> {
        fn post(&mut self, _to: &onvif::Url, _question: &onvif::Question) -> Result<onvif::Reply, onvif::Trouble> {
            let body = self.0.next().ok_or(onvif::Trouble::Unreachable)?.to_vec();
            Ok(onvif::Reply { status: 200, date: Some(0), body })
        }
    }
    let is_zero: fn(&u8) -> bool = |byte| *byte == 0;
    if let Ok(found) = find(&mut Says(bytes.split(is_zero))) {
        for stream in &found.streams {
            let behind_host = stream.url.strip_prefix("rtsp://10.0.0.8");
            let is_there = behind_host.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':', '?']));
            assert!(is_there, "a stream is looked for elsewhere: {}", stream.url);
        }
        black_box((found.main().is_ok(), found.sub()));
    }
}

fn find(line: &mut dyn onvif::Line) -> Result<onvif::Found, onvif::Trouble> {
    let device = "onvif://10.0.0.8".parse().expect("an address of ours is right");
    onvif::find(line, &device, None, onvif::World { unix_seconds: 0, nonce: &mut || [0; 16] })
}

/// What simulated devices of both kinds answer, and refusals.
pub fn onvif_answers_seeds() -> Vec<Vec<u8>> {
    use simulator::onvif::{Habits, says};
    let questions = [
        "GetSystemDateAndTime",
        "GetServices",
        "GetCapabilities",
        "GetDeviceInformation",
        "GetProfiles",
        "GetStreamUri",
    ];
    let all = |media2: bool| {
        let habits = Habits::example(media2);
        let answers = questions.iter().filter(|name| media2 != (**name == "GetCapabilities"));
        answers.map(|name| says(&habits, name)).collect::<Vec<_>>().join("\0").into_bytes()
    };
    vec![all(true), all(false)]
}
