//! Every bound of Vigie, with its unit, its reason and, below, its relations to the others, held at compile time.

/// A chunk is cut at this age: with tick, sync period and sync latency it keeps a power cut under 2 s (R1).
pub const CHUNK_AGE_MS_MAX: u64 = 500;
/// A chunk is cut at this size: 0.5 s of 4 Mbit/s (R1).
pub const CHUNK_BYTES_MAX: usize = 256 * 1024;
/// One picture may be a chunk of its own up to this size; beyond it is a named gap (R1).
pub const PICTURE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The ingest thread looks at all sockets this often (R15): most of the cost of receiving is waking up.
pub const TICK_MS: u64 = 100;
/// While a stream of it is watched, the ingest thread looks this often (R15).
pub const TICK_WATCHED_MS: u64 = 20;
/// One durable write for all cameras each second (R1).
pub const SYNC_PERIOD_MS: u64 = 1_000;
/// Memory that so many syncs in a row did not need goes back to the system: a minute, so that what every second needs stays, and
/// what a disk that hung once needed does not (decision 0064).
pub const MEMORY_KEPT_SYNCS: u32 = 60;
/// A sync that takes longer is a health state and a ledger entry (R1).
pub const SYNC_LATENCY_MS_MAX: u64 = 400;
/// What a power cut may cost each camera: promise 1.
pub const LOSS_MS_MAX: u64 = 2_000;

/// Pictures that may come before one that is shown after them: what both codecs allow (H.264, A.3.1; H.265, A.4.2).
pub const REORDER_PICTURES_MAX: usize = 16;
/// A presentation time that lies this far before the newest one is no reordering but a clock that stepped back: 2 s in
/// 1/90,000 s, 16 pictures at 8 pictures/s.
pub const REORDER_TICKS_MAX: i64 = 180_000;
/// A group's start is looked for this far before what is asked for: cameras that save bits send a key frame each minute,
/// some each five.
pub const GROUP_SECONDS_MAX: i64 = 300;
/// A live viewer waits this long for a group to start where pictures come (P5): a group of a minute and its jitter.
pub const LIVE_GROUP_WAIT_SECONDS: u64 = 75;
/// And this long where none comes.
pub const LIVE_PICTURE_WAIT_SECONDS: u64 = 10;

/// A reel lasts about a minute (R2): few enough leaves for the ledger (L5), short enough to publish soon.
pub const REEL_SECONDS: u64 = 60;
/// Records are padded to this at a sync: the block of direct I/O (R3).
pub const BLOCK_BYTES: usize = 4_096;
/// A record header (R3).
pub const RECORD_HEADER_BYTES: usize = 64;
/// Payload of a record: the largest picture, its frame table and its tag, with room.
pub const RECORD_PAYLOAD_BYTES_MAX: usize = 9 * 1024 * 1024;
/// Slots of the local store (R2).
pub const SLOT_BYTES_MIN: u64 = 4 * 1024 * 1024;
pub const SLOT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Slots of one root of the store: 24 bits of a slot's number, the other 8 say which root (decision 0058). 1 PiB in the largest.
pub const SLOTS_PER_ROOT_MAX: u32 = (1 << 24) - 1;
/// Roots that a store may have at once: each is a disk, and a machine has no more bays.
pub const STORE_ROOTS_MAX: usize = 16;
/// Reels after which earlier turns weigh half: an hour of them, so that a new disk soon has its share and no more.
pub const ROOT_TURNS_MAX: u64 = 60;
/// Of the reels that the catalog knows on a root, at most one in so many may be missing; beyond that nothing of the root is
/// freed or forgotten by itself: other programs lost whole indices to an empty mount point (decision 0059).
pub const ROOT_MISSING_ONE_IN: u64 = 100;
/// First blocks of slots that a census reads: 2 s of a disk; the names of all slots are compared besides.
pub const CENSUS_HEADERS_MAX: usize = 256;
/// Streams of one reel: handles are 16 bits, the last is reserved.
pub const REEL_STREAMS_MAX: usize = 4_096;

/// What an upgrade, or the way back, may cost each camera (`docs/operate/upgrade.md`): an orderly stop, a start, a session.
pub const UPGRADE_GAP_MS_MAX: u64 = 5_000;

