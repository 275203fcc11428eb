//! `cargo xtask serve`: the built page on a loopback port.

use std::{io, net::TcpListener, process::Command};

use anyhow::{Context, Result, bail};
use xtask::site::Site;

use crate::{args::Serve, page, step::say, workspace::Workspace};

/// How many ports after the wanted one are tried.
const NEXT_PORTS: u16 = 20;

/// Builds the page, then serves it until Ctrl-C.
pub(crate) fn serve(workspace: &Workspace, asked: &Serve) -> Result<()> {
    // Taken before the build, so that minutes of building don't end at an occupied port.
    let (listener, port) = choose_port(asked.port, |port| TcpListener::bind(("127.0.0.1", port)))?;
    if port != asked.port && asked.port != 0 {
        say!("\nPort {} is taken, so this is port {port}.", asked.port);
    }
    let address = format!("http://127.0.0.1:{}/", listener.local_addr()?.port());
    page::BUILD.run(|| page::build(workspace)).1?;
    let site = Site::new(listener, workspace.dist())?;
    say!("\nThe page is at {address} (Ctrl-C stops it).");
    say!(
        "After a change, run `cargo xtask build` in another terminal and reload: the page offers the new version."
    );
    if asked.open {
        open(&address);
    }
    site.run()
}

/// The first free port from `wanted` on, with what `bind` made of it.
fn choose_port<T>(wanted: u16, mut bind: impl FnMut(u16) -> io::Result<T>) -> Result<(T, u16)> {
    for port in wanted..=wanted.saturating_add(NEXT_PORTS) {
        match bind(port) {
            Ok(bound) => return Ok((bound, port)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => {
                return Err(error).with_context(|| {
                    format!("port {port} cannot be used: choose another with `cargo xtask serve --port N`")
                });
            }
        }
    }
    bail!(
        "port {wanted} and the {NEXT_PORTS} after it are taken: choose another with `cargo xtask serve --port N`"
    )
}

/// Shows the page in the person's browser. Without one, the printed address is all there is.
fn open(address: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    if let Err(error) = Command::new(opener).arg(address).spawn() {
        say!("No browser could be opened ({opener}: {error}): open {address} by hand.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken() -> io::Result<u16> {
        Err(io::ErrorKind::AddrInUse.into())
    }

    #[test]
    fn a_free_port_is_taken_as_wanted() -> Result<()> {
        assert_eq!(choose_port(8080, Ok)?, (8080, 8080));
        Ok(())
    }

    #[test]
    fn the_next_free_port_is_taken_when_the_wanted_one_is_not_free() -> Result<()> {
        let bind = |port| if port < 8083 { taken() } else { Ok(port) };
        assert_eq!(choose_port(8080, bind)?, (8083, 8083));
        Ok(())
    }

    #[test]
    fn it_ends_where_ports_end() {
        let mut tried = Vec::new();
        let result = choose_port(65_530, |port| {
            tried.push(port);
            taken()
        });
        assert!(result.is_err_and(|error| error.to_string().contains("65530 and the 20 after")));
        assert_eq!(tried, (65_530..=65_535).collect::<Vec<_>>());
    }

    #[test]
    fn a_port_that_is_not_allowed_is_an_error_and_no_other_is_tried() {
        let mut tried = 0;
        let result = choose_port(80, |_| -> io::Result<()> {
            tried += 1;
            Err(io::ErrorKind::PermissionDenied.into())
        });
        assert!(result.is_err_and(|error| error.to_string().contains("port 80 cannot be used")));
        assert_eq!(tried, 1);
    }

    #[test]
    fn two_listeners_on_one_port_get_two_ports() -> Result<()> {
        let bind = |port| TcpListener::bind(("127.0.0.1", port));
        let (held, _) = choose_port(0, bind)?;
        let wanted = held.local_addr()?.port();
        let (_other, port) = choose_port(wanted, bind)?;
        assert_ne!(port, wanted);
        Ok(())
    }
}
