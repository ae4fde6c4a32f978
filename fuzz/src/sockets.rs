//! What our own processes say to each other, should one of them be taken over: length, version, postcard (P3).

use domain::{CameraId, Span, StreamId, UtcMicros, limit::MESSAGE_BYTES_MAX};
use keeper::{
    socket::{read_message, write_message},
    wire::{Answer, Control, Question},
};
use vault::service::{LiveMessage, RecorderAnswer, RecorderAsk};

/// As it stands, and as the body of a message that is framed in order.
fn each_way(bytes: &[u8], read: impl Fn(&mut &[u8])) {
    read(&mut &bytes[..]);
    let framed = [&(bytes.len() as u32).to_le_bytes()[..], &[1], bytes].concat();
    read(&mut &framed[..]);
}

pub fn keeper(bytes: &[u8]) {
    each_way(bytes, |mut from| drop(read_message::<Question>(&mut from, MESSAGE_BYTES_MAX)));
    each_way(bytes, |mut from| drop(read_message::<Control>(&mut from, MESSAGE_BYTES_MAX)));
    each_way(bytes, |mut from| drop(read_message::<Answer>(&mut from, MESSAGE_BYTES_MAX)));
}
pub fn keeper_seeds() -> Vec<Vec<u8>> {
    let mut whole = Vec::new();
    write_message(&mut whole, &Question::Site, MESSAGE_BYTES_MAX).expect("a small message");
    (0..40u8)
        .map(|variant| [&[variant][..], &[1, 2, 3, 0, 0, 4, 5, 6, 7, 8, 9, 0, 0, 0]].concat())
        .chain([whole])
        .collect()
}

pub fn recorder(bytes: &[u8]) {
    each_way(bytes, |mut from| drop(read_message::<RecorderAsk>(&mut from, MESSAGE_BYTES_MAX)));
    each_way(bytes, |mut from| drop(read_message::<RecorderAnswer>(&mut from, MESSAGE_BYTES_MAX)));
    each_way(bytes, |mut from| drop(read_message::<LiveMessage>(&mut from, MESSAGE_BYTES_MAX)));
}
pub fn recorder_seeds() -> Vec<Vec<u8>> {
    let span = Span::new(UtcMicros(1), UtcMicros(2)).expect("it runs forwards");
    let stream = StreamId::main(CameraId([3; 16]));
    let asks = [RecorderAsk::Timeline { stream, span }, RecorderAsk::Locate { stream, span }];
    asks.iter()
        .map(|ask| {
            let mut whole = Vec::new();
            write_message(&mut whole, ask, MESSAGE_BYTES_MAX).expect("a small message");
            whole
        })
        .collect()
}
