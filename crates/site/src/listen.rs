//! Ports, and the addresses of this machine.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::SiteError;

/// How many ports after the wanted one are tried.
const NEXT_PORTS: u16 = 20;

/// Who reaches a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The programs of this machine.
    ThisMachine,
    /// Every machine that has a way to this one.
    Everyone,
}

/// Takes the first free port from `wanted` on; 0 is any.
///
/// # Errors
/// If none is free, or the port is not for this program.
pub fn listen(reach: Reach, wanted: u16) -> Result<TcpListener, SiteError> {
    choose_port(wanted, |port| match reach {
        Reach::ThisMachine => TcpListener::bind((Ipv4Addr::LOCALHOST, port)),
        Reach::Everyone => bind_everywhere(port),
    })
}

/// The first free port from `wanted` on, as `bind` made it.
fn choose_port<T>(wanted: u16, mut bind: impl FnMut(u16) -> io::Result<T>) -> Result<T, SiteError> {
    for port in wanted..=wanted.saturating_add(NEXT_PORTS) {
        match bind(port) {
            Ok(bound) => return Ok(bound),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(SiteError::Port(port, error)),
        }
    }
    Err(SiteError::Taken(wanted, NEXT_PORTS))
}

/// A listener for IPv6 and IPv4, or where there is no IPv6 for IPv4.
fn bind_everywhere(port: u16) -> io::Result<TcpListener> {
    let both = || -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_only_v6(false)?;
        // As the standard library does: a port is free again at once when its program has ended.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into())?;
        socket.listen(1024)?;
        Ok(socket.into())
    };
    match both() {
        Err(error)
            if ![io::ErrorKind::AddrInUse, io::ErrorKind::PermissionDenied]
                .contains(&error.kind()) =>
        {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))
        }
        bound => bound,
    }
}

/// The addresses under which other machines may reach this one, IPv4 first. Those that only mean something
/// together with an interface are left out, since browsers don't take them.
pub fn addresses() -> Vec<IpAddr> {
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    let is_for_others = |address: &IpAddr| match address {
        IpAddr::V4(address) => !address.is_loopback() && !address.is_unspecified(),
        IpAddr::V6(address) => {
            !address.is_loopback() && !address.is_unspecified() && !address.is_unicast_link_local()
        }
    };
    let mut addresses: Vec<IpAddr> =
        found.iter().map(if_addrs::Interface::ip).filter(is_for_others).collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken() -> io::Result<u16> {
        Err(io::ErrorKind::AddrInUse.into())
    }

    #[test]
    fn a_free_port_is_taken_as_wanted() {
        assert_eq!(choose_port(8080, Ok).unwrap(), 8080);
    }

    #[test]
    fn the_next_free_port_is_taken_when_the_wanted_one_is_not_free() {
        let bind = |port| if port < 8083 { taken() } else { Ok(port) };
        assert_eq!(choose_port(8080, bind).unwrap(), 8083);
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
    fn two_listeners_on_one_port_get_two_ports() {
        for reach in [Reach::ThisMachine, Reach::Everyone] {
            let held = listen(reach, 0).unwrap();
            let wanted = held.local_addr().unwrap().port();
            let other = listen(reach, wanted).unwrap();
            assert_ne!(other.local_addr().unwrap().port(), wanted, "{reach:?}");
        }
    }

    #[test]
    fn no_address_is_this_machines_own() {
        assert!(addresses().iter().all(|address| !address.is_loopback()));
    }
}