/// The hour turns at the first key frame within this time of it (R8).
pub const HOUR_TURN_SECONDS_MAX: i64 = 10;
/// Pictures of an hour may come this much later than its turn: a stalled network drains for up to 10 s, a camera's clock lies
/// up to 2 s ahead, a chunk is cut and synced within 2 s.
pub const HOUR_LATE_SECONDS_MAX: i64 = 15;
/// Footage closes this long before its deadline; destruction begins then (K8).
pub const CLOSED_BEFORE_DEADLINE_SECONDS: i64 = 600;
/// No footage lives longer, whatever the authorisation says (law RET-03; the month is in `policy::retention`).
pub const RETENTION_DAYS_MAX: u32 = 30;
/// The keeper mints for the present hour and the next two (K9), so recording survives its absence (P6).
pub const MINT_HOURS_AHEAD: i64 = 2;
/// A cached chunk key lives this long, never past the closing (K8).
pub const CHUNK_KEY_CACHE_SECONDS_MAX: u64 = 60;

/// The store is read again in such a round (decision 0052): three times in the life of what lives thirty days.
pub const SCRUB_ROUND_SECONDS: u64 = 10 * 86_400;
/// And no faster than this, whatever a round then takes: a fifth of what one disk reads in order, and as fast as 60 cameras of
/// 4 Mbit/s write, so that even theirs is read once before it dies.
pub const SCRUB_BYTES_PER_SECOND_MAX: u64 = 32 * 1024 * 1024;
/// Nor slower, so that a small store's damage is known within hours.
pub const SCRUB_BYTES_PER_SECOND_MIN: u64 = 1024 * 1024;

/// The independent auditor of destruction looks this often (decision 0053): as often as destruction has its turn.
pub const RETENTION_LOOK_SECONDS: i64 = 60;
/// A destruction that has not gone through all hours for so long is frozen, a keeper that says nothing likewise: ten turns.
pub const RETENTION_FROZEN_SECONDS: i64 = 600;
/// Keys die within a turn or two from the closing on, ten minutes before their deadline; one that lives so long after it is late.
pub const RETENTION_LATE_SECONDS: i64 = 300;
/// Whatever is wrong with destruction is told within this, and an auditor that is silent for this is an alarm itself.
pub const RETENTION_ALARM_SECONDS_MAX: i64 = 900;
/// Slots of the store whose headers the auditor reads at each look: two seconds of a disk's seeks in a minute.
pub const RETENTION_SLOTS_PER_LOOK: usize = 200;

