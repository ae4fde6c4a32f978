//! The centre's town: three hundred cameras, eight operators, an order with a gap before its renewal, approvals that end.

use crate::{
    authenticator::{PASSWORD, Phone},
    lines::{self, forbid},
    sockets::Served,
    support::*,
};
use catalog::{Camera, Registry};
use domain::{Act, ActId, ActKind, ActScope, ActTerms, CameraId, Purpose, Role, Sensitive, UtcMicros};
use keeper::{
    journal::JournalSizes,
    wire::{Answer, Browser},
};
use ledger::Actor;
use std::{ops::Range, sync::Arc};
use vault::keeper::SessionSecret;

pub const CAMERAS: u16 = 300;
pub const NAMES: [&str; 8] = [
    "Amélie Durand-Okafor",
    "Baptiste Lemoigne",
    "Clémence Ferrandis",
    "Driss Benkhelifa",
    "Élodie Vauquelin",
    "Firmin Castagnède",
    "Gwenaëlle Tréhorel",
    "Hippolyte Zamparini",
];
const SIGNATORY: &str = "Préfète Solange Montcornet";

/// One of the centre's operators, as the test knows the person: apart from all that the keeper knows.
pub struct Operator {
    pub name: &'static str,
    phone: Phone,
    /// When the approval is in force, in seconds after the start.
    pub approved: Vec<Range<i64>>,
}

pub struct Centre {
    pub world: World,
    pub opened: Option<Opened>,
    served: Option<Served>,
    pub operators: Vec<Operator>,
    /// When the prefect's order is in force.
    pub ordered: Vec<Range<i64>>,
}

pub fn camera_id(n: u16) -> CameraId {
    let mut id = [0xca; 16];
    id[..2].copy_from_slice(&n.to_be_bytes());
    CameraId(id)
}

impl Centre {
    /// For `days`. The order ends after two fifths and is renewed two days later; of two operators the approval ends for good or is
    /// renewed after a while.
    pub fn new(days: i64) -> Centre {
        lines::watch();
        [SIGNATORY, PASSWORD, PASSPHRASE].into_iter().chain(NAMES).for_each(forbid);
        let end = days * DAY + DAY;
        let lapse = days * DAY * 2 / 5 + 7_000;
        let ordered = vec![-DAY..lapse, lapse + 2 * DAY + 1_234..end];
        let folder = bare_registry();
        let registry = Registry::open(&folder.path().join("registry")).unwrap();
        for n in 0..CAMERAS {
            registry.camera_put(&camera(n), utc(-DAY), utc(-DAY)).unwrap();
        }
        registry.acts_put(&site_acts(&ordered), utc(-DAY)).unwrap();
        drop(registry);
        let mut world = World::made_in_memory(70, Arc::new(folder));
        world.sizes = JournalSizes::default(); // what holds for three hundred cameras at once is entered at once
        let mut centre = Centre { world, opened: None, served: None, operators: Vec::new(), ordered };
        centre.open();
        let third = days * DAY / 3;
        for (nth, name) in NAMES.into_iter().enumerate() {
            let approved = match nth {
                2 => once(-DAY..third + 3_600 * 5),
                5 => vec![-DAY..third / 2, third + 900..end],
                _ => once(-DAY..end),
            };
            centre.engage(name, approved);
        }
        centre.enter_approvals();
        centre.open();
        centre
    }

    /// The keeper starts, after whatever ended it.
    pub fn open(&mut self) {
        (self.served, self.opened) = (None, None);
        let opened = self.world.open();
        self.served = Some(Served::new(&opened));
        self.opened = Some(opened);
    }

    pub fn opened(&self) -> &Opened {
        self.opened.as_ref().unwrap()
    }

    pub fn seconds(&self) -> i64 {
        self.world.now().seconds() - START
    }

    fn engage(&mut self, name: &'static str, approved: Vec<Range<i64>>) {
        let served = self.served.as_ref().unwrap();
        let added =
            self.opened().core.account_add(Actor::Cli { uid: 0 }, &Sensitive::new(name.to_owned()), Role::Operator);
        let Answer::SetupToken { token, .. } = added.unwrap() else { panic!("no link") };
        forbid(token.reveal());
        let phone = Phone::set_up(served, &self.world, &token);
        phone.recovery.iter().for_each(|code| forbid(code.reveal()));
        self.operators.push(Operator { name, phone, approved });
    }

