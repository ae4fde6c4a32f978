//! The program `vigie-simulator` as a person uses it.

use super::client::{Client, USER};
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_vigie-simulator"))
}

#[test]
fn without_ffmpeg_the_message_names_the_remedy_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let output = program().args(["render", "--small", "--out"]).arg(folder.path()).env("PATH", "").output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("apt-get install ffmpeg"), "{text}");
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| name.to_string_lossy().ends_with(".json")), "{names:?}");
}

#[test]
fn the_password_of_a_run_is_printed_apart_from_the_addresses_and_opens_the_cameras() {
    let mut child = program()
        .args(["cameras", "--port", "0", "--cameras", "2", "--small"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    let lines: Vec<String> = lines.take_while(|line| !line.contains("Ctrl-C")).collect();
    let urls: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|url| url.starts_with("rtsp://"))
        .collect();
    assert_eq!(urls.len(), 2, "{lines:?}");
    assert!(lines.iter().any(|line| line.ends_with(USER)));
    let password =
        lines.iter().find(|line| line.contains("password")).and_then(|line| line.rsplit(' ').next()).unwrap();
    assert!(password.len() >= 20 && !urls.iter().any(|url| url.contains(password) || url.contains('@')));
    let address = urls[1].trim_start_matches("rtsp://").split('/').next().unwrap().parse().unwrap();
    let mut client = Client::connect(address).with_password(password);
    client.play(urls[1], &["video"]);
    assert!(client.packet().is_some());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_variable_without_a_password_is_named() {
    let output = program().args(["cameras", "--password-env", "VIGIE_NO_SUCH_VARIABLE"]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && text.contains("`VIGIE_NO_SUCH_VARIABLE`"), "{text}");
}
