//! Whether the recorder, confined as the configuration says, could reach a camera at all: told before anything is asked of it.

use super::Context;
use recorder::source::CameraUrl;
use std::net::IpAddr;

/// Errors: why not, and what to change.
pub fn check(context: &Context<'_>, url: &CameraUrl) -> Result<(), String> {
    let cameras = &context.config.cameras;
    let port = url.port();
    if !cameras.ports.parse::<confine::Ports>().is_ok_and(|ports| ports.contains(port)) {
        let ports = &cameras.ports;
        return Err(context.pick(
            format!("l'enregistreur ne peut se connecter qu'aux ports {ports} : ajoutez {port} à `cameras.ports`, puis redémarrez Vigie"),
            format!("the recorder can connect to the ports {ports} only: add {port} to `cameras.ports`, then start Vigie again"),
        ));
    }
    let host = url.host();
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    if host.parse::<IpAddr>().is_ok() || cameras.names == "dns" || names(&hosts, host) {
        return Ok(());
    }
    Err(context.pick(
        format!("l'enregistreur ne demande pas le nom `{host}` au DNS : donnez l'adresse IP de la caméra, inscrivez ce nom dans /etc/hosts, ou mettez `cameras.names = \"dns\"`"),
        format!("the recorder does not ask the DNS for `{host}`: give the camera's IP address, write this name in /etc/hosts, or set `cameras.names = \"dns\"`"),
    ))
}

/// Whether a text in the form of hosts(5) knows this name.
fn names(hosts: &str, host: &str) -> bool {
    let lines = hosts.lines().filter_map(|line| line.split('#').next());
    lines.flat_map(|line| line.split_whitespace().skip(1)).any(|name| name.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_by_the_hosts_file_whatever_its_letters_and_not_by_a_comment() {
        let hosts = "127.0.0.1 localhost\n10.0.0.7\tcam-mairie Cam-Nord # cam-sud\n# 10.0.0.8 cam-est\n";
        for (host, known) in
            [("cam-mairie", true), ("CAM-NORD", true), ("cam-sud", false), ("cam-est", false), ("10.0.0.7", false)]
        {
            assert_eq!(names(hosts, host), known, "{host}");
        }
    }
}
