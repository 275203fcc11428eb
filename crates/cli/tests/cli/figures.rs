//! `relp figure`: a figure on paper, as other programs read it.

use std::fs;
use std::path::Path;
use std::process::Command;

use relp_print::{Format, Print, Style};

use crate::program::*;

/// A folder of a test's own, with a figure in it.
fn folder(name: &str) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("figure-{name}"));
    let _gone = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let figure = folder.join("f.json");
    let sites = ["--sites", "resid_pre,attn_out,mlp_out,z"];
    answer(&arguments(&[&sites[..], &["--out", figure.to_str().unwrap()]].concat()));
    folder
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

#[test]
fn every_format_is_written_as_the_library_prints_it() {
    let folder = folder("formats");
    let source = path(&folder, "f.json");
    let figure = relp_print::embedded(&fs::read(&source).unwrap()).unwrap();
    for format in Format::ALL {
        let out = path(&folder, &format!("out.{}", format.extension()));
        answer(&["figure", &source, "--format", format.name(), "--width", "single", "--out", &out]);
        let style = Style { width_mm: Style::SINGLE, ..Style::default() };
        let expected = relp_print::print(&Print::of(&figure), &style, format).unwrap();
        assert!(fs::read(&out).unwrap() == expected, "{format}");
    }
    // What holds the figure is drawn again, to the same bytes; the format is told by the file's name.
    for holds in ["out.svg", "out.png", "out.tex"] {
        let again = path(&folder, "again.pdf");
        answer(&["figure", &path(&folder, holds), "--width", "single", "--out", &again]);
        assert!(fs::read(&again).unwrap() == fs::read(folder.join("out.pdf")).unwrap(), "{holds}");
    }
    assert!(answer(&["figure", &source]).starts_with("<svg "));
    assert!(answer(&["figure", "--help"]).starts_with("relp figure FILE"));
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let folder = folder("refused");
    let source = path(&folder, "f.json");
    refused(&["figure"], &["needs a file"]);
    refused(&["figure", "nowhere.json"], &["nowhere.json", "cannot be read"]);
    refused(&["figure", &source, "--format", "docx"], &["docx", "svg, pdf, png"]);
    refused(&["figure", &source, "--width", "wide"], &["--width takes a number"]);
    refused(&["figure", &source, "--width", "5"], &["from 30 to 1000 mm"]);
    refused(&["figure", &source, "--font", "nan"], &["from 4 to 24 pt"]);
    refused(&["figure", &source, &source], &["one figure"]);
    refused(&["figure", &source, "--colour", "red"], &["--colour", "relp figure --help"]);
    let other = path(&folder, "other.svg");
    fs::write(&other, "<svg xmlns=\"http://www.w3.org/2000/svg\"/>").unwrap();
    refused(&["figure", &other], &["there is no figure in it"]);
    fs::write(&other, "[1, 2]").unwrap();
    refused(&["figure", &other], &["not a figure's JSON"]);
}

/// Runs a program that may not be there, which is said loudly.
fn other_program(name: &str, args: &[&str], folder: &Path) -> Option<String> {
    match Command::new(name).args(args).current_dir(folder).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{name} {args:?}: {said}");
            Some(said)
        }
        Err(_) => {
            use std::io::Write;
            let skipped = format!("SKIPPED: {name} is not installed, so its part was not tested\n");
            let _unheard = std::io::stderr().lock().write_all(skipped.as_bytes());
            None
        }
    }
}

#[test]
fn a_pdf_is_read_by_another_program_and_stands_in_a_document() {
    let folder = folder("pdf");
    let source = path(&folder, "f.json");
    answer(&["figure", &source, "--width", "single", "--out", &path(&folder, "f.pdf")]);
    answer(&[
        "figure",
        &source,
        "--width",
        "single",
        "--format",
        "tikz",
        "--out",
        &path(&folder, "t.tex"),
    ]);
    if let Some(text) = other_program("pdftotext", &["f.pdf", "-"], &folder) {
        for token in ["BOS", "·friends", "resid_pre", "what attention adds", "RelP with the rules"]
        {
            assert!(text.contains(token), "{token} in {text}");
        }
    }
    if let Some(fonts) = other_program("pdffonts", &["f.pdf"], &folder) {
        let all: Vec<&str> = fonts.lines().skip(2).collect();
        assert_eq!(all.len(), 2, "{fonts}");
        assert!(all.iter().all(|font| font.contains("yes yes yes")), "embedded: {fonts}");
    }
    let document = "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage{graphicx,tikz}\n\
                    \\begin{document}\n\\includegraphics{f.pdf}\n\n\\input{t}\n\\end{document}\n";
    fs::write(folder.join("d.tex"), document).unwrap();
    other_program("pdflatex", &["-interaction=nonstopmode", "-halt-on-error", "d.tex"], &folder);
}
