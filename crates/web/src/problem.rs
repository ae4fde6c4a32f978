//! Why a request was not done, as RFC 9457 problem details in French and in English.
//!
//! Every text is fixed here: nothing a person typed and nothing another process said can slip into an answer,
//! but a person's own identity at the provider.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    Sensitive,
    limit::{
        BREAK_GLASS_ASK_SECONDS_MAX, CLOSED_BEFORE_DEADLINE_SECONDS, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN,
        PERMIT_IDLE_SECONDS_MAX, QUESTION_DAYS_MAX, REASON_CHARS_MAX, REASON_CHARS_MIN, REASON_HOLDS_SECONDS_MAX,
        REVIEW_DAYS_MAX,
    },
};
use serde::Serialize;
use utoipa::ToSchema;
use vault::{
    KeeperError,
    keeper::{Refused, RefusedReason},
};

/// One kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct Text {
    pub status: StatusCode,
    /// Ends the problem's type: `urn:vigie:problem:ID`.
    pub id: &'static str,
    /// French, English.
    pub title: [&'static str; 2],
    /// French, English; with the remedy.
    pub detail: [&'static str; 2],
}

/// What a handler answers instead of its result.
#[derive(Clone, Debug)]
pub struct Problem {
    pub text: &'static Text,
    refused: Option<Box<Refused>>,
    wait_seconds: Option<u32>,
    identity: Option<Sensitive<String>>,
}

/// The body of every answer that is not a success: `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'static str,
    title_fr: &'static str,
    title_en: &'static str,
    detail_fr: &'static str,
    detail_en: &'static str,
    /// Which rules refused a look, and what would make it lawful.
    #[serde(skip_serializing_if = "Option::is_none")]
    reasons: Option<Vec<RefusalReason>>,
    /// Number of the refusal's entry in the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
    /// Whoever was refused, as the provider names them to this site: for them to tell the administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    identity: Option<Sensitive<String>>,
}

/// One rule that refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusalReason {
    rule: String,
    article: String,
    text_fr: String,
    text_en: String,
    remedy_fr: String,
    remedy_en: String,
}

impl Problem {
    pub fn refused(refused: Refused) -> Problem {
        Problem { refused: Some(Box::new(refused)), ..Problem::from(&LOOK_REFUSED) }
    }
    /// Told to nobody but the browser whose person it is.
    pub fn not_bound(identity: Sensitive<String>) -> Problem {
        Problem { identity: Some(identity), ..Problem::from(&NOT_BOUND) }
    }
    pub fn export_refused(refused: Refused) -> Problem {
        Problem { text: &EXPORT_REFUSED, ..Problem::refused(refused) }
    }
    pub fn hold_refused(refused: Refused) -> Problem {
        Problem { text: &HOLD_REFUSED, ..Problem::refused(refused) }
    }
    pub fn review_refused(refused: Refused) -> Problem {
        Problem { text: &REVIEW_REFUSED, ..Problem::refused(refused) }
    }
    /// With a header `Retry-After`.
    pub fn wait(seconds: u32) -> Problem {
        Problem { wait_seconds: Some(seconds), ..Problem::from(&TOO_MANY) }
    }
    pub fn body(&self) -> ProblemBody {
        let Text { status, id, title, detail } = self.text;
        ProblemBody {
            kind: format!("urn:vigie:problem:{id}"),
            title: title[1],
            status: status.as_u16(),
            detail: detail[1],
            title_fr: title[0],
            title_en: title[1],
            detail_fr: detail[0],
            detail_en: detail[1],
            reasons: self.refused.as_ref().map(|refused| refused.reasons.iter().map(RefusalReason::from).collect()),
            entry: self.refused.as_ref().map(|refused| refused.leaf),
            identity: self.identity.clone(),
        }
    }
}

impl From<&'static Text> for Problem {
    fn from(text: &'static Text) -> Problem {
        Problem { text, refused: None, wait_seconds: None, identity: None }
    }
}

impl From<&RefusedReason> for RefusalReason {
    fn from(reason: &RefusedReason) -> RefusalReason {
        let RefusedReason { rule, article, text_fr, text_en, remedy_fr, remedy_en } = reason.clone();
        RefusalReason { rule, article, text_fr, text_en, remedy_fr, remedy_en }
    }
}

