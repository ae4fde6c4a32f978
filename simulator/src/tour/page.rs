//! `index.html` of the tour: narration and screenshots on one page that needs nothing else, French first.

use super::story::{Item, Scene, Story, Text};
use std::{fmt::Write, fs, io, path::Path};

const STYLE: &str = "\
:root{color-scheme:light}body{font:17px/1.55 'Segoe UI','DejaVu Sans',sans-serif;color:#1b2430;background:#f6f7f9;margin:0}\
main{max-width:64rem;margin:0 auto;padding:2rem 1.25rem 4rem}h1{font-size:2rem;line-height:1.2;margin:0 0 .25rem}\
section{background:#fff;border:1px solid #d5dae1;border-radius:10px;padding:1.25rem 1.5rem;margin:1.5rem 0}\
h2{font-size:1.35rem;line-height:1.3;margin:0 0 .25rem}.en{color:#4a5563;margin-top:.1rem}p{margin:.6rem 0 0}\
ul.claims{list-style:none;margin:.8rem 0 0;padding:0}ul.claims li{padding:.35rem 0 .35rem 1.9rem;position:relative}\
ul.claims li::before{position:absolute;left:.2rem;font-weight:700}\
li.held::before{content:'✓';color:#116329}li.failed::before{content:'✗';color:#a40e26}\
li.missing::before{content:'◌';color:#6b4a00}li.missing{background:#fff7e0;border-radius:6px}\
figure{margin:1.1rem 0 0}img{max-width:100%;height:auto;border:1px solid #c6ccd4;border-radius:6px}\
figcaption{font-size:.95rem;margin-top:.3rem}pre{background:#10161e;color:#e8edf3;padding:.8rem 1rem;border-radius:6px;\
white-space:pre-wrap;overflow-wrap:anywhere;font-size:.9rem}";

pub fn write(story: &Story, folder: &Path) -> io::Result<()> {
    let mut body = String::new();
    for (n, scene) in story.scenes.iter().enumerate() {
        body.push_str(&section(n + 1, scene));
    }
    let faults = story.faults();
    let verdict = if faults.is_empty() {
        both(
            "p",
            &super::story::text(
                "Tout ce qui est affirmé ici a été vérifié en le faisant.",
                "Everything claimed here was checked by doing it.",
            ),
        )
    } else {
        both(
            "p",
            &super::story::text(
                "Quelque chose ne tient pas : voir les croix.",
                "Something does not hold: see the crosses.",
            ),
        )
    };
    let page = format!(
        "<!doctype html>\n<html lang=\"fr\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Vigie : la visite · the tour</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Vigie : cinq questions</h1>\n\
         <p class=\"en\" lang=\"en\">Vigie: five questions</p>\n{intro}{verdict}{body}</main>\n</body>\n</html>\n",
        intro = both(
            "p",
            &super::story::text(
                "Une ville inventée, filmée par six caméras simulées et enregistrée par le vrai programme. Les rues, les \
                 voitures et les silhouettes sont dessinées.",
                "An invented town, filmed by six simulated cameras and recorded by the real program. Streets, cars and \
                 figures are drawn.",
            ),
        ),
    );
    fs::write(folder.join("index.html"), page)
}

fn section(number: usize, scene: &Scene) -> String {
    let (fr, en) = (escape(&scene.title.fr), escape(&scene.title.en));
    let mut out = format!(
        "<section aria-labelledby=\"s{number}\">\n<h2 id=\"s{number}\">{number}. {fr}</h2>\n<p class=\"en\" lang=\"en\">{en}</p>\n"
    );
    let mut in_list = false;
    for item in &scene.items {
        let listed = matches!(item, Item::Claim(..) | Item::NotBuilt(_));
        if listed != in_list {
            out.push_str(if listed { "<ul class=\"claims\">\n" } else { "</ul>\n" });
            in_list = listed;
        }
        match item {
            Item::Said(said) => out.push_str(&both("p", said)),
            Item::Claim(claim, holds) => out.push_str(&line(if *holds { "held" } else { "failed" }, claim)),
            Item::NotBuilt(missing) => out.push_str(&line("missing", missing)),
            Item::Quoted(said) => put(&mut out, format_args!("<pre tabindex=\"0\">{}</pre>\n", escape(said))),
            Item::Picture(file, shows) => put(
                &mut out,
                format_args!(
                    "<figure>\n<img src=\"{}\" alt=\"{}\">\n<figcaption>{}<br><span class=\"en\" lang=\"en\">{}</span></figcaption>\n</figure>\n",
                    escape(&file.display().to_string()),
                    escape(&shows.fr),
                    escape(&shows.fr),
                    escape(&shows.en)
                ),
            ),
        }
    }
    if in_list {
        out.push_str("</ul>\n");
    }
    out.push_str("</section>\n");
    out
}

fn both(tag: &str, said: &Text) -> String {
    format!("<{tag}>{}</{tag}>\n<{tag} class=\"en\" lang=\"en\">{}</{tag}>\n", escape(&said.fr), escape(&said.en))
}

fn line(class: &str, said: &Text) -> String {
    let (fr, en) = (escape(&said.fr), escape(&said.en));
    format!("<li class=\"{class}\">{fr}<br><span class=\"en\" lang=\"en\">{en}</span></li>\n")
}

fn put(out: &mut String, words: std::fmt::Arguments<'_>) {
    out.write_fmt(words).expect("a String takes every text");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_printed_cannot_become_markup() {
        assert_eq!(escape("<b> & \"x\""), "&lt;b&gt; &amp; &quot;x&quot;");
    }
}