/// One message between our processes (P3).
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// A live stream whose permit nobody confirmed for this long is dropped (P5).
pub const LIVE_SILENCE_MS_MAX: u64 = 2_000;
/// A group of pictures kept for a new viewer of a watched stream (P5).
pub const LIVE_GOP_BYTES_MAX: usize = 2 * 1024 * 1024;
/// A permit ends after this long; the reason must then be given again.
pub const PERMIT_SECONDS_MAX: i64 = 8 * 3_600;
/// An urgent oral requisition is confirmed in writing within a day (law REQ-04).
pub const ORAL_REQUISITION_SECONDS_MAX: i64 = 24 * 3_600;
/// Cameras and hours of one requisition, and of one export.
pub const WINDOWS_MAX: usize = 64;
/// How long a town keeps held footage that its requisition's authority does not collect (RET-06, U: short, tied to the requisition).
pub const HOLD_DAYS: i64 = 15;
/// No paper and no setting makes it longer.
pub const HOLD_DAYS_MAX: i64 = 30;
/// Hours of all cameras together that one hold names, those at whose end it begins counted with them: more than nine days of one camera.
pub const HOLD_HOURS_MAX: usize = 240;
/// Holds that stand at once: each hour of each is a key in the keyring's root, 68 bytes.
pub const HOLDS_MAX: usize = 256;
/// A hold that comes just before footage closes has so long to wrap its keys, while they live and nothing else opens by them.
pub const HOLD_GATHER_SECONDS_MAX: i64 = 240;
/// A link to a package lives so long at most, and never longer than the package: two persons' permission stands for three days.
pub const LINK_SECONDS_MAX: i64 = 3 * 86_400;
/// Shorter, nobody could read out the code and be at a machine.
pub const LINK_SECONDS_MIN: i64 = 15 * 60;
/// How often one link's package may be fetched: by the service, and by a colleague of it whose machine has the key.
pub const LINK_DOWNLOADS_MAX: u8 = 3;
/// Wrong codes, then the link is dead: who has the link and not the code guesses one of 2^50 by five tries.
pub const LINK_WRONG_CODES_MAX: u8 = 5;
/// Of Crockford's base 32: 50 bits, short enough to be read out on a telephone.
pub const LINK_CODE_CHARS: usize = 10;
/// A download that broke off may begin again for so long since it began or broke off, and counts once: a service's line is slow, or fails.
pub const LINK_AGAIN_SECONDS: i64 = 3_600;
/// And so often, the first time counted with them.
pub const LINK_BEGINNINGS_MAX: u8 = 3;
/// Visits of a link that is over are entered so often; then it is refused without another entry, so that nobody fills the ledger with it.
pub const LINK_LATE_ENTRIES_MAX: u8 = 10;
/// Links of one export, one living after the other.
pub const LINKS_OF_EXPORT_MAX: usize = 10;
/// What the page posts: a token of 64 digits and a code.
pub const LINK_FORM_BYTES_MAX: usize = 512;
/// Connections that web keeps at the public role: each carries one try, and then its package.
pub const LINK_LINES: usize = 12;
/// Packages that leave at once; the other lines stay for tries.
pub const LINK_DOWNLOADS_AT_ONCE: usize = 6;
/// Tries that strangers may have under way; more are told to come back.
pub const LINK_TRIES_AT_ONCE: usize = 6;
/// Who is refused waits so long, whatever the reason: eight disk syncs fit, so that the wait tells nothing, and six places give six tries a second.
pub const LINK_REFUSAL_MS: u64 = 1_000;
/// A connection or a line over which nothing moves for so long is closed.
pub const LINK_STALL_SECONDS_MAX: u64 = 60;
/// Connections of strangers at the public role, open at once.
pub const PUBLIC_CONNECTIONS_MAX: usize = 256;
/// One window of an export: longer ones are several exports, so that each package fits a medium and a permit's time.
pub const WINDOW_SECONDS_MAX: i64 = 24 * 3_600;
/// A permit's id in a URL lives this long since its last use (P8).
pub const PERMIT_IDLE_SECONDS_MAX: i64 = 60;
/// A one-time setup link lives this long (P8).
pub const SETUP_LINK_SECONDS_MAX: i64 = 15 * 60;
/// A session ends after this long: one service of the supervision centre.
pub const SESSION_SECONDS_MAX: i64 = 12 * 3_600;
/// A session that nobody touches locks after so many minutes, where the town sets nothing else: a desk is left for a coffee.
pub const SESSION_IDLE_MINUTES: i64 = 10;
/// And after this long whatever the town sets.
pub const SESSION_IDLE_MINUTES_MAX: i64 = 30;
/// A browser on which somebody signed in is known for so long: it has its own measure of failures.
pub const KNOWN_DEVICE_SECONDS_MAX: i64 = 180 * 86_400;
/// Persons who share one browser: so many are known on it.
pub const KNOWN_DEVICE_PERSONS_MAX: usize = 8;
/// A certificate that ends within so many days is worth a warning: an authority and a purchase take their time.
pub const CERTIFICATE_WARNING_DAYS: i64 = 30;
/// A reason is a sentence, not a page.
pub const REASON_CHARS_MIN: usize = 10;
pub const REASON_CHARS_MAX: usize = 500;
/// Break-glass is open for so long; only the same act of two persons opens it again.
pub const BREAK_GLASS_SECONDS: i64 = 15 * 60;
/// Who asks for it waits so long for a second person.
pub const BREAK_GLASS_ASK_SECONDS_MAX: i64 = 5 * 60;
/// A group of cameras or a team of persons, as the town's rules quote it.
pub const RIGHTS_NAME_CHARS_MAX: usize = 60;
/// Groups of one camera, teams of one person.
pub const RIGHTS_NAMES_MAX: usize = 32;
/// And says something: so many different letters or digits. Dots have none, a key held down has one.
pub const REASON_SIGNS_MIN: usize = 4;
/// Instead of a sentence, the number of an event or a file, with so many digits: what a centre's own register calls it.
pub const REASON_CODE_CHARS_MIN: usize = 4;
pub const REASON_CODE_CHARS_MAX: usize = 20;
pub const REASON_CODE_DIGITS_MIN: usize = 3;
/// A stated reason holds for further cameras for so long; using it does not prolong it. Most incidents are over then.
pub const REASON_HOLDS_SECONDS_MAX: i64 = 30 * 60;
/// Reasons of one's own session that are offered again.
pub const REASONS_RECENT_MAX: usize = 5;
/// A password: ANSSI/CNIL guidance asks for entropy; length is what a person can do.
pub const PASSWORD_CHARS_MIN: usize = 12;
pub const PASSWORD_CHARS_MAX: usize = 256;
/// Seed of the codes of a second factor: as long as SHA-1's output (RFC 4226, 4, R6).
pub const SECOND_FACTOR_SEED_BYTES: usize = 20;
/// Digits of a code: what every authenticator shows.
pub const SECOND_FACTOR_DIGITS: usize = 6;
/// A code lives this long (RFC 6238, 5.2).
pub const SECOND_FACTOR_STEP_SECONDS: i64 = 30;
/// Codes of so many steps before and after count too: phones go wrong by some seconds, people type for some.
pub const SECOND_FACTOR_STEPS_BESIDE: i64 = 1;
/// One-time codes on paper, for a phone that is lost.
pub const RECOVERY_CODES: usize = 8;
/// Their chance: 80 bits, which nobody guesses even with the hashes before him.
pub const RECOVERY_CODE_BYTES: usize = 10;
/// A ceremony of WebAuthn waits this long for a person to find a finger or a key.
pub const CEREMONY_SECONDS_MAX: i64 = 300;
/// Ceremonies under way at once: what strangers begin must not fill memory.
pub const CEREMONIES_MAX: usize = 1_024;
/// Passkeys of one account: a telephone, a key, a spare one of each.
pub const PASSKEYS_MAX: usize = 10;
/// What its owner calls a passkey.
pub const PASSKEY_LABEL_CHARS_MAX: usize = 60;

