//! A small server of HTTP for tests: answers each question by what a function says, and remembers what it was asked.
#![allow(dead_code)] // each test program uses a part

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

pub const REPLY: &str = "application/timestamp-reply";

/// Of one question: path and body.
pub type Asked = (String, Vec<u8>);

pub struct Served {
    pub port: u16,
    pub asked: Arc<Mutex<Vec<Asked>>>,
}

/// Status, content type and body for a path and a body; nothing said, nothing answered.
pub type Answers = dyn Fn(&str, &[u8]) -> Option<(u16, &'static str, Vec<u8>)> + Send + Sync;

impl Served {
    pub fn begin(listener: TcpListener, answers: Box<Answers>) -> Served {
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let known = asked.clone();
        thread::spawn(move || {
            let mut silent = Vec::new();
            for mut stream in listener.incoming().flatten() {
                let Some((path, body)) = question(&stream) else { continue };
                known.lock().unwrap().push((path.clone(), body.clone()));
                match answers(&path, &body) {
                    Some((status, kind, body)) => drop(answer(&mut stream, status, kind, &body)),
                    None => silent.push(stream),
                }
            }
        });
        Served { port, asked }
    }

    pub fn new(
        answers: impl Fn(&str, &[u8]) -> Option<(u16, &'static str, Vec<u8>)> + Send + Sync + 'static,
    ) -> Served {
        Served::begin(TcpListener::bind("127.0.0.1:0").unwrap(), Box::new(answers))
    }

    pub fn paths(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(path, _)| path.clone()).collect()
    }
}

fn question(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|bytes| *bytes > 2 || !lines.is_empty())?;
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_lowercase());
    }
    let bytes = lines.iter().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; bytes];
    reader.read_exact(&mut body).ok()?;
    let is_query = lines.iter().any(|line| line == "content-type: application/timestamp-query");
    assert_eq!(lines[0].starts_with("post"), is_query, "RFC 3161, section 3.4: {lines:?}");
    Some((lines[0].split(' ').nth(1)?.to_owned(), body))
}

fn answer(stream: &mut TcpStream, status: u16, kind: &str, body: &[u8]) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n", body.len());
    stream.write_all(format!("{head}location: http://127.0.0.1:9/\r\nconnection: close\r\n\r\n").as_bytes())?;
    stream.write_all(body)
}
