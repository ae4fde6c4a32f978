//! What web and the program that decodes say to each other, should one of them be taken over.

use domain::Codec;
use media::ParameterSets;
use picture::{Coded, Counts, Job, Made, Message, Messages, Reason, Refusal, Task, write};

/// In one piece and byte by byte: the same messages, and no more room than what came.
pub fn messages(bytes: &[u8]) {
    let all = read(bytes, bytes.len().max(1));
    assert_eq!(all, read(bytes, 1), "messages depend on how their bytes came");
    for message in &all {
        let again = write(message).expect("what was read is no longer than it may be");
        assert_eq!(read(&again, again.len()).len(), 1);
    }
}
pub fn messages_seeds() -> Vec<Vec<u8>> {
    let picture = Coded { is_key: true, is_black: false, pts: 7, dts: 3, data: vec![0, 0, 0, 1, 9] };
    let all = [
        Message::Job(a_job()),
        Message::Picture(picture),
        Message::End,
        Message::Sets(Made { config: vec![1, 2, 3] }),
        Message::Done(Counts { shown: 1, lacking: 2 }),
        Message::Refusal(Refusal { reason: Reason::NoJob, words: "no".into() }),
    ];
    let each = all.iter().map(|message| write(message).expect("a small message"));
    let mut seeds: Vec<Vec<u8>> = each.collect();
    seeds.push(seeds.concat());
    seeds
}

fn read(bytes: &[u8], step: usize) -> Vec<Message> {
    let (mut messages, mut all) = (Messages::default(), vec![]);
    for part in bytes.chunks(step) {
        messages.feed(part);
        loop {
            match messages.next_message() {
                Ok(Some(message)) => all.push(message),
                Ok(None) => break,
                Err(_) => return all,
            }
        }
    }
    all
}

pub fn job(bytes: &[u8]) {
    if let Ok(job) = Job::from_json(bytes) {
        drop(job.sets());
    }
}
pub fn job_seeds() -> Vec<Vec<u8>> {
    let whole = write(&Message::Job(a_job())).expect("a small message");
    vec![whole[5..].to_vec()]
}

fn a_job() -> Job {
    let sps = [0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x5b, 0x20];
    let config = media::h264::avcc_from_sets(&[&sps], &[&[0x68, 0xce, 0x3c, 0x80]]).expect("right sets");
    let sets = ParameterSets { codec: Codec::H264, config: config.into(), width: 640, height: 360 };
    Job::new(Task::ViewingCopy, &sets)
}
