//! `relp serve`: the page for the person on this machine, or for a room.

use std::env;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use lexopt::{Arg, Parser, ValueExt};
use relp_site::{Certificate, Reach, Site, SiteError, addresses, listen};

use crate::failure::{Failure, Result};
use crate::output::{note, print};

pub(crate) const HELP: &str = "\
relp serve [DIR] [OPTIONS]

DIR is a folder that `relp pack` has made, or the built page (dist/). Without it, it is the current
folder, or that of this program. The page is for this machine alone, until Ctrl-C. OPTIONS are

  --port N                on this port, or the next free one (default 8080)
  --lan                   for all machines of the network, over https with a certificate made on the
                          spot, of which browsers warn
  --http                  with --lan: without https, so that there is no warning, and neither WebGPU
                          nor anything that a browser keeps

Files can only be read, and only those of the folder.
";

/// The port unless another is named.
const PORT: u16 = 8080;

/// What is asked of `relp serve`.
#[derive(Debug)]
pub(crate) struct Ask {
    folder: Option<PathBuf>,
    port: u16,
    lan: bool,
    http: bool,
}

/// Reads the arguments after `serve`; `None` is its help.
pub(crate) fn parse(parser: &mut Parser) -> Result<Option<Ask>> {
    let mut ask = Ask { folder: None, port: PORT, lan: false, http: false };
    while let Some(arg) = parser.next()? {
        let unknown = match arg {
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            Arg::Long("lan") => {
                ask.lan = true;
                continue;
            }
            Arg::Long("http") => {
                ask.http = true;
                continue;
            }
            Arg::Long("port") => {
                let port = parser.value().ok().and_then(|value| value.parse().ok());
                ask.port = port.ok_or_else(|| {
                    Failure::input("--port takes a number from 0 to 65535, as in --port 8080")
                })?;
                continue;
            }
            Arg::Value(folder) if ask.folder.is_none() => {
                ask.folder = Some(folder.into());
                continue;
            }
            Arg::Value(other) => {
                let other = other.to_string_lossy();
                return Err(Failure::input(format_args!(
                    "`relp serve` serves one folder: it was given `{other}` too"
                )));
            }
            Arg::Long(other) => format!("--{other}"),
            Arg::Short(other) => format!("-{other}"),
        };
        return Err(Failure::input(format_args!(
            "`relp serve` does not take `{unknown}`: `relp serve --help` lists what it takes"
        )));
    }
    Ok(Some(ask))
}

/// Serves until it is stopped.
pub(crate) fn run(ask: &Ask) -> Result<()> {
    let page = page(ask.folder.as_deref())?;
    let reach = if ask.lan { Reach::Everyone } else { Reach::ThisMachine };
    let listener = listen(reach, ask.port).map_err(failed)?;
    let port = listener.local_addr().map_or(ask.port, |address| address.port());
    if port != ask.port && ask.port != 0 {
        note(&format!("Port {} is taken, so this is port {port}.", ask.port));
    }
    if !ask.lan {
        print(&format!("The page is at http://127.0.0.1:{port}/ (Ctrl-C stops it).\n"))?;
        return Site::new(listener, page).and_then(|site| site.run()).map_err(failed);
    }
    let addresses = addresses();
    if addresses.is_empty() {
        note("This machine has no address in a network, so that no other machine finds it.");
    }
    if ask.http {
        print(&in_plain(&addresses, port))?;
        return Site::new(listener, page).and_then(|site| site.run()).map_err(failed);
    }
    let certificate = Certificate::new(&addresses).map_err(failed)?;
    print(&secured(&addresses, port, &certificate))?;
    Site::secured(listener, page, certificate).and_then(|site| site.run()).map_err(failed)
}

#[allow(clippy::needless_pass_by_value, reason = "`map_err` hands errors over by value")]
fn failed(error: SiteError) -> Failure {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    let text: String = first.into_iter().flatten().chain(letters).collect();
    match error {
        SiteError::Port(..) | SiteError::Taken(..) => Failure::input(text),
        _ => Failure::failed(text),
    }
}