/// A sign-in by a provider may take so long: somebody finds a telephone, a card, a PIN.
pub const OIDC_FLOW_SECONDS_MAX: i64 = 600;
/// What a package waits for a timestamp, lists of revocations included: somebody waits before a screen, and the package is whole without.
pub const STAMP_SECONDS_MAX: u64 = 60;
/// Of that for one question: an authority that is silent is asked again.
pub const STAMP_QUESTION_SECONDS_MAX: u64 = 15;
/// An ID token of a provider; a careful one has some kilobytes.
pub const OIDC_TOKEN_BYTES_MAX: usize = 32 * 1024;
/// What a provider says of itself, its keys, or its answer to a code.
pub const OIDC_ANSWER_BYTES_MAX: usize = 256 * 1024;
/// A provider's signing keys: the present, the next and the last one of some kinds.
pub const OIDC_KEYS_MAX: usize = 16;
/// By how much a provider's clock may differ from ours.
pub const OIDC_SKEW_SECONDS_MAX: i64 = 60;
/// A subject identifier (OpenID Connect Core 1.0, section 2).
pub const OIDC_SUBJECT_CHARS_MAX: usize = 255;

/// One scan of a paper: a file of 40 pages at 300 dpi in grey.
pub const SCAN_BYTES_MAX: usize = 16 * 1024 * 1024;
/// A scan travels in parts, each with room in a message of 1 MiB.
pub const SCAN_PART_BYTES_MAX: usize = 512 * 1024;
/// Papers entered at once: a town's whole file, 300 cameras with three papers each; a message of 1 MiB holds 1 KiB of each.
pub const ACTS_AT_ONCE_MAX: usize = 1_000;
/// A number, a name, a place on a paper.
pub const ACT_WORD_CHARS_MAX: usize = 200;
/// Cameras, or recipients, that one paper names.
pub const ACT_NAMES_MAX: usize = 1_000;
/// A dossier's file: [`ACTS_AT_ONCE_MAX`] papers with their comments.
pub const DOSSIER_BYTES_MAX: usize = 1024 * 1024;
/// An authorisation ends after five years (CSI L252-4).
pub const AUTHORISATION_MONTHS_MAX: i32 = 60;
/// A provisional one after four months (CSI L252-6, L223-5).
pub const PROVISIONAL_MONTHS_MAX: i32 = 4;

/// A store runs out of room when it would be full within this time, by what comes in and what dies by itself until then: the oldest
/// hour dies within a minute then, and its space is free within seconds (R14).
pub const ROOM_SHORT_SECONDS: u64 = 900;
/// Of the store's room the last slots count as used already: each run, hour and deadline fills one of its own.
pub const ROOM_SHORT_SLOTS: u64 = 4;
/// Footage that died early for want of room is told so for so long.
pub const SHORTFALL_TOLD_SECONDS: i64 = 7 * 86_400;
/// An approved order that shortens a delay waits for so long, and can be cancelled meanwhile (R14).
pub const SHORTEN_WAIT_SECONDS: i64 = 24 * 3_600;
/// A request to shorten a delay that nobody approves lapses after this time.
pub const SHORTEN_ASKED_SECONDS_MAX: i64 = 7 * 86_400;
/// One file in a backup of the registry: the database of a town with thousands of papers has some tens of MiB.
pub const BACKUP_PART_BYTES_MAX: u64 = 1 << 30;
/// An older backup of the registry is not restored: what changed since must stand in entries that can still be read (L2).
pub const BACKUP_DAYS_MAX: i64 = 330;
/// Who got a new way to sign in since a restored backup was taken confirms what was restored after this time only: whoever can
/// make two accounts must not be two persons at once.
pub const RESTORED_NEWCOMER_SECONDS: i64 = 24 * 3_600;

