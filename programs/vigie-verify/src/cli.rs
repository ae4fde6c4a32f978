//! The command line: `vigie-verify log URL|DIR`, `vigie-verify evidence DIR|FILE`, `vigie-verify open FILE`.

use crate::{
    check::{CheckError, LeafAsked, LogQuestion, Verdict, check_log, claimed_origin},
    evidence_cli::{self, EvidenceArguments, OpenArguments},
    source::Source,
};
use clap::{ArgAction, Args, Parser, Subcommand};
use domain::limit::{NOTE_BYTES_MAX, WITNESS_POLICY_BYTES_MAX};
use ledger::{CheckpointKey, Digest, WitnessPolicy};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Vérifie de l'extérieur ce que Vigie publie · checks from outside what Vigie publishes
#[derive(Parser)]
#[command(name = "vigie-verify", version, disable_help_flag = true, disable_version_flag = true, disable_help_subcommand = true, subcommand_help_heading = "Commandes · commands", after_help = EACH)]
struct Arguments {
    /// Afficher cette aide · show this help
    #[arg(short, long, global = true, action = ArgAction::Help)]
    help: Option<bool>,
    /// Afficher la version · show the version
    #[arg(short = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Vérifier un registre public · check a public log
    #[command(after_help = SEES)]
    Log(LogArguments),
    /// Vérifier un dossier remis sur réquisition · check a package handed over on a requisition
    #[command(after_help = evidence_cli::SEES)]
    Evidence(EvidenceArguments),
    /// Ouvrir un dossier scellé dans un dossier en clair · open a sealed package into a folder in clear
    Open(OpenArguments),
}

const EACH: &str = "\
`vigie-verify log --help` et `vigie-verify evidence --help` disent chacun ce qui est vu, ce qui ne l'est pas, et les codes.
`vigie-verify log --help` and `vigie-verify evidence --help` each say what is seen, what is not, and the codes.";

const SEES: &str = "\
Ce que ce programme voit : que le registre est signé, que chacune de ses entrées est celle qui fut signée, qu'il ne fait que
grandir depuis les points de contrôle que vous avez gardés, que des témoins l'attestent, qu'une entrée que vous tenez y est.
Ce qu'il ne voit pas : le contenu des entrées (scellé), donc si chaque clé créée a été détruite à temps ; cela se vérifie chez
la commune par `vigie verify`, qui lit le même registre. Ni ce qui ne fut jamais inscrit, ni la dernière heure, ni un programme
qui ment sur sa propre empreinte (--program).

What this program sees: that the log is signed, that each entry is the one that was signed, that it only grew since the
checkpoints that you kept, that witnesses attest it, that an entry you hold is in it.
What it does not see: what entries say (sealed), hence whether each key was destroyed in time; that is checked at the town by
`vigie verify`, which reads the same log. Nor what was never entered, nor the last hour, nor a program that lies about its own
digest (--program).

Codes : 0 rien trouvé · 1 non vérifiable · 2 commande incomprise · 10 signature · 11 rollback · 12 fork · 13 truncation ·
14 missing-tile · 15 rewriting · 16 quorum · 17 not-included · 18 program (le premier trouvé · the first found)";

