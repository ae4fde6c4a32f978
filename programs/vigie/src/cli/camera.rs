//! `vigie camera add|find|list|test|confirm|sub|rights|class|remove`.

use super::{Context, Outcome, find, unexpected};
use clap::{Args, Subcommand};
use domain::{CameraClass, CameraRights, Commune, Films, Purpose, Sensitive, limit::RETENTION_DAYS_MAX};
use keeper::wire::{Answer, Control, Credentials, Device, NewCamera, ProbeTarget, Probed};
use recorder::source::CameraUrl;
use std::{
    io::{IsTerminal, Read, Write},
    process::ExitCode,
};

#[derive(Subcommand)]
pub enum Command {
    /// Ajouter une caméra : la regarde d'abord, puis l'enregistre · add a camera: looks at it first, then records it
    Add(Add),
    /// Demander ses flux à un appareil ONVIF, sans rien y changer · ask an ONVIF device for its streams, changing nothing there
    Find {
        /// onvif://10.0.0.8, avec le port si ce n'est pas 80 · with the port if it is not 80
        address: String,
        #[command(flatten)]
        sign_in: SignIn,
    },
    /// Caméras en service · cameras in service
    List,
    /// Regarder une caméra sans l'enregistrer · look at a camera without recording it
    Test(Test),
    /// Montrer l'appareil qui répond, puis le confirmer : après un remplacement · show the device that answers, then confirm it
    Confirm {
        /// Le nom de la caméra · the camera's name
        name: String,
        /// Le code de l'appareil montré : il est confirmé sans autre question, s'il répond encore · the code of the device that
        /// was shown: it is confirmed without another question, if it still answers
        #[arg(long, value_name = "CODE")]
        device: Option<String>,
    },
    /// Enregistrer aussi le flux secondaire, ou ne plus l'enregistrer · record the sub-stream too, or no longer
    Sub {
        /// Le nom de la caméra · the camera's name
        name: String,
        /// rtsp://… du même appareil ; sans adresse, le flux est retiré · of the same device; without it the stream is removed
        url: Option<String>,
    },
    /// Ce qu'elle filme, sa commune, ses groupes : ce qui n'est pas donné reste · what it films, its commune, its groups: what is
    /// not given stays
    Rights {
        /// Le nom de la caméra · the camera's name
        name: String,
        #[command(flatten)]
        rights: Rights,
        /// Dans aucun groupe · in no group
        #[arg(long, conflicts_with = "groups")]
        no_group: bool,
        /// Sur le territoire du responsable, sans code · on the controller's own territory, without a code
        #[arg(long, conflicts_with = "commune")]
        no_commune: bool,
    },
    /// Dire ce que la caméra filme surtout : définition et cadence exigées en dépendent (arrêté du 3 août 2007) · state what the
    /// camera mainly films: the size and rate demanded depend on it
    Class {
        /// Le nom de la caméra · the camera's name
        name: String,
        /// narrow-view (plan étroit), fast-flow (flux rapides), traffic, other ; suivi de -thumbnails · and with -thumbnails
        #[arg(value_parser = class)]
        class: CameraClass,
    },
    /// Retirer une caméra ; ses images restent jusqu'à leur échéance · remove a camera; its footage stays until its deadline
    Remove {
        /// Le nom de la caméra · the camera's name
        name: String,
    },
}