/// The details of the ledger's entries can be read for at least so many months after the month they belong to (L2).
pub const LOG_RETENTION_MONTHS_MIN: u32 = 12;
/// CSI R253-5: at most three years, for the oldest entry of a month, too.
pub const LOG_RETENTION_MONTHS_MAX: u32 = 36;
/// A log key dies so long before its oldest entry is three years old, so that no reading of a calendar finds it too old.
pub const LOG_KEY_DIES_BEFORE_CAP_SECONDS: i64 = 86_400;

/// A review covers at most so many days: a year, as an inspector asks for it.
pub const REVIEW_DAYS_MAX: i64 = 366;
/// Lines of one page of a review: what a person reads at a time; each is at most some KiB of a message of 1 MiB.
pub const REVIEW_PAGE_LINES: usize = 100;
/// Cameras that a line names; a wall has more, and is then counted.
pub const REVIEW_CAMERAS_NAMED_MAX: usize = 8;
/// Questions worth asking are about at most a month: the staff is not watched for longer than the footage lives.
pub const QUESTION_DAYS_MAX: i64 = 31;
/// Looks that are gone through for them: 600 a day.
pub const QUESTION_LOOKS_MAX: usize = 20_000;
/// So many looks at one place within a day, or with the same words in a row, are worth a question; fewer happen to everybody.
pub const QUESTION_REPEATS_MIN: usize = 5;
/// A night's hours in Paris: from this one on, until before that one.
pub const QUESTION_NIGHT_FROM: i64 = 22;
pub const QUESTION_NIGHT_UNTIL: i64 = 6;
/// Questions of one answer, and looks that one question names.
pub const QUESTIONS_MAX: usize = 200;
pub const QUESTION_LINES_MAX: usize = 50;
/// A training in data protection is worth a warning after so many months (law ACC-08).
pub const TRAINING_MONTHS_MAX: i32 = 24;

/// The journal gathers a group of entries for at most this long before it writes (L1).
pub const JOURNAL_GATHER_MS_MAX: u64 = 2;
/// A log beyond this is none of ours: 10,000 cameras make tens of millions of entries a year (L5). What a stranger signs is
/// not believed beyond it, because arithmetic on tree indexes has to stay within 64 bits.
pub const LOG_ENTRIES_MAX: u64 = 1 << 40;
/// A signed note with its signatures: some hundred bytes, and as many for each witness.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;
/// Starts of programs that the log opens for everybody, the newest ones: a program starts some times a year.
pub const STARTS_PUBLISHED_MAX: usize = 64;
/// The file of them: a line each, of at most 1 KiB; an entry of a start has some 200 bytes, shown twice as long.
pub const STARTS_BYTES_MAX: usize = STARTS_PUBLISHED_MAX * 1024;
/// Lines of a consistency proof that a witness is asked with (C2SP tlog-witness).
pub const PROOF_LINES_MAX: usize = 63;
/// A whole question to a witness: the note, and 63 lines of 45 bytes, with room.
pub const ADD_CHECKPOINT_BYTES_MAX: usize = NOTE_BYTES_MAX + 8 * 1024;
/// A file that says which witnesses count (C2SP tlog-policy), and the lines of each kind in it.
pub const WITNESS_POLICY_BYTES_MAX: usize = 64 * 1024;
pub const WITNESS_POLICY_LINES_MAX: usize = 64;
/// A witness answers within this; it signs and syncs one small file. Asked twice at most, so that a role that is told to stop
/// while it waits still stops in order (15 s).
pub const WITNESS_ANSWER_SECONDS_MAX: u64 = 6;
/// The journal closes a batch, and witnesses are asked, this often (L4).
pub const CHECKPOINT_SECONDS: i64 = 60;
/// The public mirror gets the log this often, on a fixed clock (L4).
pub const MIRROR_SECONDS: i64 = 3_600;
/// A witness that has cosigned nothing for this long is an alarm: fifteen checkpoints.
pub const WITNESS_SILENCE_SECONDS_MAX: i64 = 15 * 60;

