//! The commands `vigie-verify evidence DIR|FILE`, the verdict on what a town handed over, offline, and `vigie-verify open FILE`.

use crate::{
    archive::Archive,
    cli::{Failed, key_of, pick, read, read_policy},
    package::Folder,
    parts::Parts,
    sealed::{Opening, SealedReader, is_sealed},
    timestamp,
};
use clap::Args;
use evidence::{Files, FilesError, Finding, Told, Trust, Verdict, stamp::Roots};
use seal::age::OpeningKey;
use std::{
    io::{self, BufReader},
    path::{Path, PathBuf},
    process::ExitCode,
};
use zeroize::Zeroizing;

pub const SEES: &str = "\
Ce que ce programme voit : que chaque image est celle que la caméra a envoyée et que le registre de la commune a scellée, à son
heure, de cette caméra ; qu'aucune n'a été retirée, ajoutée, déplacée ou répétée depuis ; que le bordereau est celui de la remise ;
si une autorité d'horodatage à laquelle vous vous fiez (--tsa-root) date l'extrait du registre, quand, et si elle le pouvait.
Ce qu'il ne voit pas : si la caméra montrait vrai, ni si la clé est bien celle de la commune (--key : demandez-la-lui), ni si un
horodatage a été retiré, ni ce que l'autorité a révoqué depuis (seules les listes gardées alors sont lues).

What this program sees: that each picture is the one that the camera sent and that the town's log sealed, at its time, of that
camera; that none was taken out, added, moved or repeated since; that the manifest is that of the handover; whether a timestamp
authority that you trust (--tsa-root) dates the log's extract, when, and whether it could.
What it does not see: whether the camera showed the truth, nor whether the key is the town's (--key: ask the town for it), nor
whether a timestamp was taken out, nor what the authority revoked since (only the lists that were kept then are read).

Codes : 0 intact · 1 non vérifiable · 2 commande incomprise · 30 manifest · 31 manifest-replaced · 32 register · 33 other-log ·
34 entry-not-proved · 35 not-handed-over · 36 witnesses · 40 file-missing · 41 file-extra · 42 file-changed · 43 copy-missing ·
44 copy-changed · 50 proof · 51 reel-not-proved · 52 camera-swapped · 53 line-changed · 54 other-key · 55 incomplete ·
56 not-destroyed · 60 movie · 61 dropped · 62 truncated · 63 other-bytes · 64 swapped · 65 duplicated · 66 foreign · 67 time-shifted · 68 coded-otherwise ·
70 timestamp-damaged · 71 timestamp-foreign · 72 timestamp-changed · 73 timestamp-signature · 74 timestamp-signer ·
75 timestamp-unbound · 76 timestamp-purpose · 77 timestamp-algorithm · 78 timestamp-expired · 79 timestamp-chain ·
80 timestamp-other-root · 81 timestamp-revoked · 82 timestamp-revoked-since · 83 timestamp-crl
(le premier trouvé ; 43 et 44 après tout le reste, et le dossier est intact · the first found; 43 and 44 after all others, and the package
is intact)";

#[derive(Args)]
pub struct EvidenceArguments {
    /// Ce qui a été remis : le dossier qui contient `manifeste.json`, ou son archive, en clair ou scellée · what was handed over: the folder with `manifeste.json`, or its archive, in clear or sealed
    #[arg(value_name = "DIR|FILE")]
    package: PathBuf,
    #[command(flatten)]
    opening: OpeningArguments,
    /// Clé de vérification du registre, que la commune publie ; sinon la ligne `log` de --policy · the log's verifier key, which the town publishes; else the line `log` of --policy
    #[arg(long, value_name = "VERIFIER_KEY")]
    key: Option<String>,
    /// Fichier des témoins qui comptent (C2SP tlog-policy) · file of the witnesses that count (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Racines des autorités d'horodatage auxquelles vous vous fiez (PEM ou DER) · roots of the timestamp authorities that you trust (PEM or DER)
    #[arg(long, value_name = "FILE")]
    tsa_root: Option<PathBuf>,
    /// Répondre en JSON · answer in JSON
    #[arg(long)]
    json: bool,
}

/// A trust list of a whole country's authorities has some hundred kilobytes.
const ROOTS_BYTES_MAX: usize = 4 << 20;

/// How a sealed archive opens.
#[derive(Args)]
struct OpeningArguments {
    /// Fichier de la clé privée du service, écrit par `age-keygen` · file of the service's private key, written by `age-keygen`
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase")]
    identity: Option<PathBuf>,
    /// Lire la phrase secrète sur l'entrée · read the passphrase from the input
    #[arg(long)]
    passphrase: bool,
}

#[derive(Args)]
pub struct OpenArguments {
    /// Archive remise · the archive that was handed over
    #[arg(value_name = "FILE")]
    package: PathBuf,
    /// Dossier à créer · folder to be made
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    opening: OpeningArguments,
}

