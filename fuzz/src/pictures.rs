//! What web and the program that decodes say to each other, should one of them be taken over.

use domain::Codec;
use media::ParameterSets;
use picture::{
    Coded, Counts, Job, Made, Message, Messages, Reason, Refusal, Task,
    redact::{Key, Planes, Point, Region},
    write,
};

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
        Message::Job(a_job(Task::ViewingCopy)),
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
        if let Ok(Some(regions)) = job.regions() {
            let mut planes = [vec![9; 64 * 48], vec![9; 32 * 24], vec![9; 32 * 24]];
            let [luma, first, second] = &mut planes;
            let planes: [(&mut [u8], usize); 3] = [(luma, 64), (first, 32), (second, 32)];
            let mut picture = Planes { width: 64, height: 48, planes };
            [i64::MIN, 1, 45, 90, i64::MAX].iter().for_each(|at| regions.cover(*at, &mut picture));
        }
    }
}
pub fn job_seeds() -> Vec<Vec<u8>> {
    let corner = |x: f64| Point(x, 2.0 * x);
    let keys = [1, 90].map(|at| Key { at, outline: vec![corner(0.0), corner(30.0), Point(30.0, 0.5)] }).to_vec();
    let task = Task::Redacted { regions: vec![Region { keys }] };
    [Task::ViewingCopy, task]
        .map(|task| write(&Message::Job(a_job(task))).expect("a small message")[5..].to_vec())
        .to_vec()
}

fn a_job(task: Task) -> Job {
    let sps = [0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x5b, 0x20];
    let config = media::h264::avcc_from_sets(&[&sps], &[&[0x68, 0xce, 0x3c, 0x80]]).expect("right sets");
    let sets = ParameterSets { codec: Codec::H264, config: config.into(), width: 640, height: 360 };
    Job::new(task, &sets)
}