/// A file of rules or of a schema; those of the law have a tenth of it.
pub const LAW_FILE_BYTES_MAX: usize = 256 * 1024;
/// Words and marks of one rule; a schema's longest statement has half of it. Cedar's tree is as deep as a chain of them is long.
pub const LAW_STATEMENT_WORDS_MAX: usize = 1_000;
/// Brackets in brackets and `if` in `if` of one rule: Cedar's parser goes through a dozen frames for each.
pub const LAW_NESTING_MAX: usize = 32;
/// Two clocks that differ by more do not agree (K9).
pub const CLOCK_AGREEMENT_SECONDS_MAX: i64 = 300;
/// 2026-01-01T00:00:00Z: no clock of this program can be right that says an earlier time (a dead battery says 1970 or 2000).
pub const CLOCK_EARLIEST_SECONDS: i64 = 1_767_225_600;
/// The system clock is under NTP while the kernel bounds its error by this; it gives up at 16 s (systemd, timedatex).
pub const NTP_ERROR_MICROS_MAX: i64 = 16_000_000;
/// Trusted time follows the drift of its own quartz at most this fast, in millionths: four times what a quartz drifts, and
/// too little to carry footage past its deadline in a month.
pub const CLOCK_SLEW_PPM_MAX: i64 = 200;
/// Below this a difference is a message's way, not a drift.
pub const CLOCK_SLEW_FROM_MICROS: i64 = 1_000_000;
/// A camera's clock is evidence for so long after its last sender report; cameras send one about each five seconds.
pub const CAMERA_CLOCK_FRESH_SECONDS_MAX: i64 = 60;
/// Clocks of cameras in one beat: 40 bytes each, of a message of 1 MiB; a median needs no more voices.
pub const CAMERA_CLOCKS_MAX: usize = 1_024;
/// So many cameras that agree are a clock of their own; one alone may only confirm one that nobody sets, or NTP (K9).
pub const CAMERA_CLOCKS_TO_CONTRADICT: usize = 2;
/// After a boot a time server decides alone only when the cameras could be heard for so long: what hangs on the same power
/// line boots in a minute or two, is reconnected to within ten seconds, and says its time about each five. It costs nothing:
/// meanwhile what is due is closed, and recording goes on.
pub const CAMERAS_AWAITED_SECONDS: i64 = 120;
/// So many cameras that agree may show the drift of our quartz.
pub const CAMERA_CLOCKS_TO_FOLLOW: usize = 3;
/// Two persons confirm the time within this (K9).
pub const CLOCK_CONFIRM_SECONDS_MAX: i64 = 15 * 60;
/// Two persons confirm no time further ahead of the ledger: a machine that was off for longer is set right by hand.
pub const CLOCK_CONFIRM_DAYS_MAX: i64 = 400;
/// A camera's reconnect back-off ends here.
pub const RECONNECT_SECONDS_MAX: u64 = 10;
/// A source that delivers nothing for this long is dead.
pub const SOURCE_SILENCE_SECONDS_MAX: u64 = 5;
/// A camera that sends pictures for so long and none with which decoding can begin is taken anew: longer than any usual
/// group (smart codecs stretch theirs to 60 s).
pub const KEY_PICTURE_SECONDS_MAX: i64 = 90;
/// A camera of which nothing became durable for so long is an alarm; looked at each second, told within 30 s.
pub const NOT_DURABLE_ALARM_SECONDS: i64 = 20;
/// A camera's rate is told once it was measured for so long: a picture more or less is half a percent of six a second.
pub const RATE_MEASURED_SECONDS_MIN: i64 = 30;
/// A measurement begins anew after so long: what was set right is felt, a hiccup is not.
pub const RATE_MEASURED_SECONDS_MAX: i64 = 300;
/// How far below the rate demanded a camera's own clock and the edges of a measurement may bring it.
pub const RATE_SHORTFALL_PERCENT: u64 = 1;
/// Cameras whose size or rate falls short that the health page names each; the rest are counted.
pub const TECHNICAL_FINDINGS_MAX: usize = 50;
/// A paper as JSON, as `vigie-papers` reads it: a journal of five thousand exports, or a report of ten thousand files.
pub const PAPER_JSON_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A printed paper: six times its JSON (measured: 4,000 files, 3,000 exports), and as much again and more.
pub const PAPER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long `vigie-papers` may take for one paper: 0.5 s for most, 36 s for 3,000 exports, by a program without optimisation.
pub const PAPER_SECONDS_MAX: u64 = 60;
/// Who has a paper printed at the socket and neither sends nor takes a byte for so long is left: a paper is written at once.
pub const PAPER_SILENCE_SECONDS_MAX: u64 = 5;
/// Papers that wait for the one printer; whoever comes then is told to come again. Most take half a second.
pub const PAPERS_WAITING_MAX: usize = 8;
/// What `vigie-papers` says where it does not print: one line.
pub const PAPER_WORDS_BYTES_MAX: usize = 400;
/// Address space that `vigie-papers` may take: fonts, a paper and its layout, several times over.
pub const PAPER_MEMORY_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Width of a viewing copy; a camera's larger pictures are made smaller, the original is beside it. Of 1,920 pixels it took twice the time
/// (measured: 29 pictures a second of a processor, 56 of this) and four times the bytes.
pub const VIEWING_WIDTH_MAX: u32 = 1_280;
/// Pictures that `vigie-picture` takes, each way: level 6.2 of H.265 (table A.9) has 8,192 × 4,320.
pub const VIEWING_SOURCE_WIDTH_MAX: u32 = 8_192;
/// The word that begins a job for `vigie-picture`: parameter sets in hexadecimal, 65,535 bytes of one set at most.
pub const VIEWING_JOB_BYTES_MAX: usize = 256 * 1024;
/// Pictures that a decoder may hold back before it shows one: 16 of H.265 (A.4.2), and four times as many.
pub const VIEWING_HELD_MAX: usize = 64;
/// Who speaks with `vigie-picture` and neither sends nor takes a byte for so long is left, on both sides: a disk that sleeps wakes in less.
pub const VIEWING_SILENCE_SECONDS_MAX: u64 = 60;
/// All viewing copies of one package together, as long as the log's word is waited for; what is not made then ends early, and says so.
pub const VIEWING_PACKAGE_SECONDS_MAX: u64 = 5 * 60;
/// Threads that encode: a town's machine records meanwhile.
pub const VIEWING_THREADS_MAX: usize = 4;
/// Processor time of one copy: every thread for as long as a package may wait, and as much again.
pub const VIEWING_CPU_SECONDS_MAX: u64 = 2 * VIEWING_PACKAGE_SECONDS_MAX * VIEWING_THREADS_MAX as u64;
/// Address space of `vigie-picture`: FFmpeg's libraries, and the pictures that decoder and encoder hold, 53 MB each at the most.
pub const VIEWING_MEMORY_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// What `vigie-picture` says where it makes nothing: one line.
pub const VIEWING_WORDS_BYTES_MAX: usize = 400;
/// Regions that are covered in one stream, by hand: more persons than anybody draws around at once.
pub const REDACTION_REGIONS_MAX: usize = 64;
/// Instants at which one region is drawn: two a second of half an hour.
pub const REDACTION_KEYS_MAX: usize = 3_600;
/// Corners of a region.
pub const REDACTION_POINTS_MAX: usize = 32;
/// The word that begins a job to cover regions: all of them, each corner in forty bytes, would be 300 MB; a tenth of a hundredth is drawn.
pub const REDACTION_JOB_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Packages that are made at once: each holds a thread and a reel of a camera. As many processes of `vigie-picture` wait for them.
pub const PACKAGES_AT_ONCE_MAX: usize = 2;
/// A PKCS#11 token's label (CK_TOKEN_INFO, PKCS#11 section 3.2): 32 bytes of UTF-8.
pub const TOKEN_LABEL_BYTES_MAX: usize = 32;