#[derive(Args)]
struct LogArguments {
    /// Adresse du registre, ou dossier qui contient `checkpoint` et `tile/` · the log's address, or a folder with `checkpoint` and `tile/`
    #[arg(value_name = "URL|DIR")]
    place: String,
    /// Clé de vérification du registre, que la commune publie ; sinon la ligne `log` de --policy · the log's verifier key, which the town publishes; else the line `log` of --policy
    #[arg(long, value_name = "VERIFIER_KEY")]
    key: Option<String>,
    /// Fichier des témoins qui comptent (C2SP tlog-policy) · file of the witnesses that count (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Point de contrôle gardé d'avant ; peut être répété · checkpoint kept from before; may be repeated
    #[arg(long, value_name = "CHECKPOINT_FILE")]
    since: Vec<PathBuf>,
    /// Garder ici le point de contrôle d'aujourd'hui, si rien n'est trouvé · keep today's checkpoint here, if nothing is found
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// Numéro d'une entrée que vous tenez · number of an entry that you hold
    #[arg(long, value_name = "N", requires = "commitment")]
    leaf: Option<u64>,
    /// Son engagement, 64 chiffres hexadécimaux · its commitment, 64 hexadecimal digits
    #[arg(long, value_name = "HEX", requires = "leaf")]
    commitment: Option<Digest>,
    /// Programme publié, ou son SHA-256 ; peut être répété : tout démarrage depuis --since, et le dernier, doit être de ceux-là · published program, or its SHA-256; may be repeated: every start since --since, and the last, must be one of them
    #[arg(long, value_name = "FILE|DIGEST")]
    program: Vec<String>,
}

/// Why the question cannot even be asked.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error("`{path}`: {source}", path = path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("`{text}` is no log's verifier key: ask the town for the line that `vigie public key` prints")]
    Key { text: String },
    #[error("whose signature? give --key, or a --policy with one line `log`")]
    NoKey,
    #[error("`{path}`, {source}", path = path.display())]
    Policy { path: PathBuf, source: ledger::PolicyError },
    #[error("`{path}`: {source}", path = path.display())]
    TsaRoot { path: PathBuf, source: evidence::stamp::RootsError },
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error(transparent)]
    Package(#[from] evidence::FilesError),
    #[error("`{path}` is sealed: give the service's key (--identity) or the passphrase that the town told (--passphrase)", path = path.display())]
    Sealed { path: PathBuf },
    #[error("`{path}` does not open: {source}", path = path.display())]
    NotOpened { path: PathBuf, source: io::Error },
    #[error("`{path}`: {parts} parts were read and the archive is not whole ({source}): copy all parts, to the last medium, into one folder; if all are there, one is damaged or changed", path = path.display())]
    Parts { path: PathBuf, parts: usize, source: evidence::FilesError },
}

impl Failed {
    fn french(&self) -> String {
        match self {
            Failed::File { path, source } => format!("`{}` : {source}", path.display()),
            Failed::Key { text } => format!(
                "`{text}` n'est pas la clé de vérification d'un registre : demandez à la commune la ligne que donne `vigie public key`"
            ),
            Failed::NoKey => "signature de qui ? donnez --key, ou un --policy avec une ligne `log`".into(),
            Failed::Policy { path, source } => {
                format!("le fichier des témoins `{}` n'est pas admis ({source})", path.display())
            }
            Failed::TsaRoot { path, source } => format!(
                "`{}` n'a pas de certificat lisible d'une racine d'horodatage ({}) : donnez du PEM ou du DER",
                path.display(),
                source.why
            ),
            Failed::Check(CheckError::Since { name }) => format!(
                "`{name}` n'est pas un point de contrôle signé par la clé de ce registre : donnez-en un qu'a écrit `--keep`"
            ),
            Failed::Check(CheckError::TooLarge { size }) => {
                format!("un registre de {size} entrées est plus grand que ce qui peut être cru")
            }
            Failed::Package(error) => {
                format!("`{}` ne se lit pas ({}) : recopiez le dossier depuis son support", error.path, error.why)
            }
            Failed::Sealed { path } => format!(
                "`{}` est scellé : donnez la clé du service (--identity) ou la phrase secrète que la commune a dite (--passphrase)",
                path.display()
            ),
            Failed::NotOpened { path, .. } => format!(
                "`{}` ne s'ouvre pas : il est scellé pour une autre clé ou par une autre phrase, ou il est abîmé",
                path.display()
            ),
            Failed::Parts { path, parts, source } => format!(
                "`{}` : {parts} parties lues, et l'archive n'est pas entière ({source}) : copiez toutes les parties, jusqu'au dernier support, dans un même dossier ; si elles y sont toutes, l'une est abîmée ou changée",
                path.display()
            ),
            Failed::Check(error) => format!("rien ne peut être dit ({error}) : vérifiez l'adresse et réessayez"),
        }
    }
}

pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            if error.use_stderr() && !in_english() {
                eprintln!("vigie-verify : commande incomprise ; `vigie-verify --help` l'explique.");
            }
            error.exit();
        }
    };
    let done = match arguments.command {
        Command::Log(arguments) => run(&arguments),
        Command::Evidence(arguments) => evidence_cli::run(&arguments),
        Command::Open(arguments) => evidence_cli::open(&arguments),
    };
    match done {
        Ok(code) => code,
        Err(failed) => {
            eprintln!("vigie-verify{} {}", pick(" :", ":"), pick(failed.french(), failed.to_string()));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &LogArguments) -> Result<ExitCode, Failed> {
    let policy = arguments.policy.as_deref().map(read_policy).transpose()?;
    let since = arguments.since.iter().map(|path| Ok((path.display().to_string(), read(path, NOTE_BYTES_MAX)?)));
    let question = LogQuestion {
        key: key_of(arguments.key.as_deref(), policy.as_ref())?,
        source: Source::of(&arguments.place),
        policy,
        since: since.collect::<Result<_, Failed>>()?,
        programs: arguments.program.iter().map(|text| digest_of(text)).collect::<Result<_, _>>()?,
        leaf: arguments.leaf.zip(arguments.commitment).map(|(seq, commitment)| LeafAsked { seq, commitment }),
    };
    let verdict = check_log(&question)?;
    tell(&verdict, &question);
    if let (Some(path), true) = (&arguments.keep, verdict.findings.is_empty()) {
        keep(path, &verdict.note).map_err(|source| Failed::File { path: path.clone(), source })?;
    }
    Ok(verdict.findings.first().map_or(ExitCode::SUCCESS, |finding| ExitCode::from(finding.code())))
}

/// A digest as it is, else that of the file.
fn digest_of(text: &str) -> Result<String, Failed> {
    if let Ok(digest) = text.parse::<Digest>() {
        return Ok(digest.to_string());
    }
    let path = PathBuf::from(text);
    let bytes = fs::read(&path).map_err(|source| Failed::File { path, source })?;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
    Ok(digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The one given, or the only log of the policy.
pub fn key_of(key: Option<&str>, policy: Option<&WitnessPolicy>) -> Result<CheckpointKey, Failed> {
    match (key, policy.map(|policy| policy.logs.as_slice())) {
        (Some(text), _) => CheckpointKey::parse(text.trim()).map_err(|_| Failed::Key { text: text.to_owned() }),
        (None, Some([log])) => Ok(log.key.clone()),
        (None, _) => Err(Failed::NoKey),
    }
}

pub fn read_policy(path: &Path) -> Result<WitnessPolicy, Failed> {
    let file = read(path, WITNESS_POLICY_BYTES_MAX)?;
    WitnessPolicy::parse(&file).map_err(|source| Failed::Policy { path: path.to_owned(), source })
}

pub fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Failed> {
    let failed = |source| Failed::File { path: path.to_owned(), source };
    let too_long = || io::Error::new(io::ErrorKind::InvalidData, format!("more than {bytes_max} bytes"));
    let bytes = fs::read(path).map_err(failed)?;
    if bytes.len() > bytes_max { Err(failed(too_long())) } else { Ok(bytes) }
}

/// Whole or as it was before: the reader's only memory.
fn keep(path: &Path, note: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = fs::File::create(&temporary)?;
    file.write_all(note)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

fn tell(verdict: &Verdict, question: &LogQuestion) {
    println!("{} `{}`", pick("Registre", "Log"), claimed_origin(&verdict.note));
    if let Some(checkpoint) = verdict.checkpoint {
        println!(
            "  {} {} · {} {}",
            checkpoint.size,
            pick("entrées", "entries"),
            pick("racine", "root"),
            checkpoint.root
        );
    }
    for (name, at_seconds) in &verdict.cosigned_by {
        let since = pick("secondes depuis 1970", "seconds since 1970");
        println!("  {} {name} ({at_seconds} {since})", pick("attesté par", "attested by"));
    }
    for finding in &verdict.findings {
        println!("✗ [{}] {}", finding.name(), pick(finding.text_fr(), finding.text_en()));
    }
    if verdict.findings.is_empty() {
        println!("{}", holds(question));
    }
}

/// Says what was checked, and no more.
fn holds(question: &LogQuestion) -> String {
    let kept = question.since.len();
    let mut said = pick(
        "✓ Signé, entier, chaque entrée est celle qui fut signée".to_owned(),
        "✓ Signed, whole, each entry is the one that was signed".to_owned(),
    );
    match kept {
        0 => {
            said += pick(
                " ; sans point de contrôle gardé (--since), rien n'est dit du passé",
                "; without a checkpoint that was kept (--since), nothing is said of the past",
            )
        }
        _ => {
            said += &pick(
                format!(" ; il n'a fait que grandir depuis {kept} point(s) de contrôle gardé(s)"),
                format!("; it only grew since {kept} kept checkpoint(s)"),
            )
        }
    }
    match &question.policy {
        None => said += pick(" ; aucun témoin n'a été demandé (--policy)", "; no witness was asked for (--policy)"),
        Some(_) => said += pick(" ; assez de témoins l'attestent", "; enough witnesses attest it"),
    }
    if question.leaf.is_some() {
        said += pick(" ; l'entrée que vous tenez y est", "; the entry that you hold is in it");
    }
    if !question.programs.is_empty() {
        said += pick(
            " ; les programmes qui disent avoir démarré sont de ceux que vous tenez pour publiés",
            "; the programs that say they started are among those you know as published",
        );
    }
    said + "."
}

fn in_english() -> bool {
    let names = ["VIGIE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];
    let value = names.iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty());
    value.unwrap_or_default().to_ascii_lowercase().starts_with("en")
}

pub fn pick<T>(french: T, english: T) -> T {
    if in_english() { english } else { french }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Finding;
    use clap::CommandFactory;

    #[test]
    fn no_help_speaks_english_alone() {
        fn check(command: &mut clap::Command) -> usize {
            let help = command.render_help().to_string();
            for english in ["Print help", "Print version", "Print this message", "\nCommands:"] {
                assert!(!help.contains(english), "{help}");
            }
            1 + command.get_subcommands_mut().map(check).sum::<usize>()
        }
        let mut command = Arguments::command();
        command.build();
        assert!(check(&mut command) > 1);
    }

    #[test]
    fn every_finding_has_a_code_and_a_name_of_its_own_and_the_help_lists_them() {
        let root = Digest([1; 32]);
        let all = [
            Finding::Signature { why: String::new() },
            Finding::Rollback { size: 1, kept: 2 },
            Finding::Fork { size: 1, root, kept: 1, kept_root: root },
            Finding::Truncation { entries: 1, size: 2 },
            Finding::MissingTile { path: String::new() },
            Finding::Rewriting { path: String::new(), entry: None },
            Finding::Quorum { found: vec![], missing: vec![] },
            Finding::NotIncluded { seq: 1, found: None },
            Finding::Program { entry: None, version: String::new(), digest: String::new() },
        ];
        for (nth, finding) in all.iter().enumerate() {
            let listed = format!("{} {}", finding.code(), finding.name());
            assert!(SEES.replace('\n', " ").contains(&listed), "{listed}");
            assert!(all[..nth].iter().all(|other| other.code() != finding.code()));
            assert_ne!(finding.text_fr(), finding.text_en());
        }
    }
}
