//! Reads a PDF by programs that did not make it: pdftotext, pdftoppm (poppler-utils), qpdf. Where one is missing the check is
//! left out, and says so.

use std::{
    fs,
    process::{Command, Output},
};

/// The margin beyond which nothing may be printed, in points: 15 mm.
const MARGIN: f64 = 42.0;
/// The same above the head and below the foot: 10 mm.
const EDGE: f64 = 28.0;

/// Runs a program on the PDF, whose path takes the place of `FILE`. `None`: the program is not here.
fn run(program: &str, arguments: &[&str], pdf: &[u8]) -> Option<Output> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("paper.pdf");
    fs::write(&path, pdf).unwrap();
    let path = path.to_str().unwrap();
    let arguments = arguments.iter().map(|given| if *given == "FILE" { path } else { given });
    let output = Command::new(program).args(arguments).output();
    if output.is_err() {
        println!("{program} is not installed (scripts/setup.sh installs it): what it would have read is not checked");
    }
    output.ok()
}

/// What a reader hears, in the order of the structure.
pub fn text(pdf: &[u8]) -> Option<String> {
    let output = run("pdftotext", &["-enc", "UTF-8", "FILE", "-"], pdf)?;
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Pages are divided by form feeds.
pub fn pages(text: &str) -> usize {
    text.matches('\u{c}').count()
}

/// The file is whole.
pub fn checked(pdf: &[u8]) {
    if let Some(output) = run("qpdf", &["--check", "FILE"], pdf) {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Words that reach into the page's edge.
pub fn words_outside(pdf: &[u8]) -> Vec<String> {
    let Some(output) = run("pdftotext", &["-bbox", "FILE", "-"], pdf) else { return vec![] };
    let boxes = String::from_utf8(output.stdout).unwrap();
    let (mut width, mut height, mut outside) = (0.0, 0.0, vec![]);
    for line in boxes.lines().map(str::trim) {
        let number = |name: &str| -> f64 {
            let after = line.split(&format!("{name}=\"")).nth(1).unwrap();
            after.split('"').next().unwrap().parse().unwrap()
        };
        if line.starts_with("<page ") {
            (width, height) = (number("width"), number("height"));
        } else if line.starts_with("<word ") {
            let across = number("xMin") < MARGIN || number("xMax") > width - MARGIN;
            if across || number("yMin") < EDGE || number("yMax") > height - EDGE {
                outside.push(line.to_owned());
            }
        }
    }
    outside
}

/// What the QR codes on all pages say.
pub fn codes(pdf: &[u8]) -> Option<Vec<String>> {
    let output = run("pdftoppm", &["-gray", "-r", "200", "FILE"], pdf)?;
    let mut rest = output.stdout.as_slice();
    let mut codes = vec![];
    while !rest.is_empty() {
        let page;
        (page, rest) = grey(rest);
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(page.width, page.height, |x, y| {
            page.pixels[y * page.width + x]
        });
        codes.extend(image.detect_grids().iter().map(|grid| grid.decode().unwrap().1));
    }
    Some(codes)
}

struct Grey<'a> {
    width: usize,
    height: usize,
    pixels: &'a [u8],
}

/// One picture in PGM (`P5 width height 255`, then a byte a pixel), and what follows.
fn grey(bytes: &[u8]) -> (Grey<'_>, &[u8]) {
    let mut at = 0;
    let mut word = || {
        let begin = at;
        at += bytes[at..].iter().position(u8::is_ascii_whitespace).unwrap() + 1;
        String::from_utf8(bytes[begin..at - 1].to_vec()).unwrap()
    };
    assert_eq!(word(), "P5");
    let (width, height): (usize, usize) = (word().parse().unwrap(), word().parse().unwrap());
    assert_eq!(word(), "255");
    let (pixels, rest) = bytes[at..].split_at(width * height);
    (Grey { width, height, pixels }, rest)
}