// Nobody's session locks while viewing copies are made, so that they never cost a package.
const _: () = assert!((VIEWING_PACKAGE_SECONDS_MAX as i64) < SESSION_IDLE_MINUTES * 60);
// Promise 1: what is received becomes durable before it is 2 s old.
const _: () = assert!(CHUNK_AGE_MS_MAX + TICK_MS + SYNC_PERIOD_MS + SYNC_LATENCY_MS_MAX <= LOSS_MS_MAX);
// A reason never outlasts the look that it was stated for, a code is shorter than a reason may be.
const _: () = assert!(REASON_HOLDS_SECONDS_MAX < PERMIT_SECONDS_MAX && REASON_CODE_CHARS_MAX < REASON_CHARS_MAX);
const _: () = assert!(RATE_MEASURED_SECONDS_MIN < RATE_MEASURED_SECONDS_MAX && RATE_SHORTFALL_PERCENT < 100);
// What a restored registry does not know stands in months of the ledger that can be read.
const _: () = assert!(BACKUP_DAYS_MAX < LOG_RETENTION_MONTHS_MIN as i64 * 28);
// A scan's part travels in one message.
const _: () = assert!(SCAN_PART_BYTES_MAX + 64 * 1024 < MESSAGE_BYTES_MAX);
// A page of a review fits a message, each line with its reason, its cameras' names and the words of some rules.
const _: () = assert!(REVIEW_PAGE_LINES * 8 * 1024 < MESSAGE_BYTES_MAX && QUESTIONS_MAX * 4 * 1024 < MESSAGE_BYTES_MAX);
// A record header and its padding fit a block.
const _: () =
    assert!(BLOCK_BYTES.is_multiple_of(RECORD_HEADER_BYTES) && SLOT_BYTES_MIN.is_multiple_of(BLOCK_BYTES as u64));