/// The folder of the page in the one that was named, or in one of the usual ones.
fn page(named: Option<&Path>) -> Result<PathBuf> {
    let what = "`relp pack` makes a folder that has one, and `cargo xtask build` makes dist/";
    if let Some(folder) = named {
        return of_folder(folder).ok_or_else(|| {
            Failure::input(format_args!("There is no page in {}: {what}", folder.display()))
        });
    }
    let own = own_folder();
    let found = of_folder(Path::new(".")).or_else(|| of_folder(&own?.join("app")));
    found.ok_or_else(|| {
        Failure::input(format_args!(
            "There is no page in the current folder, so name one, as in `relp serve dist`: {what}"
        ))
    })
}

/// The folder of this program.
pub(crate) fn own_folder() -> Option<PathBuf> {
    Some(env::current_exe().ok()?.parent()?.to_owned())
}

/// The page in a folder: that of a pack, or itself.
fn of_folder(folder: &Path) -> Option<PathBuf> {
    [folder.join("app"), folder.to_owned()].into_iter().find(|folder| is_page(folder))
}

/// Whether a folder is a built page. Its source has an `index.html` too, and no service worker beside it.
pub(crate) fn is_page(folder: &Path) -> bool {
    ["index.html", "sw.js"].iter().all(|name| folder.join(name).is_file())
}

/// Every address, with what is done by who opens it.
fn list(addresses: &[IpAddr], scheme: &str, port: u16) -> String {
    let mut text = "The page is at (Ctrl-C stops it)\n\n".to_owned();
    for address in addresses {
        // An IPv6 address stands in brackets.
        let _infallible = writeln!(text, "  {scheme}://{}/", SocketAddr::new(*address, port));
    }
    let _infallible = writeln!(text, "  {scheme}://localhost:{port}/   on this machine\n");
    text
}

fn in_plain(addresses: &[IpAddr], port: u16) -> String {
    let mut text = list(addresses, "http", port);
    text += "\
Without https, browsers on other machines give the page neither WebGPU nor storage: it computes on the
CPU and keeps nothing, so that every reload fetches the model anew.
";
    text
}

fn secured(addresses: &[IpAddr], port: u16, certificate: &Certificate) -> String {
    let mut text = list(addresses, "https", port);
    text += "\
Each browser will warn that the connection is not private, since this machine made the certificate
just now and nobody vouches for it. Go on with

  Chrome, Edge   Advanced, then \"Proceed to\" or \"Continue to\" the address
  Firefox        Advanced, then \"Accept the Risk and Continue\"
  Safari         Show Details, then \"visit this website\"

The warning's details show the certificate. It is this one if its SHA-256 fingerprint is

";
    // Two lines, since it is read aloud and compared by eye.
    let fingerprint = certificate.fingerprint();
    let (first, second) = fingerprint.split_at(fingerprint.len().div_ceil(2));
    let _infallible = writeln!(text, "  {first}\n  {second}\n");
    text += "\
It has to be https because browsers give WebGPU, storage and service workers only to pages with a
secure connection. Some keep the page itself for later only with a certificate that they trust without
a warning; models are kept all the same. The next start makes another certificate.
";
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_room_has_every_address_and_the_fingerprint() {
        let certificate = Certificate::new(&[]).unwrap();
        let addresses = ["192.168.1.5", "fd00::7"].map(|address| address.parse().unwrap());
        let text = secured(&addresses, 8080, &certificate);
        for part in ["https://192.168.1.5:8080/\n", "https://[fd00::7]:8080/\n", "WebGPU"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let joined = text.replace("\n  ", "");
        assert!(joined.contains(&certificate.fingerprint()), "{text}");
        let plain = in_plain(&addresses, 80);
        assert!(plain.contains("http://[fd00::7]:80/\n") && plain.contains("keeps nothing"));
        assert!(text.lines().chain(plain.lines()).all(|line| line.chars().count() <= 105));
    }

    #[test]
    fn the_help_names_what_it_takes() {
        let words = ["--port", "--lan", "--http"];
        assert!(words.iter().all(|word| HELP.contains(word)));
        assert!(HELP.lines().all(|line| line.chars().count() <= 100));
    }
}