/// The keeper's own words go to the log only.
impl From<KeeperError> for Problem {
    fn from(error: KeeperError) -> Problem {
        let text = match &error {
            KeeperError::Away { .. } => &KEEPER_AWAY,
            KeeperError::Forbidden { .. } => &FORBIDDEN,
            KeeperError::NoPermit => &PERMIT_ENDED,
            KeeperError::NoSession => &NO_SESSION,
            KeeperError::Closed { .. } => &CLOSED,
            KeeperError::Malformed { .. } => &MALFORMED,
            KeeperError::NoTrustedTime { .. } => &NO_TRUSTED_TIME,
            KeeperError::Failed { .. } => &FAILED,
            KeeperError::LedgerAway { .. } => &LEDGER_AWAY,
        };
        if text.status.is_server_error() {
            tracing::warn!(%error, "the keeper did not do what was asked");
        }
        text.into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.text.status, Json(self.body())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.wait_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

macro_rules! texts {
    ($($name:ident $status:ident $id:literal: $title_fr:literal, $title_en:literal; $detail_fr:literal, $detail_en:literal)*) => {
        $(pub static $name: Text = Text {
            status: StatusCode::$status,
            id: $id,
            title: [$title_fr, $title_en],
            detail: [$detail_fr, $detail_en],
        };)*
    };
}

texts! {
    MALFORMED BAD_REQUEST "malformed": "Demande mal formée", "Malformed request";
        "La demande n’a pas la forme attendue. Rechargez la page ; l’interface est décrite dans openapi.json.",
        "The request does not have the expected form. Reload the page; the interface is described in openapi.json."
    PASSWORD_LENGTH BAD_REQUEST "password-length": "Mot de passe trop court ou trop long", "Password too short or too long";
        "Il a de 12 à 256 caractères. Une phrase de quelques mots convient.",
        "It has 12 to 256 characters. A sentence of a few words will do."
    NO_SESSION UNAUTHORIZED "no-session": "Vous n’êtes pas connecté", "You are not signed in";
        "La session est finie ou n’a jamais commencé. Connectez-vous.",
        "The session is over or never began. Sign in."
    WRONG_SIGN_IN UNAUTHORIZED "wrong-sign-in": "Nom, mot de passe ou code incorrect", "Wrong name, password or code";
        "Vérifiez les trois et recommencez avec le code suivant : un code ne sert qu’une fois. Téléphone perdu : un code de secours. Mot de passe oublié : l’administrateur donne un nouveau lien.",
        "Check all three and try again with the next code: a code counts once. Lost telephone: a recovery code. Forgotten password: the administrator gives a new link."
    WRONG_PASSKEY UNAUTHORIZED "wrong-passkey": "Clé d’accès non reconnue", "Passkey not recognised";
        "Recommencez, ou connectez-vous par nom, mot de passe et code. Une clé d’accès s’ajoute dans la page Mon compte.",
        "Try again, or sign in by name, password and code. A passkey is added on the page My account."
    PROVIDER_OFF NOT_FOUND "provider-off": "Pas de fournisseur d’identité", "No identity provider";
        "Aucun n’est réglé sur ce site. Connectez-vous par nom, mot de passe et code.",
        "None is set on this site. Sign in by name, password and code."
    PROVIDER_AWAY BAD_GATEWAY "provider-away": "Le fournisseur d’identité ne répond pas", "The identity provider does not answer";
        "Recommencez dans un moment, ou connectez-vous par nom, mot de passe et code, qui n’en dépendent pas.",
        "Try again in a moment, or sign in by name, password and code, which do not depend on it."
    PROVIDER_STATE GONE "provider-state": "Connexion trop ancienne ou déjà utilisée", "Sign-in too old or used already";
        "Elle dure dix minutes, sert une fois, et seulement dans le navigateur qui l’a commencée. Recommencez depuis la page de connexion.",
        "It lasts ten minutes, serves once, and only in the browser that began it. Begin again on the sign-in page."
    PROVIDER_REFUSED FORBIDDEN "provider-refused": "Le fournisseur d’identité n’a pas accepté", "The identity provider did not accept";
        "Il n’a donné aucune identité : connexion abandonnée, ou code refusé. Recommencez ; si cela dure, l’administrateur compare `oidc.client_id` et le secret avec le fournisseur.",
        "It gave no identity: the sign-in was given up, or its code refused. Try again; if it goes on, the administrator compares `oidc.client_id` and the secret with the provider."
    PROVIDER_KEYS BAD_GATEWAY "provider-keys": "Clés du fournisseur d’identité à confirmer", "The identity provider’s keys are to be confirmed";
        "Il signe avec une clé que personne n’a confirmée. L’administrateur les regarde et les confirme : `vigie oidc keys`. D’ici là, connectez-vous par nom, mot de passe et code.",
        "It signs with a key that nobody confirmed. The administrator looks at them and confirms: `vigie oidc keys`. Until then, sign in by name, password and code."
    PROVIDER_TOKEN FORBIDDEN "provider-token": "Réponse du fournisseur d’identité non valable", "The identity provider’s answer is not valid";
        "Elle est fausse, expirée, ou pour une autre connexion ; personne n’est connecté. Recommencez ; si cela dure, l’administrateur en lit la cause dans le registre.",
        "It is false, has expired, or is for another sign-in; nobody is signed in. Try again; if it goes on, the administrator reads the cause in the ledger."
    PROVIDER_CODE FORBIDDEN "provider-code": "Code de votre compte nécessaire", "A code of your account is needed";
        "Le fournisseur d’identité vous a reconnu par un seul facteur, ou par une session restée ouverte. Donnez aussi le code à six chiffres de votre compte Vigie.",
        "The identity provider knew you by one factor only, or by a session left open. Give the six-digit code of your Vigie account too."
    PROVIDER_WRONG_CODE FORBIDDEN "provider-wrong-code": "Code incorrect", "Wrong code";
        "Donnez le code suivant : un code ne sert qu’une fois. Téléphone perdu : un code de secours.",
        "Give the next code: a code counts once. Lost telephone: a recovery code."
    NOT_BOUND FORBIDDEN "not-bound": "Identité sans compte", "Identity without an account";
        "Le fournisseur vous connaît, Vigie non : aucun compte n’est rattaché à cette identité. L’administrateur la rattache : `vigie account bind`.",
        "The provider knows you, Vigie does not: no account is bound to this identity. The administrator binds it: `vigie account bind`."
    ACCOUNT_CLOSED FORBIDDEN "account-closed": "Compte fermé", "Account closed";
        "Ce compte a été fermé. L’administrateur peut en ouvrir un autre.",
        "This account was closed. The administrator can open another one."
    NOT_HABILITATED FORBIDDEN "not-habilitated": "Pas d’habilitation en cours", "No habilitation in force";
        "L’habilitation ou l’agrément de cette personne n’a pas commencé, a pris fin ou a été retiré. Qui tient les actes inscrit le nouveau : `vigie act import`.",
        "This person’s habilitation or approval has not begun, has ended or was withdrawn. Whoever keeps the papers enters the new one: `vigie act import`."
    WRONG_PROOF FORBIDDEN "wrong-proof": "Mot de passe ou code incorrect", "Wrong password or code";
        "Vérifiez les deux et recommencez avec le code suivant : un code ne sert qu’une fois.",
        "Check both and try again with the next code: a code counts once."
    PASSKEY_NOT_TAKEN FORBIDDEN "passkey-not-taken": "Clé d’accès non enregistrée", "Passkey not taken";
        "La demande est trop vieille, ou l’appareil n’a pas vérifié qui le tient (doigt ou code PIN). Recommencez.",
        "The request is too old, or the device did not verify who holds it (finger or PIN). Try again."
    WRONG_CODE FORBIDDEN "wrong-code": "Code incorrect", "Wrong code";
        "Le lien reste valable. Tapez les six chiffres que l’application affiche maintenant ; vérifiez que votre téléphone est à l’heure.",
        "The link remains valid. Type the six digits that the application shows now; check that your telephone has the right time."
    TOO_MANY TOO_MANY_REQUESTS "too-many": "Trop d’essais", "Too many attempts";
        "Attendez le délai indiqué avant de recommencer. Cela protège les comptes contre qui devinerait un mot de passe.",
        "Wait for the time given before trying again. This protects accounts against somebody guessing a password."
    TOO_MANY_STREAMS TOO_MANY_REQUESTS "too-many-streams": "Trop de flux ouverts", "Too many open streams";
        "Ce permis a déjà autant de flux ouverts qu’il peut en avoir. Fermez-en un.",
        "This permit has as many open streams as it may have. Close one."
    SETUP_GONE GONE "setup-link": "Ce lien n’est plus valable", "This link is no longer valid";
        "Il est inconnu, déjà utilisé, ou vieux de plus de 15 minutes. L’administrateur peut en donner un nouveau.",
        "It is unknown, was used, or is older than 15 minutes. The administrator can give a new one."
    FORBIDDEN FORBIDDEN "forbidden": "Non permis", "Not permitted";
        "Votre rôle ne permet pas cela. Demandez à une personne dont c’est le rôle.",
        "Your role does not permit this. Ask a person whose role it is."
    LOOK_REFUSED FORBIDDEN "look-refused": "Demande refusée", "Request refused";
        "Aucune image n’a été ouverte. Le refus est inscrit au registre avec ses raisons.",
        "No picture was opened. The refusal is in the ledger with its reasons."
    REVIEW_REFUSED FORBIDDEN "review-refused": "Relecture refusée", "Review refused";
        "Rien n’a été montré. Le refus est inscrit au registre avec ses raisons.",
        "Nothing was shown. The refusal is in the ledger with its reasons."
    REVIEW_REASON BAD_REQUEST "review-reason": "Motif trop court ou trop long", "Reason too short or too long";
        "Une relecture a un motif de 10 à 500 caractères : il est inscrit au registre avant la réponse.",
        "A review has a reason of 10 to 500 characters: it is entered in the ledger before the answer."
    REVIEW_SPAN BAD_REQUEST "review-span": "Période trop longue ou inversée", "Period too long or backwards";
        "Une relecture porte sur 366 jours au plus, les questions à poser sur 31. Choisissez une période plus courte.",
        "A review covers at most 366 days, questions worth asking 31. Choose a shorter period."
    BREAK_GLASS_REASON FORBIDDEN "break-glass-reason": "Motif trop court ou trop long", "Reason too short or too long";
        "Dites en une phrase, de 10 à 500 caractères, ce qui presse. Rien n’a été demandé.",
        "Say in one sentence, of 10 to 500 characters, what is urgent. Nothing was asked for."
    BREAK_GLASS_NOT_HABILITATED FORBIDDEN "break-glass-not-habilitated": "Pas d’accès d’urgence pour ce compte", "No break-glass for this account";
        "L’accès d’urgence ne lève que les règles de la commune : il faut une qualité de la liste fermée (R253-3) et une habilitation ou un agrément en vigueur.",
        "Break-glass lifts the town’s own rules only: it takes a role of the closed list (R253-3) and a habilitation or an approval in force."
    BREAK_GLASS_SAME_PERSON FORBIDDEN "break-glass-same-person": "Il faut une autre personne", "Another person is needed";
        "La personne qui demande ne peut pas confirmer. Une seconde personne habilitée confirme, ici ou sur un autre écran.",
        "Who asks cannot confirm. A second habilitated person confirms, here or on another screen."
    BREAK_GLASS_NOT_THIS_PERSON FORBIDDEN "break-glass-not-this-person": "Cette personne ne peut pas confirmer", "This person cannot confirm";
        "Confirme qui voit des images par sa qualité, avec une habilitation ou un agrément en vigueur, et dont le compte est plus ancien que la demande.",
        "Who confirms sees pictures by role, with a habilitation or an approval in force, and has an account older than the demand."
    BREAK_GLASS_LAW_IN_DOUBT FORBIDDEN "break-glass-law-in-doubt": "Règles en doute : rien n’est permis", "Rules in doubt: nothing is permitted";
        "Les règles enregistrées ne sont pas celles que le registre nomme. Deux personnes en remettent en vigueur : `vigie law show` dit comment.",
        "The rules in the registry are not those that the ledger names. Two persons put rules in force again: `vigie law show` says how."
    BREAK_GLASS_STILL_OPEN FORBIDDEN "break-glass-still-open": "Encore ouvert", "Still open";
        "Mettez-y fin d’abord, ou attendez son terme ; prenez-en acte ensuite.",
        "End it first, or wait for its end; then acknowledge it."
    BREAK_GLASS_NOT_THE_OFFICER FORBIDDEN "break-glass-not-the-officer": "Réservé au délégué à la protection des données", "For the data-protection officer";
        "Lui seul prend acte d’un accès d’urgence.",
        "Only the officer acknowledges a break-glass."
    NO_BREAK_GLASS NOT_FOUND "no-break-glass": "Aucun accès d’urgence de ce numéro", "No break-glass of that number";
        "Une demande attend cinq minutes ; elle a expiré, a été confirmée, ou n’est pas la vôtre. Rechargez la page, ou demandez de nouveau.",
        "A demand waits five minutes; it expired, was confirmed, or is not yours. Reload the page, or ask again."
    OTHER_PAGE FORBIDDEN "other-page": "Demande d’une autre page", "Request of another page";
        "L’en-tête `Vigie-Request: 1` manque : seule la console de Vigie peut agir.",
        "The header `Vigie-Request: 1` is missing: only the console of Vigie may act."
    OUTSIDE_PERMIT FORBIDDEN "outside-permit": "Hors du permis", "Outside the permit";
        "Le permis ne couvre pas cette caméra, ce temps ou ce mode. Faites une nouvelle demande avec son motif.",
        "The permit does not cover this camera, time or mode. Make a new request with its reason."
    NOT_FOUND NOT_FOUND "not-found": "Adresse inconnue", "Unknown address";
        "Rien n’existe à cette adresse. Revenez à l’accueil de la console.",
        "Nothing exists at this address. Go back to the start of the console."
    NO_PERMIT NOT_FOUND "unknown-permit": "Permis inconnu", "Unknown permit";
        "Ce permis n’existe pas, est resté 60 secondes sans usage, ou appartient à une autre session. Refaites la demande.",
        "This permit does not exist, was not used for 60 seconds, or belongs to another session. Ask again."
    NO_FOOTAGE NOT_FOUND "no-footage": "Aucune image enregistrée à cet instant", "Nothing recorded at this instant";
        "La frise de la journée montre ce qui existe, ce qui manque et pourquoi.",
        "The timeline of the day shows what exists, what is missing and why."
    NO_SUB_STREAM NOT_FOUND "no-sub-stream": "Pas de flux secondaire", "No sub-stream";
        "Cette caméra n’a pas de flux secondaire. Demandez le flux principal, ou que l’administrateur l’ajoute : `vigie camera sub`.",
        "This camera has no sub-stream. Ask for the main stream, or have the administrator add one: `vigie camera sub`."
    EXPORT_REFUSED FORBIDDEN "export-refused": "La loi ne permet pas cette remise", "The law does not permit this handover";
        "Chaque règle qui s’y oppose est dite, avec ce qui la rendrait licite. Le refus est inscrit au registre.",
        "Each rule against it is told, with what would make it lawful. The refusal is entered in the log."
    EXPORT_RECIPIENT BAD_REQUEST "export-recipient": "Clé du service incorrecte", "The service’s key is wrong";
        "Une clé publique age commence par `age1` et a 62 lettres et chiffres. Demandez-la de nouveau au service, ou choisissez la phrase secrète.",
        "A public key of age begins with `age1` and has 62 letters and digits. Ask the service for it again, or choose the passphrase."
    REQUISITION_INCOMPLETE CONFLICT "requisition-incomplete": "Réquisition incomplète", "The requisition is incomplete";
        "Il manque des pièces au registre. Complétez la réquisition ; ce n’est pas un refus.",
        "The register lacks some of it. Complete the requisition; this is no refusal."
    EXPORT_RUNS CONFLICT "export-runs": "Ce dossier est en cours", "This package is being made";
        "Attendez sa fin, ou arrêtez-le d’abord.",
        "Wait for its end, or stop it first."
    EXPORT_BUSY SERVICE_UNAVAILABLE "export-busy": "Deux dossiers sont déjà en cours", "Two packages are being made already";
        "L’enregistrement passe avant. Attendez que l’un des deux soit fini.",
        "Recording comes first. Wait until one of the two is done."
    EXPORT_DISK SERVICE_UNAVAILABLE "export-disk": "Le dossier ne peut être écrit", "The package cannot be written";
        "Le disque des dossiers remis est plein ou absent. Supprimez les dossiers déjà remis, ou prévenez l’administrateur ; puis recommencez.",
        "The disk of the packages is full or away. Delete packages that were handed over, or tell the administrator; then try again."
    EXPORT_NO_PLAYER SERVICE_UNAVAILABLE "export-no-player": "Lecteur non construit", "The player is not built";
        "Ce programme n’a pas la page qui lit un dossier ; il n’en fait donc pas. Prévenez l’administrateur : `make ui`, ou le paquet publié.",
        "This program lacks the page that plays a package, so it makes none. Tell the administrator: `make ui`, or the published package."
    EXPORT_SESSION_ENDED CONFLICT "export-session-ended": "La session ou l’autorisation a pris fin avant le dossier", "The session or the permission ended before the package";
        "Reconnectez-vous et refaites le dossier. Si la réquisition a été refusée ou changée depuis, l’autorisation des deux personnes est tombée avec elle.",
        "Sign in again and make the package anew. If the requisition was refused or changed since, the two persons’ permission fell with it."
    EXPORT_LOG_WAITS SERVICE_UNAVAILABLE "export-log-waits": "Le registre n’a pas encore attesté", "The log has not attested yet";
        "Son lot se ferme d’ordinaire en une minute. Vérifiez la page Santé, puis refaites le dossier.",
        "Its batch is closed within a minute as a rule. Look at the health page, then make the package anew."
    HOLD_REFUSED FORBIDDEN "hold-refused": "Gel refusé", "Hold refused";
        "La règle et ce qui rendrait le gel possible sont nommés ci-dessous.",
        "The rule, and what would make the hold possible, are named below."
    HOLD_NO_ROOM CONFLICT "hold-no-room": "La réserve n’a plus la place", "The reserve has no room";
        "Faites retirer ce qui attend, levez les gels devenus inutiles, ou restreignez celui-ci aux minutes demandées.",
        "Have what waits collected, lift holds that nobody needs any more, or narrow this one to the minutes asked for."
    NO_REQUISITION NOT_FOUND "no-requisition": "Réquisition inconnue", "Unknown requisition";
        "Elle n’est pas au registre. Rechargez la page.",
        "It is not in the register. Reload the page."
    NO_EXPORT NOT_FOUND "no-export": "Dossier inconnu", "Unknown package";
        "Il n’existe pas, son temps est passé, il est remis, sa réquisition a été refusée ou changée, ou une autre personne l’a ouvert : elle seule le fait et l’emporte.",
        "It does not exist, its time is over, it was handed over, its requisition was refused or changed, or another person opened it: that person alone makes and takes it."
    LINKS_OFF CONFLICT "links-off": "La commune n’offre pas de liens", "The town offers no links";
        "Remettez le dossier sur un support. L’administrateur ouvre les liens par `public.listen` et `public.address` (docs/operate/configuration.md).",
        "Hand the package over on a medium. The administrator opens links by `public.listen` and `public.address` (docs/operate/configuration.md)."
    LINK_LIVES CONFLICT "link-lives": "Un lien vit déjà, ou il y en a eu assez", "A link lives already, or there were enough";
        "Un dossier n’a qu’un lien vivant, et dix en tout. Retirez celui qui vit, ou remettez le dossier sur un support.",
        "A package has one living link, and ten in all. Revoke the one that lives, or hand the package over on a medium."
    NO_PAPER NOT_FOUND "no-paper": "Rien à imprimer sous ce numéro", "Nothing to print under this number";
        "Le registre n’a pas cette ligne. Rechargez la page.",
        "The register does not have this line. Reload the page."
    PAPER_NOT_YET CONFLICT "paper-not-yet": "Ce document ne peut pas encore être établi", "This paper cannot be made yet";
        "Une lettre suit la réponse, un procès-verbal la remise, un certificat la destruction de toutes les images de la période, tant que le registre peut en dire la date ; un protocole de constat accompagne un dossier qui est prêt.",
        "A letter follows its answer, a report its handover, a certificate the destruction of all the footage of its time, as long as the log can tell when; the protocol of a constat goes with a package that is ready."
    PAPER_TOO_LONG CONFLICT "paper-too-long": "Document trop long", "Paper too long";
        "Il ne s’imprime pas dans le temps prévu. Demandez une période plus courte.",
        "It is not printed in the time set. Ask for a shorter time."
    PAPERS_AWAY SERVICE_UNAVAILABLE "papers-away": "vigie-papers n’est pas installé", "vigie-papers is not installed";
        "Aucun document ne s’imprime en PDF ; tout le reste fonctionne. L’administrateur installe `vigie-papers` à côté de `vigie`, puis redémarre `vigie serve`.",
        "No paper is printed as PDF; everything else works. The administrator installs `vigie-papers` beside `vigie`, then restarts `vigie serve`."
    PAPERS_BUSY SERVICE_UNAVAILABLE "papers-busy": "Trop de documents à la fois", "Too many papers at once";
        "D’autres documents s’impriment. Recommencez dans une minute.",
        "Other papers are being printed. Try again in a minute."
    METHOD METHOD_NOT_ALLOWED "method": "Méthode inconnue à cette adresse", "Unknown method at this address";
        "L’interface est décrite dans openapi.json.",
        "The interface is described in openapi.json."
    REASON_NOT_STATED CONFLICT "reason-not-stated": "Dites pourquoi", "Say why";
        "Aucun motif n’est en vigueur dans cette session : chaque motif est d’abord dit par la personne qui regarde.",
        "No reason holds in this session: each reason is first stated by the person who looks."
    REASON_TIME_OVER CONFLICT "reason-time-over": "Votre motif a pris fin", "Your reason has ended";
        "Un motif vaut trente minutes pour d’autres caméras. Redites-le, d’un geste s’il est le même.",
        "A reason holds for thirty minutes for other cameras. State it again, with one gesture if it is the same."
    REASON_OTHER_PURPOSE CONFLICT "reason-other-purpose": "Autre finalité pour cette caméra", "Another purpose for this camera";
        "La finalité de votre motif n’est pas une de celles que l’autorisation donne à cette caméra. Choisissez-en une des siennes.",
        "The purpose of your reason is not one of those that the authorisation gives this camera. Choose one of its own."
    CLOSED GONE "closed": "Images closes ou détruites", "Footage closed or destroyed";
        "Leur terme est à moins de dix minutes ou passé : plus personne ne peut les ouvrir.",
        "Their deadline is less than ten minutes away or past: nobody can open them any more."
    PERMIT_ENDED GONE "permit-ended": "Ce permis n’est plus valable", "This permit is no longer valid";
        "Il est arrivé à son terme ou a été rendu. Refaites la demande avec son motif.",
        "It reached its end or was given back. Ask again with the reason."
    TOO_LARGE PAYLOAD_TOO_LARGE "too-large": "Demande trop longue", "Request too long";
        "Une demande a au plus 64 Kio.",
        "A request has at most 64 KiB."
    NOT_JSON UNSUPPORTED_MEDIA_TYPE "not-json": "JSON attendu", "JSON expected";
        "Le corps de la demande doit être annoncé comme `application/json`.",
        "The body of the request must be declared as `application/json`."
    OTHER_HOST MISDIRECTED_REQUEST "other-host": "Autre nom de machine", "Other host name";
        "Vigie ne répond qu’à une adresse de cette machine (127.0.0.1, localhost) et au nom donné par `web.address`.",
        "Vigie answers only to an address of this machine (127.0.0.1, localhost) and to the name in `web.address`."
    FAILED INTERNAL_SERVER_ERROR "failed": "Échec inattendu", "Unexpected failure";
        "Le journal technique en donne la raison à l’administrateur.",
        "The technical log tells the administrator why."
    CODEC NOT_IMPLEMENTED "codec": "Codage non pris en charge", "Unsupported coding";
        "Les images de cette caméra ne peuvent pas être préparées pour le navigateur ; leur enregistrement reste entier. Réglez la caméra sur H.264 ou H.265, profil Main.",
        "This camera’s pictures cannot be prepared for the browser; their recording is whole. Set the camera to H.264 or H.265, Main profile."
    KEEPER_AWAY SERVICE_UNAVAILABLE "keeper-away": "Le gardien des clés ne répond pas", "The keeper of the keys does not answer";
        "L’enregistrement continue. Vérifiez que `vigie serve` fonctionne, puis recommencez.",
        "Recording goes on. Check that `vigie serve` is running, then try again."
    FROZEN SERVICE_UNAVAILABLE "destruction-frozen": "Le gardien ne répond pas : rien n’est détruit", "The keeper does not answer: nothing is destroyed";
        "Le contrôle indépendant de la destruction a donné l’alerte ; `vigie status` en donne les termes. Redémarrez Vigie, lisez le journal technique, prévenez le délégué à la protection des données si cela dure.",
        "The independent check of destruction has raised the alarm; `vigie status` tells its words. Start Vigie again, read the technical log, tell the data-protection officer if it lasts."
    LEDGER_AWAY SERVICE_UNAVAILABLE "ledger-away": "Le registre ne prend plus d’écriture", "The ledger takes no entry";
        "Ni le registre ni sa réserve ne peuvent inscrire cette consultation : aucune image ne s’ouvre. L’enregistrement continue. L’administrateur rétablit l’un des deux disques.",
        "Neither the ledger nor its reserve can record this look: no picture opens. Recording goes on. The administrator brings one of the two disks back."
    RECORDER_AWAY SERVICE_UNAVAILABLE "recorder-away": "L’enregistreur ne répond pas", "The recorder does not answer";
        "Vérifiez que `vigie serve` fonctionne, puis recommencez.",
        "Check that `vigie serve` is running, then try again."
    STORE_AWAY SERVICE_UNAVAILABLE "store-away": "Le stockage n’est pas ouvert", "The store is not open";
        "Vérifiez que le disque des images est monté, puis redémarrez `vigie serve`.",
        "Check that the disk of the footage is mounted, then restart `vigie serve`."
    NO_TRUSTED_TIME SERVICE_UNAVAILABLE "no-trusted-time": "Les horloges ne s’accordent pas", "The clocks disagree";
        "Rien ne s’ouvre tant que l’heure n’est pas sûre. L’administrateur voit l’état des horloges dans la page Santé.",
        "Nothing opens as long as the time is not certain. The administrator sees the clocks on the health page."
    NO_PICTURE GATEWAY_TIMEOUT "no-picture": "Aucune image de la caméra", "No picture from the camera";
        "La caméra n’a envoyé aucune image complète en dix secondes. La page Santé donne son état.",
        "The camera sent no complete picture in ten seconds. The health page tells its state."
}

// The text of `PASSWORD_LENGTH` says these numbers.
const _: () = assert!(PASSWORD_CHARS_MIN == 12 && PASSWORD_CHARS_MAX == 256);
// The texts of `REVIEW_REASON` and `REVIEW_SPAN` too.
const _: () =
    assert!(REASON_CHARS_MIN == 10 && REASON_CHARS_MAX == 500 && REVIEW_DAYS_MAX == 366 && QUESTION_DAYS_MAX == 31);
// Those of break-glass too.
const _: () = assert!(BREAK_GLASS_ASK_SECONDS_MAX == 300 && REASON_CHARS_MIN == 10 && REASON_CHARS_MAX == 500);
// The text of `REASON_TIME_OVER` says half an hour.
const _: () = assert!(REASON_HOLDS_SECONDS_MAX == 30 * 60);
// The text of `NO_PERMIT` and of `CLOSED` too.
const _: () = assert!(PERMIT_IDLE_SECONDS_MAX == 60 && CLOSED_BEFORE_DEADLINE_SECONDS == 600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_neither_ledger_nor_reserve_can_record_is_told_as_such_in_both_languages() {
        let away = KeeperError::LedgerAway { what: "/srv/secret-path: no space".into() };
        let body = Problem::from(away).body();
        assert_eq!((body.status, body.kind.as_str()), (503, "urn:vigie:problem:ledger-away"));
        assert!(body.detail_fr.contains("L’enregistrement continue") && body.detail_en.contains("Recording goes on"));
        assert!(!format!("{body:?}").contains("secret-path"), "the keeper's own words go to the log only");
    }
}