// Every proof that fits the lines of a question is one of a log that can be: a path is at most twice its tree's height.
const _: () = assert!(LOG_ENTRIES_MAX.ilog2() as usize <= PROOF_LINES_MAX);
// Witnesses are asked several times before their silence is an alarm, and the mirror shows nothing in between.
const _: () =
    assert!(CHECKPOINT_SECONDS * 10 < WITNESS_SILENCE_SECONDS_MAX && WITNESS_SILENCE_SECONDS_MAX < MIRROR_SECONDS);
const _: () = assert!((WITNESS_ANSWER_SECONDS_MAX as i64) < CHECKPOINT_SECONDS);
// What 60 cameras of 4 Mbit/s write is read at least once before it dies.
const _: () = assert!(60 * 500_000 <= SCRUB_BYTES_PER_SECOND_MAX);
const _: () = assert!(3 * SCRUB_ROUND_SECONDS <= RETENTION_DAYS_MAX as u64 * 86_400);
// A frozen or late destruction is told in time, two looks after it can be known; and before the deadline, where it can.
const _: () = assert!(RETENTION_FROZEN_SECONDS + 2 * RETENTION_LOOK_SECONDS < RETENTION_ALARM_SECONDS_MAX);
const _: () = assert!(RETENTION_LATE_SECONDS + 2 * RETENTION_LOOK_SECONDS < CLOSED_BEFORE_DEADLINE_SECONDS);
// Keys that a late hold still needs are dead before anybody could call them late.
const _: () = assert!(HOLD_GATHER_SECONDS_MAX + 30 < RETENTION_LATE_SECONDS && HOLD_DAYS <= HOLD_DAYS_MAX);
// The largest picture fits a record.
const _: () = assert!(PICTURE_BYTES_MAX + 64 * 1024 < RECORD_PAYLOAD_BYTES_MAX);
// Keys cached by the web role cannot outlive the ten minutes between closing and deadline.
const _: () = assert!((CHUNK_KEY_CACHE_SECONDS_MAX as i64) < CLOSED_BEFORE_DEADLINE_SECONDS);
// Clocks that agree err by less than footage closes early: nothing past its deadline opens because of it.
const _: () =
    assert!(CLOCK_AGREEMENT_SECONDS_MAX + (CHUNK_KEY_CACHE_SECONDS_MAX as i64) < CLOSED_BEFORE_DEADLINE_SECONDS);
// Whoever drags the clock that ours follows gains less in footage's longest life than footage closes early.
const _: () =
    assert!(CLOCK_SLEW_PPM_MAX * RETENTION_DAYS_MAX as i64 * 86_400 / 1_000_000 < CLOSED_BEFORE_DEADLINE_SECONDS);
// Whoever boots with a time server has connected to every camera that answers, and heard it, before it decides alone.
const _: () = assert!(RECONNECT_SECONDS_MAX as i64 + CAMERA_CLOCK_FRESH_SECONDS_MAX < CAMERAS_AWAITED_SECONDS);
// What two persons open in an emergency ends long before any look, and waits for the second person no longer than it lasts.
const _: () = assert!(BREAK_GLASS_SECONDS < PERMIT_SECONDS_MAX && BREAK_GLASS_ASK_SECONDS_MAX < BREAK_GLASS_SECONDS);
// A link is worth its code: the tries of a dead one's life stay far below what there is to guess; while packages leave, others may try.
const _: () = assert!((LINK_WRONG_CODES_MAX as usize) < LINK_CODE_CHARS && LINK_CODE_CHARS.is_multiple_of(2));
const _: () = assert!(LINK_DOWNLOADS_AT_ONCE + LINK_TRIES_AT_ONCE <= LINK_LINES && LINK_LINES < PUBLIC_CONNECTIONS_MAX);
const _: () = assert!(LINK_SECONDS_MIN < LINK_AGAIN_SECONDS && LINK_AGAIN_SECONDS < LINK_SECONDS_MAX);