    fn enter_approvals(&self) {
        let registry = Registry::open(&self.world.registry_path()).unwrap();
        let mut acts = Vec::new();
        for (nth, operator) in self.operators.iter().enumerate() {
            let account = registry.account_by_name(operator.name).unwrap().unwrap().id;
            for (time, approved) in operator.approved.iter().enumerate() {
                let capacity = ActTerms::Capacity { role: Role::Operator, territory: "la commune".into() };
                let id = [0x40 + nth as u8 * 4 + time as u8; 16];
                acts.push(act(ActKind::Approval, id, ActScope::Person(account), capacity, approved));
            }
        }
        registry.acts_put(&acts, utc(-DAY)).unwrap();
    }

    /// Begins a shift with password and code, after one try with a wrong word. `None`: the keeper lets nobody in now.
    pub fn sign_in(&self, nth: usize) -> Option<SessionSecret> {
        let (operator, web) = (&self.operators[nth], &self.served.as_ref().unwrap().web);
        let name = || Sensitive::new(operator.name.to_owned());
        let wrong = Sensitive::new(format!("faux mot de passe {nth} {}", self.seconds()));
        forbid(wrong.reveal());
        let code = operator.phone.code(self.world.now());
        if nth == 0 {
            assert!(!matches!(web.sign_in(name(), wrong, code.clone(), Browser::default()), Ok(Ok(_))));
        }
        let signed_in = web.sign_in(name(), Sensitive::new(PASSWORD.to_owned()), code, Browser::default());
        let session = signed_in.ok()?.ok()?.session;
        forbid(session.reveal());
        Some(session)
    }

    pub fn is_lawful(&self, nth: usize, at: i64) -> bool {
        let holds = |spans: &[Range<i64>]| spans.iter().any(|span| span.contains(&at));
        holds(&self.ordered) && holds(&self.operators[nth].approved)
    }
}

fn once(during: Range<i64>) -> Vec<Range<i64>> {
    std::iter::once(during).collect()
}

fn camera(n: u16) -> Camera {
    Camera {
        id: camera_id(n),
        name: format!("caméra {n}"),
        place: format!("rue {n}"),
        url: format!("rtsp://192.0.2.{}/{n}", n % 250),
        sub_url: None,
        credential: None,
        delay_days: 30,
        purposes: vec![Purpose::SafetyOfPersonsAndProperty],
        fingerprint: None,
        rights: Default::default(),
        class: None,
    }
}

fn act(kind: ActKind, id: [u8; 16], scope: ActScope, terms: ActTerms, during: &Range<i64>) -> Act {
    let (from, until): (UtcMicros, _) = (utc(during.start), Some(utc(during.end)));
    let signatory = Sensitive::new(SIGNATORY.to_owned());
    Act {
        id: ActId(id),
        kind,
        number: "demonstration".into(),
        signed: utc(-DAY),
        signatory,
        from,
        until,
        scope,
        terms,
        scan: None,
    }
}

/// The papers of a demonstration, for our cameras, the order for its times.
fn site_acts(ordered: &[Range<i64>]) -> Vec<Act> {
    let mut acts: Vec<Act> = demonstration_acts();
    acts.retain(|act| act.kind != ActKind::Approval);
    let order = acts.iter().position(|act| act.kind == ActKind::Authorisation).unwrap();
    let order = acts.remove(order);
    for act in &mut acts {
        if act.kind == ActKind::MaskStatement {
            act.scope = ActScope::Cameras((0..CAMERAS).map(camera_id).collect());
        }
    }
    for (nth, during) in ordered.iter().enumerate() {
        let id = [0xa0 + nth as u8; 16];
        acts.push(act(ActKind::Authorisation, id, ActScope::Site, order.terms.clone(), during));
    }
    acts.iter_mut().for_each(|act| act.signatory = Sensitive::new(SIGNATORY.to_owned()));
    acts
}