#[derive(Args)]
pub struct Add {
    /// Nom court et unique · short and unique name
    name: String,
    /// rtsp://… ou onvif://…, sans nom ni mot de passe · rtsp://… or onvif://…, without user or password
    url: String,
    /// Lieu, tel que l'arrêté le nomme · place, as the order names it
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    place: String,
    /// Délai autorisé, en jours, 30 au plus · authorised delay in days, 30 at most
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(RETENTION_DAYS_MAX)))]
    days: u32,
    /// Finalités de l'arrêté, 1 à 11 (CSI L251-2) · purposes of the order, 1 to 11
    #[arg(long = "purpose", required = true, value_parser = purpose)]
    purposes: Vec<Purpose>,
    /// rtsp://… du flux secondaire, en H.264, pour les navigateurs sans H.265 · of the sub-stream, in H.264, for browsers without H.265
    #[arg(long)]
    sub: Option<String>,
    /// Ce qu'elle filme surtout : narrow-view (plan étroit), fast-flow (plan étroit sur flux rapides), traffic, other ; suivi de
    /// -thumbnails où des vignettes de 90×60 s'extraient, constatées à la main · what it mainly films
    #[arg(long, value_parser = class)]
    class: Option<CameraClass>,
    #[command(flatten)]
    rights: Rights,
    #[command(flatten)]
    sign_in: SignIn,
    /// Sans regarder la caméra d'abord : elle n'est pas épinglée · without looking first: the device is not pinned
    #[arg(long)]
    untested: bool,
}

/// By what rules tell a camera apart from others.
#[derive(Args)]
#[group(id = "camera-rights")] // the command of that name has a group, too
pub struct Rights {
    /// voie_publique | lieu_ouvert_public (CSI L251-2) ; les listes d'accès diffèrent · the lists of access differ
    #[arg(long)]
    films: Option<Films>,
    /// Code INSEE de sa commune, ainsi 33063 · INSEE code of its commune
    #[arg(long)]
    commune: Option<Commune>,
    /// Groupe que nomment les règles de la commune, ainsi ecoles · group that the town's own rules name
    #[arg(long = "group")]
    groups: Vec<String>,
}

#[derive(Args)]
pub struct Test {
    /// Nom d'une caméra en service, ou rtsp://…, onvif://… · name of a camera in service, or rtsp://…, onvif://…
    target: String,
    #[command(flatten)]
    sign_in: SignIn,
}

#[derive(Args)]
pub struct SignIn {
    /// Nom d'utilisateur de la caméra · the camera's user
    #[arg(long, requires = "password_stdin")]
    user: Option<String>,
    /// Lire le mot de passe sur l'entrée standard · read the password from standard input
    #[arg(long, requires = "user")]
    password_stdin: bool,
}

pub fn run(context: &Context<'_>, command: Command) -> Outcome {
    match command {
        Command::Add(add) => run_add(context, add),
        Command::Find { address, sign_in } => find::run(context, &address, sign_in.credentials()?.as_ref()),
        Command::List => list(context),
        Command::Test(test) => run_test(context, test),
        Command::Confirm { name, device } => confirm(context, name, device),
        Command::Sub { name, url } => set_sub(context, name, url),
        Command::Rights { name, rights, no_group, no_commune } => {
            set_rights(context, name, rights, no_group, no_commune)
        }
        Command::Class { name, class } => set_class(context, name, class),
        Command::Remove { name } => remove(context, name),
    }
}

fn run_add(context: &Context<'_>, mut add: Add) -> Outcome {
    if in_service(context, &add.name)? {
        let name = &add.name;
        return Err(context
            .pick(
                format!("une caméra en service s'appelle déjà `{name}` : choisissez un autre nom"),
                format!("a camera in service is named `{name}` already: choose another name"),
            )
            .into());
    }
    let credentials = add.sign_in.credentials()?;
    if find::is_device(&add.url) {
        let Some(found) = find::streams(context, &add.url, credentials.as_ref())? else {
            return Ok(ExitCode::FAILURE);
        };
        add.url = found.main;
        add.sub = add.sub.or(found.sub);
    }
    check_address(context, &add.url)?;
    add.sub.as_deref().map_or(Ok(()), |url| check_address(context, url))?;
    let fingerprint = if add.untested {
        None
    } else {
        let target = ProbeTarget::Address { url: add.url.clone(), credentials: credentials.clone() };
        let Some(probed) = probe(context, target)? else { return Ok(ExitCode::FAILURE) };
        Some(probed.fingerprint)
    };
    let camera = NewCamera {
        name: add.name,
        place: add.place,
        url: add.url,
        credentials,
        delay_days: add.days,
        purposes: add.purposes,
        fingerprint,
        sub_url: add.sub,
        rights: add.rights.over(CameraRights::default()),
        class: add.class,
    };
    match context.ask(Control::CameraAdd(camera))? {
        Answer::CameraAdded { camera } => {
            println!("{} {camera}", context.pick("Caméra ajoutée :", "Camera added:"));
            Ok(ExitCode::SUCCESS)
        }
        _ => Err(unexpected()),
    }
}