/// The archive's bytes in clear, sealed or not.
trait Bytes: io::Read + io::Seek {}
impl<T: io::Read + io::Seek> Bytes for T {}

pub fn open(arguments: &OpenArguments) -> Result<ExitCode, Failed> {
    let files = archive(&arguments.package, &arguments.opening)?.unpack(&arguments.to)?;
    let folder = arguments.to.display();
    println!(
        "{}",
        pick(
            format!("{files} fichiers dans {folder}. Ouvrez {folder}/lecteur.html dans un navigateur."),
            format!("{files} files in {folder}. Open {folder}/lecteur.html in a browser."),
        )
    );
    Ok(ExitCode::SUCCESS)
}

fn package(path: &Path, opening: &OpeningArguments) -> Result<Box<dyn Files>, Failed> {
    if path.is_file() { Ok(Box::new(archive(path, opening)?)) } else { Ok(Box::new(Folder::new(path))) }
}

fn archive(path: &Path, opening: &OpeningArguments) -> Result<Archive<Box<dyn Bytes>>, Failed> {
    let name = path.display().to_string();
    let failed = |source: io::Error| FilesError { path: path.display().to_string(), why: source.to_string() };
    let mut file = Parts::open(path).map_err(failed)?;
    let parts = file.files();
    let bytes: Box<dyn Bytes> = if is_sealed(&mut file).map_err(failed)? {
        let by = opening.read()?.ok_or_else(|| Failed::Sealed { path: path.to_owned() })?;
        let opened = SealedReader::open(file, &by);
        Box::new(opened.map_err(|source| Failed::NotOpened { path: path.to_owned(), source })?)
    } else {
        Box::new(BufReader::new(file))
    };
    // the end of an archive says what is in it: a last part that is missing shows here
    Archive::open(bytes, &name).map_err(|error| match parts {
        1 => error.into(),
        _ => Failed::Parts { path: path.to_owned(), parts, source: error },
    })
}

impl OpeningArguments {
    fn read(&self) -> Result<Option<Opening>, Failed> {
        if let Some(path) = &self.identity {
            let file = |source| Failed::File { path: path.clone(), source };
            let text = Zeroizing::new(std::fs::read_to_string(path).map_err(file)?);
            return match OpeningKey::parse(&text) {
                Ok(key) => Ok(Some(Opening::Key(key))),
                Err(error) => Err(file(io::Error::other(error))),
            };
        }
        if !self.passphrase {
            return Ok(None);
        }
        eprint!("{}", pick("Phrase secrète : ", "Passphrase: "));
        let mut line = Zeroizing::new(String::new());
        io::stdin().read_line(&mut line).map_err(|source| Failed::File { path: "-".into(), source })?;
        Ok(Some(Opening::Passphrase(line)))
    }
}

pub fn run(arguments: &EvidenceArguments) -> Result<ExitCode, Failed> {
    let policy = arguments.policy.as_deref().map(read_policy).transpose()?;
    let key = match (&arguments.key, &policy) {
        (None, None) => None,
        (key, policy) => Some(key_of(key.as_deref(), policy.as_ref())?),
    };
    let files = package(&arguments.package, &arguments.opening)?;
    let roots = arguments.tsa_root.as_deref().map(read_roots).transpose()?.unwrap_or_default();
    let verdict = evidence::check_under(&*files, &Trust { key, policy }, &roots)?;
    if arguments.json {
        println!("{}", as_json(&verdict));
    } else {
        tell(&verdict);
    }
    Ok(verdict.all().next().map_or(ExitCode::SUCCESS, |finding| ExitCode::from(finding.code())))
}

fn read_roots(path: &Path) -> Result<Roots, Failed> {
    let file = read(path, ROOTS_BYTES_MAX)?;
    Roots::read(&file).map_err(|source| Failed::TsaRoot { path: path.to_owned(), source })
}

fn tell(verdict: &Verdict) {
    if let Some(told) = &verdict.told {
        about(told);
        timestamp::lines(told).iter().for_each(|line| println!("{line}"));
    }
    for finding in verdict.all() {
        println!("✗ [{}] {}", finding.name(), pick(finding.text_fr(), finding.text_en()));
    }
    match &verdict.told {
        Some(told) if verdict.holds() => println!("{}", holds(told)),
        _ => println!(
            "{}",
            pick(
                "CE DOSSIER N'EST PAS INTACT. Gardez-le tel quel et demandez à la commune une nouvelle remise.",
                "THIS PACKAGE IS NOT INTACT. Keep it as it is and ask the town to hand it over again."
            )
        ),
    }
}

