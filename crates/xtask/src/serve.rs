//! `cargo xtask serve`: the built page on a loopback port.

use std::process::Command;

use anyhow::Result;
use relp_site::{Reach, Site, listen};

use crate::{args::Serve, page, step::say, workspace::Workspace};

/// Builds the page, then serves it until Ctrl-C.
pub(crate) fn serve(workspace: &Workspace, asked: &Serve) -> Result<()> {
    // Taken before the build, so that minutes of building don't end at an occupied port.
    let listener = listen(Reach::ThisMachine, asked.port)?;
    let port = listener.local_addr()?.port();
    if port != asked.port && asked.port != 0 {
        say!("\nPort {} is taken, so this is port {port}.", asked.port);
    }
    let address = format!("http://127.0.0.1:{port}/");
    page::BUILD.run(|| page::build(workspace)).1?;
    let site = Site::new(listener, workspace.dist())?;
    say!("\nThe page is at {address} (Ctrl-C stops it).");
    say!(
        "After a change, run `cargo xtask build` in another terminal and reload: the page offers the new version."
    );
    if asked.open {
        open(&address);
    }
    Ok(site.run()?)
}

/// Shows the page in the person's browser. Without one, the printed address is all there is.
fn open(address: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    if let Err(error) = Command::new(opener).arg(address).spawn() {
        say!("No browser could be opened ({opener}: {error}): open {address} by hand.");
    }
}