fn list(context: &Context<'_>) -> Outcome {
    let Answer::CameraViews(cameras) = context.ask(Control::CameraList)? else { return Err(unexpected()) };
    for camera in &cameras.cameras {
        let purposes: Vec<String> = camera.purposes.iter().map(|purpose| format!("{}°", purpose.number())).collect();
        let (days, purposes) = (camera.delay_days, purposes.join(" "));
        println!(
            "{}  {}  {} · {days} {} · {purposes}",
            camera.id,
            camera.name,
            camera.place,
            context.pick("jours", "days")
        );
        print_rights(context, &camera.rights);
        for short in &camera.shortfalls {
            let text = context.pick(short.text_fr(), short.text_en());
            let remedy = context.pick(short.remedy_fr(), short.remedy_en());
            println!("    ✗ {text} [{} · {}]\n      {remedy}", short.duty(), short.article);
        }
        for act in &camera.missing {
            let Some(missing) = act.words(&cameras.required) else { continue };
            let effect = match act.blocks {
                true => context.pick("n'enregistre pas", "does not record"),
                false => context.pick("à régulariser", "to be put right"),
            };
            println!(
                "    ✗ {} ({effect}) : {} [{}]\n      {}",
                context.pick(&missing.title_fr, &missing.title_en),
                context.pick(&missing.text_fr, &missing.text_en),
                missing.article,
                context.pick(&missing.remedy_fr, &missing.remedy_en)
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn run_test(context: &Context<'_>, test: Test) -> Outcome {
    let credentials = test.sign_in.credentials()?;
    let target = if test.target.contains("://") {
        let mut url = test.target;
        if find::is_device(&url) {
            let Some(found) = find::streams(context, &url, credentials.as_ref())? else {
                return Ok(ExitCode::FAILURE);
            };
            url = found.main;
        }
        check_address(context, &url)?;
        ProbeTarget::Address { url, credentials }
    } else {
        ProbeTarget::Registered { name: test.target }
    };
    Ok(if probe(context, target)?.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is confirmed is what was shown, and nothing that answers later (R13).
fn confirm(context: &Context<'_>, name: String, device: Option<String>) -> Outcome {
    must_be_in_service(context, &name)?;
    let code = match device {
        Some(code) => code,
        None => {
            let Some(shown) = ask_device(context, Control::CameraDevice { name: name.clone() })? else {
                return Ok(ExitCode::FAILURE);
            };
            show(&shown);
            if shown.is_known {
                println!(
                    "{}",
                    context.pick(
                        "C'est l'appareil déjà connu : rien n'a changé.",
                        "It is the device known already: nothing changed."
                    )
                );
                return Ok(ExitCode::SUCCESS);
            }
            if !is_agreed(context, &name, &shown.code)? {
                return Ok(ExitCode::FAILURE);
            }
            shown.code
        }
    };
    let asked = Control::CameraConfirm { name, device: code };
    let Some(confirmed) = ask_device(context, asked)? else { return Ok(ExitCode::FAILURE) };
    show(&confirmed);
    println!(
        "{}",
        context.pick(
            "Appareil confirmé et inscrit au registre ; l'enregistrement reprend.",
            "Device confirmed and entered in the ledger; recording resumes."
        )
    );
    Ok(ExitCode::SUCCESS)
}

/// `None`: no device answered, and why was told.
fn ask_device(context: &Context<'_>, asked: Control) -> Result<Option<Device>, Box<dyn std::error::Error>> {
    match context.ask(asked)? {
        Answer::Device(device) => Ok(Some(*device)),
        Answer::Probed(Err(failure)) => {
            eprintln!("{}", context.pick(failure.text_fr, failure.text_en));
            Ok(None)
        }
        _ => Err(unexpected()),
    }
}

fn show(device: &Device) {
    for one in &device.differences {
        println!("  {}: {} → {}", one.field, one.before, one.now);
    }
}

/// Asks who sits there; where nobody does, says how to confirm what was shown.
fn is_agreed(context: &Context<'_>, name: &str, code: &str) -> Result<bool, std::io::Error> {
    if !std::io::stdin().is_terminal() {
        let command = format!("vigie camera confirm {name} --device {code}");
        println!(
            "{} {command}",
            context.pick(
                "Rien n'est confirmé. Si c'est bien le nouvel appareil de la commune :",
                "Nothing is confirmed. If that is the town's new device:"
            )
        );
        return Ok(false);
    }
    print!(
        "{} ",
        context.pick("Est-ce bien le nouvel appareil de la commune ? [o/N]", "Is it the town's new device? [y/N]")
    );
    std::io::stdout().flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let agreed = matches!(line.trim().to_lowercase().as_str(), "o" | "oui" | "y" | "yes");
    if !agreed {
        println!("{}", context.pick("Rien n'est confirmé.", "Nothing is confirmed."));
    }
    Ok(agreed)
}

fn set_sub(context: &Context<'_>, name: String, url: Option<String>) -> Outcome {
    must_be_in_service(context, &name)?;
    url.as_deref().map_or(Ok(()), |url| check_address(context, url))?;
    let recorded = url.is_some();
    context.ask(Control::CameraSub { name, sub_url: url })?;
    println!(
        "{}",
        if recorded {
            context.pick("Le flux secondaire est enregistré aussi.", "The sub-stream is recorded too.")
        } else {
            context.pick("Le flux secondaire n'est plus enregistré.", "The sub-stream is no longer recorded.")
        }
    );
    Ok(ExitCode::SUCCESS)
}

fn print_rights(context: &Context<'_>, rights: &CameraRights) {
    let mut words = Vec::new();
    if rights.films == Films::OpenPlace {
        words.push(context.pick("lieu ouvert au public", "place open to the public").to_owned());
    }
    words.extend(rights.commune.as_ref().map(|commune| format!("{} {commune}", context.pick("commune", "commune"))));
    if !rights.groups.is_empty() {
        words.push(format!("{} {}", context.pick("groupes", "groups"), rights.groups.join(", ")));
    }
    if !words.is_empty() {
        println!("    {}", words.join(" · "));
    }
}

/// What is not given stays as it is; groups that are given are all of them.
fn set_rights(context: &Context<'_>, name: String, rights: Rights, no_group: bool, no_commune: bool) -> Outcome {
    must_be_in_service(context, &name)?;
    let Answer::CameraViews(cameras) = context.ask(Control::CameraList)? else { return Err(unexpected()) };
    let known =
        cameras.cameras.into_iter().find(|camera| camera.name == name).map(|camera| camera.rights).unwrap_or_default();
    let mut rights = rights.over(known);
    if no_group {
        rights.groups.clear();
    }
    if no_commune {
        rights.commune = None;
    }
    context.ask(Control::CameraRights { name, rights: rights.clone() })?;
    println!(
        "{}",
        context.pick(
            "Inscrit au registre ; les consultations de cette caméra en cours ont pris fin.",
            "Entered in the ledger; looks at this camera that were under way have ended."
        )
    );
    print_rights(context, &rights);
    Ok(ExitCode::SUCCESS)
}

impl Rights {
    fn over(self, known: CameraRights) -> CameraRights {
        CameraRights {
            films: self.films.unwrap_or(known.films),
            commune: self.commune.or(known.commune),
            groups: if self.groups.is_empty() { known.groups } else { self.groups },
        }
    }
}

fn set_class(context: &Context<'_>, name: String, class: CameraClass) -> Outcome {
    must_be_in_service(context, &name)?;
    context.ask(Control::CameraClass { name, class })?;
    println!(
        "{} {}",
        context.pick("Classe inscrite :", "Class entered:"),
        context.pick(class.title_fr(), class.title_en())
    );
    Ok(ExitCode::SUCCESS)
}

fn class(text: &str) -> Result<CameraClass, String> {
    let names = || CameraClass::ALL.map(CameraClass::name).join(", ");
    CameraClass::from_name(text).ok_or_else(|| format!("{}, pas · not `{text}`", names()))
}

fn remove(context: &Context<'_>, name: String) -> Outcome {
    must_be_in_service(context, &name)?;
    context.ask(Control::CameraRemove { name })?;
    println!(
        "{}",
        context.pick(
            "Caméra retirée. Ses images restent jusqu'à leur échéance.",
            "Camera removed. Its footage stays until its deadline."
        )
    );
    Ok(ExitCode::SUCCESS)
}

fn must_be_in_service(context: &Context<'_>, name: &str) -> Result<(), Box<dyn std::error::Error>> {
    if in_service(context, name)? {
        return Ok(());
    }
    Err(context
        .pick(
            format!("aucune caméra en service ne s'appelle `{name}` : `vigie camera list` les nomme"),
            format!("no camera in service is named `{name}`: `vigie camera list` names them"),
        )
        .into())
}

fn in_service(context: &Context<'_>, name: &str) -> Result<bool, Box<dyn std::error::Error>> {
    let Answer::CameraViews(cameras) = context.ask(Control::CameraList)? else { return Err(unexpected()) };
    Ok(cameras.cameras.iter().any(|camera| camera.name == name))
}

/// A mistake in the address is told here, with the options that this command has for it.
fn check_address(context: &Context<'_>, url: &str) -> Result<(), String> {
    let parsed: Result<CameraUrl, _> = url.parse();
    let url = parsed.map_err(|error| context.pick(error.text_fr().to_owned(), error.to_string()))?;
    super::reach::check(context, &url)
}

/// Has the recorder look, and prints what it saw or why it saw nothing.
fn probe(context: &Context<'_>, target: ProbeTarget) -> Result<Option<Probed>, Box<dyn std::error::Error>> {
    let Answer::Probed(result) = context.ask(Control::CameraTest { target })? else { return Err(unexpected()) };
    match result {
        Ok(probed) => {
            let fps = f64::from(probed.millihertz) / 1_000.0;
            println!(
                "{} {}×{}, {fps:.1} {}",
                probed.codec,
                probed.width,
                probed.height,
                context.pick("images/s", "pictures/s")
            );
            probed.offered.iter().for_each(|offered| println!("  {offered}"));
            Ok(Some(probed))
        }
        Err(failure) => {
            eprintln!("{}", context.pick(failure.text_fr, failure.text_en));
            Ok(None)
        }
    }
}

impl SignIn {
    /// The password comes on standard input: an argument would stand in the list of processes.
    fn credentials(&self) -> Result<Option<Credentials>, std::io::Error> {
        let Some(user) = &self.user else { return Ok(None) };
        let mut password = String::new();
        if self.password_stdin {
            if std::io::stdin().is_terminal() {
                return Err(std::io::Error::other(
                    "le mot de passe s'afficherait ici : donnez-le par un tube ou un fichier (`… --password-stdin < fichier`) · \
                     the password would be shown here: give it by a pipe or a file",
                ));
            }
            std::io::stdin().read_to_string(&mut password)?;
        }
        let password = Sensitive::new(password.trim_end_matches(['\n', '\r']).to_owned());
        Ok(Some(Credentials { user: Sensitive::new(user.clone()), password }))
    }
}

fn purpose(text: &str) -> Result<Purpose, String> {
    let number: u8 = text.parse().map_err(|_| "1 … 11".to_owned())?;
    Purpose::from_number(number).ok_or_else(|| format!("CSI L251-2: 1 … 11, not `{number}`"))
}