fn about(told: &Told) {
    let manifest = &told.manifest;
    println!(
        "{} {} · {} {} · {}",
        pick("Dossier de", "Package of"),
        manifest.site.name,
        pick("réquisition", "requisition"),
        manifest.ground.number,
        manifest.ground.framework
    );
    for camera in &manifest.cameras {
        println!(
            "  {} ({}) · {} → {} · {} {}",
            camera.name,
            camera.place,
            camera.from,
            camera.to,
            camera.movies.len(),
            pick("vidéo(s)", "video(s)")
        );
        if let Some(looked) = camera.looked {
            println!(
                "    {}",
                pick(
                    format!(
                        "vues avant la remise : {} relecture(s), {} en direct, {} compte(s)",
                        looked.past, looked.live, looked.persons
                    ),
                    format!(
                        "looks before the handover: {} replay(s), {} live, {} account(s)",
                        looked.past, looked.live, looked.persons
                    ),
                )
            );
        }
        for copy in camera.movies.iter().filter_map(|movie| movie.copy.as_ref()) {
            println!("    {} : {}", copy.path, pick(&copy.says.fr, &copy.says.en));
        }
        for gap in &camera.gaps {
            println!("    {} {} → {} : {}", pick("rien de", "nothing from"), gap.from, gap.to, pick(&gap.fr, &gap.en));
        }
    }
    println!(
        "  {} {}",
        pick("empreinte du bordereau (SHA-256)", "digest of the manifest (SHA-256)"),
        told.manifest_digest
    );
}

/// Says what was checked, and no more.
fn holds(told: &Told) -> String {
    let mut said = pick(
        format!("INTACT : {} images, telles que les caméras les ont envoyées", told.pictures),
        format!("INTACT: {} pictures, as the cameras sent them", told.pictures),
    );
    if let Some(at) = told.handed_over {
        said += &pick(format!(" ; remise inscrite le {at}"), format!("; handover entered on {at}"));
    }
    match &told.witnesses {
        None => said += pick(" ; aucun témoin n'a été demandé (--policy)", "; no witness was asked for (--policy)"),
        Some(witnesses) => {
            said += &pick(
                format!(" ; attesté par {}", witnesses.join(", ")),
                format!("; attested by {}", witnesses.join(", ")),
            )
        }
    }
    if !told.key_is_held {
        said += &pick(
            format!(
                ". LA CLÉ VIENT DU DOSSIER LUI-MÊME : comparez-la avec celle que la commune publie ({}), ou donnez --key",
                told.manifest.site.log_key
            ),
            format!(
                ". THE KEY CAME WITH THE PACKAGE: compare it with the one that the town publishes ({}), or give --key",
                told.manifest.site.log_key
            ),
        );
    }
    said + "."
}

fn as_json(verdict: &Verdict) -> String {
    let told_of = |finding: &Finding| {
        serde_json::json!({
            "code": finding.code(), "name": finding.name(), "fr": finding.text_fr(), "en": finding.text_en(),
        })
    };
    let of = |findings: &[Finding]| findings.iter().map(told_of).collect::<Vec<_>>();
    let told = verdict.told.as_ref().map(|told| {
        serde_json::json!({
            "manifest_sha256": told.manifest_digest.to_string(),
            "handed_over": told.handed_over.map(|at| at.to_string()),
            "key_is_held": told.key_is_held,
            "witnesses": told.witnesses,
            "pictures": told.pictures,
            "timestamp": timestamp::as_json(told),
            "manifest": told.manifest,
        })
    });
    let all = serde_json::json!({
        "intact": verdict.holds(), "findings": of(&verdict.findings), "copies": of(&verdict.copies), "package": told,
    });
    all.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::UtcMicros;
    use evidence::stamp::Refusal;

    #[test]
    fn help_names_each_refusal_of_a_timestamp_with_its_code() {
        let (certificate, at) = (String::new, UtcMicros(0));
        let all = [
            Refusal::Damaged { why: String::new() },
            Refusal::Foreign,
            Refusal::Changed,
            Refusal::Signature,
            Refusal::SignerMissing,
            Refusal::NotBound { why: String::new() },
            Refusal::Purpose { certificate: certificate(), why: "" },
            Refusal::Algorithm { oid: String::new() },
            Refusal::Expired { certificate: certificate(), at, from: at, to: at },
            Refusal::Unfit { certificate: certificate(), why: "" },
            Refusal::OtherRoot { issuer: String::new() },
            Refusal::Revoked { certificate: certificate(), revoked: at },
            Refusal::RevokedSince { certificate: certificate(), revoked: at },
            Refusal::List { path: String::new(), why: String::new() },
        ];
        let known = SEES.replace('\n', " ");
        for (code, refusal) in (70..).zip(all) {
            let finding = Finding::Timestamp(refusal);
            assert_eq!(finding.code(), code);
            assert!(known.contains(&format!("{code} {}", finding.name())), "{code} {}", finding.name());
            let (french, english) = (finding.text_fr(), finding.text_en());
            assert!(
                french.starts_with("Horodatage") && english.to_lowercase().contains("timestamp"),
                "{french} {english}"
            );
        }
    }
}
