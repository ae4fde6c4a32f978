//! What is asked of the gate: who in which capacity wants what, of which cameras, when, for which purpose and why.

use crate::territory::OWN;
pub use domain::Role;
use domain::{AccountId, ActKind, CameraId, Purpose, Sensitive, Span, UtcMicros, named_enum};
use serde::{Deserialize, Serialize};

/// One wish, with every fact that the decision needs; nothing is looked up while deciding.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Request {
    pub action: Action,
    pub person: PersonFacts,
    /// Who is responsible for the processing.
    pub controller: Controller,
    /// One of the eleven purposes of CSI L251-2; a look without one is refused.
    pub purpose: Option<Purpose>,
    /// The motif of CSI R253-5: why this person looks now. It may name people, so it does not print.
    pub reason: Sensitive<String>,
    /// The cameras asked for, each as it stood in the registry; a camera the registry does not know has `exists:
    /// false`.
    pub cameras: Vec<CameraFacts>,
    /// The time in the footage; none for what is live.
    pub span: Option<Span>,
    /// How long the permit is to hold, in seconds.
    pub permit_seconds: i64,
    /// What else holds now, for capabilities that depend on it.
    pub papers: Vec<Paper>,
    /// A second habilitated person, not of the same account, takes part.
    pub second_person: bool,
    /// Trusted time (or, while clocks disagree, the fastest).
    pub now: UtcMicros,
}

named_enum! {
    /// What may be asked for. Most of it Vigie cannot do: it is named so that a refusal can say why.
    Action,
    /// Its name in the schema of the law pack and in the ledger.
    name {
        /// See what cameras see now.
        WatchLive = "watch-live",
        /// See what cameras saw.
        Replay = "replay",
        /// A panic button, a fire panel or a call shows a camera: a look like another.
        ExternalTrigger = "external-trigger",
        Record = "record",
        RecordUnmasked = "record-unmasked",
        ExportRequisition = "export-requisition",
        ExportProcedure = "export-procedure",
        Relay = "relay",
        AccessRequest = "access-request",
        BlurCopy = "blur-copy",
        Verbalise = "verbalise",
        DetectEvent = "detect-event",
        DetectOther = "detect-other",
        SearchAttributes = "search-attributes",
        SearchUnderRequisition = "search-under-requisition",
        Count = "count",
        RecogniseFace = "recognise-face",
        Categorise = "categorise",
        TrackAcrossCameras = "track-across-cameras",
        DetectEmotion = "detect-emotion",
        ScoreBehaviour = "score-behaviour",
        ReadPlates = "read-plates",
        ReadPlatesParking = "read-plates-parking",
        ReadPlatesLanes = "read-plates-lanes",
        WatchContentHealth = "watch-content-health",
        CaptureSound = "capture-sound",
        Interconnect = "interconnect",
        TrainModel = "train-model",
    }
}

named_enum! {
    /// What holds now and opens a gated capability, where a rule of the pack asks for it.
    Paper,
    /// Its name in the schema of the law pack and in the ledger.
    name {
        StateRecipients = "state-recipients",
        Requisition = "requisition",
        MayorWaivesSecondPerson = "mayor-waives-second-person",
        ReasonedAct = "reasoned-act",
        DpoOpinion = "dpo-opinion",
        RelayConvention = "relay-convention",
        RelayAgents = "relay-agents",
        AccessRequest = "access-request",
        Copy = "copy",
        VerbalisationOrder = "verbalisation-order",
        VerbalisationSigns = "verbalisation-signs",
        EventOrder = "event-order",
        EventPerimeter = "event-perimeter",
        Dpia = "dpia",
        AnonymousAtTheEdge = "anonymous-at-the-edge",
        CountingNotice = "counting-notice",
        PlateArticle = "L233-1",
        MatchingAuthorisation = "lrj-authorisation",
    }
}

/// Who is responsible for the processing (CSI R251-1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Controller {
    Commune,
    State,
}

/// What is known of the person who asks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PersonFacts {
    pub account: AccountId,
    pub role: Role,
    /// A habilitation or an approval of this person for this role holds now.
    pub habilitated: bool,
    /// Teams that the town makes, for its own rules.
    pub teams: Vec<String>,
    /// Communes of the acts that hold now, as [`crate::territory`] has them.
    pub territories: Vec<String>,
}

/// What is known of one camera that is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CameraFacts {
    pub id: CameraId,
    pub name: String,
    pub place: String,
    /// Whether the registry has ever known it.
    pub exists: bool,
    /// Whether it is in service now: a camera taken out of service can be replayed until its footage dies, not watched.
    pub recording: bool,
    /// It films the public road; else a place open to the public.
    pub public_road: bool,
    /// The purposes that the prefect's order gives it.
    pub purposes: Vec<Purpose>,
    /// Acts that must hold for it and do not hold now.
    pub missing: Vec<ActKind>,
    /// Groups that the town makes, for its own rules.
    pub groups: Vec<String>,
    /// The commune where it stands, as [`crate::territory`] has it.
    pub territory: String,
}

impl Request {
    /// One that asks for nothing in particular: whether a schema takes it is all that can be learned of it.
    pub(crate) fn nothing(camera: &CameraFacts) -> Request {
        let account = AccountId([0; 16]);
        let (teams, territories) = (vec!["-".to_owned()], vec![OWN.to_owned()]);
        Request {
            action: Action::WatchLive,
            person: PersonFacts { account, role: Role::Operator, habilitated: true, teams, territories },
            controller: Controller::Commune,
            purpose: Some(Purpose::SafetyOfPersonsAndProperty),
            reason: Sensitive::new(String::new()),
            cameras: vec![camera.clone()],
            span: None,
            permit_seconds: 1,
            papers: vec![],
            second_person: false,
            now: UtcMicros(0),
        }
    }
}

impl CameraFacts {
    /// A camera to which no rule objects.
    pub(crate) fn unobjectionable() -> CameraFacts {
        CameraFacts {
            id: CameraId([0; 16]),
            name: String::new(),
            place: String::new(),
            exists: true,
            recording: true,
            public_road: false,
            purposes: Purpose::ALL.to_vec(),
            missing: vec![],
            groups: vec!["-".to_owned()],
            territory: OWN.to_owned(),
        }
    }
}
