//! The panic layer: every log line and span of the run is read whole, and one that repeats what is personal or secret ends it.

use std::{
    collections::BTreeSet,
    fmt::{Debug, Write},
    sync::{
        Once, OnceLock, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

static LINES: AtomicU64 = AtomicU64::new(0);
static SECRETS: OnceLock<RwLock<BTreeSet<String>>> = OnceLock::new();

fn secrets() -> &'static RwLock<BTreeSet<String>> {
    SECRETS.get_or_init(RwLock::default)
}

/// From now on no line may say this.
pub fn forbid(text: &str) {
    assert!(text.chars().count() >= 6, "a word that a line may hold by chance proves nothing");
    secrets().write().unwrap().insert(text.to_lowercase());
}

/// Reads every line from now on; of every thread, at every level.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Lines).expect("nobody else listens"));
}

/// How many lines and spans were read.
pub fn read() -> u64 {
    LINES.load(Relaxed)
}

struct Lines;

struct Said(String);

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").expect("a String takes every text");
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " {field}={value}").expect("a String takes every text");
    }
}

fn judge(metadata: &Metadata<'_>, record: impl FnOnce(&mut Said)) {
    let mut said = Said(format!("{} {}", metadata.target(), metadata.name()));
    record(&mut said);
    LINES.fetch_add(1, Relaxed);
    let line = said.0.to_lowercase();
    let found = secrets().read().unwrap().iter().find(|secret| line.contains(&***secret)).cloned();
    if let Some(secret) = found {
        // a thread that serves a socket would take its panic with it
        eprintln!("a line of the log says `{secret}`: {line}");
        BROKEN.store(true, Relaxed);
        panic!("a line of the log says what is personal or secret");
    }
}

static BROKEN: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Whether any line of any thread said too much; asking forgets.
pub fn said_too_much() -> bool {
    BROKEN.swap(false, Relaxed)
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        judge(span.metadata(), |said| span.record(said));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut said = Said(String::new());
        values.record(&mut said);
        let line = said.0.to_lowercase();
        assert!(!secrets().read().unwrap().iter().any(|secret| line.contains(secret)), "a span says too much");
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        judge(event.metadata(), |said| event.record(said));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
