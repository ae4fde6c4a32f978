//! The printed report of a package, `rapport.pdf`: made of the manifest before its own line stands there. For the eye; what proves is beside it.

use crate::server::Web;
use documents::{
    At, Footage, Language, LogProof, Paper, RenderLimits, Report, Says, Sha256, Town,
    delivery::{FileLine, Gap},
    report::{CopyFile, MovieFile},
};
use domain::Codec;
use evidence::{CameraPart, FileRole, Manifest, MovieLine, manifest::list_digest};

/// In the folder of the package. In French, as the town speaks to who requires.
pub const REPORT: &str = "rapport.pdf";

/// The PDF, or none: a package is never kept back for want of it. It blocks until it is printed.
pub fn printed(web: &Web, manifest: &Manifest) -> Option<Vec<u8>> {
    let socket = web.papers.as_ref()?;
    let pdf = documents::print(socket, &paper(manifest), RenderLimits::default());
    pdf.inspect_err(|error| tracing::warn!(%error, "a package has no printed report")).ok()
}

fn paper(manifest: &Manifest) -> Paper {
    let files = |role| manifest.files.iter().filter(move |file| file.role == role);
    let report = Report {
        export: manifest.export.to_string(),
        number: manifest.ground.number.clone(),
        framework: manifest.ground.framework.clone(),
        authority: manifest.ground.authority.clone(),
        procedure: manifest.ground.procedure.clone(),
        windows: manifest.cameras.iter().map(|camera| footage(camera, camera.from, camera.to)).collect(),
        movies: manifest
            .cameras
            .iter()
            .flat_map(|camera| camera.movies.iter().filter_map(|movie| movie_file(manifest, camera, movie)))
            .collect(),
        gaps: manifest
            .cameras
            .iter()
            .flat_map(|camera| {
                let gap = |gap: &evidence::manifest::GapPart| Gap {
                    footage: footage(camera, gap.from, gap.to),
                    cause: gap.fr.clone(),
                };
                camera.gaps.iter().map(gap)
            })
            .collect(),
        proofs: files(FileRole::Proof).map(file_line).collect(),
        copies: copies(manifest),
        list: Sha256(list_digest(&manifest.files).0),
        clock: manifest.clock.fr.clone(),
        log: LogProof { key: manifest.site.log_key.clone(), ..LogProof::default() },
        program: manifest.program.version.clone(),
    };
    let town = Town { name: manifest.site.name.clone(), ..Town::default() };
    let says = Says::Report(Box::new(report));
    Paper::new(Language::Fr, town, manifest.ground.number.clone(), At(manifest.made), says)
}

fn footage(camera: &CameraPart, from: domain::UtcMicros, to: domain::UtcMicros) -> Footage {
    Footage { camera: camera.name.clone(), place: camera.place.clone(), from: At(from), to: At(to) }
}

fn movie_file(manifest: &Manifest, camera: &CameraPart, movie: &MovieLine) -> Option<MovieFile> {
    let file = manifest.files.iter().find(|file| file.path == movie.path)?;
    let codec = match movie.codec {
        Codec::H264 => "H.264",
        Codec::H265 => "H.265",
    };
    Some(MovieFile {
        path: movie.path.clone(),
        camera: camera.name.clone(),
        from: At(movie.first),
        to: At(movie.last),
        pictures: movie.pictures,
        coding: format!("{codec}, {} × {}", movie.width, movie.height),
        bytes: file.bytes,
        sha256: Sha256(file.sha256.0),
    })
}

fn copies(manifest: &Manifest) -> Vec<CopyFile> {
    let movies = manifest.cameras.iter().flat_map(|camera| &camera.movies);
    let of = |movie: &MovieLine| {
        let copy = movie.copy.as_ref()?;
        let file = manifest.files.iter().find(|file| file.path == copy.path)?;
        let (path, of) = (copy.path.clone(), movie.path.clone());
        Some(CopyFile { path, of, lacking: copy.lacking, bytes: file.bytes, sha256: Sha256(file.sha256.0) })
    };
    movies.filter_map(of).collect()
}

fn file_line(file: &evidence::FileLine) -> FileLine {
    FileLine { path: file.path.clone(), bytes: file.bytes, sha256: Sha256(file.sha256.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path, process::Command};

    /// As the report and `docs/formats/evidence.md` print it.
    const COMMAND: &str = "sha256sum preuves/* video/* | LC_ALL=C sort -k 2 | sha256sum";

    #[test]
    fn a_stranger_makes_the_printed_digest_of_the_list_again_by_the_documented_command() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for page in ["docs/formats/evidence.md", "programs/vigie-papers/templates/report.typ"] {
            assert!(fs::read_to_string(root.join(page)).unwrap().contains(COMMAND), "{page}");
        }
        let folder = tempfile::tempdir().unwrap();
        let line = |path: &str, role| {
            let (file, bytes) = (folder.path().join(path), format!("what is in {path}"));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &bytes).unwrap();
            let (path, length) = (path.to_owned(), bytes.len() as u64);
            evidence::FileLine { path, role, bytes: length, sha256: evidence::file_digest(bytes.as_bytes()) }
        };
        let files = [
            line("video/camera-10-1.mp4", FileRole::Movie),
            line("video/camera-1-1.mp4", FileRole::Movie),
            line("video/camera-1-12.mp4", FileRole::Movie),
            line("preuves/camera-1.jsonl", FileRole::Proof),
            line("lecteur.html", FileRole::Player),
        ];
        let made = Command::new("sh").arg("-c").arg(COMMAND).current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8(made.stdout).unwrap();
        assert_eq!(said.split_whitespace().next().unwrap(), list_digest(&files).to_string());
    }
}
