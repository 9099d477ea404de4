//! nginx as a proxy that caches, from Debian's package.

use std::{fs, process::Command};

use tempfile::TempDir;

use crate::process::{ReservedPort, Running, find};

/// An nginx in front of a server, which caches what it may, of every method: ended with this value.
#[derive(Debug)]
pub struct NginxCache {
    port: ReservedPort,
    folder: TempDir,
    running: Option<Running>,
}

impl NginxCache {
    /// Reserves the port of one, which does not run yet: the server behind it may have to know where it is. `is_missing("nginx")` says whether one
    /// can run here.
    ///
    /// # Panics
    ///
    /// If there is no port, or no folder.
    #[must_use]
    pub fn reserve() -> Self {
        Self { port: ReservedPort::new(), folder: TempDir::new().expect("a folder"), running: None }
    }

    /// Its URL, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    /// Starts it in front of that port of 127.0.0.1, with these lines in its configuration. In every answer, `X-Cache` says what the cache did: `HIT` is
    /// an answer from the cache. An answer is found by its path and query alone.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start_before(&mut self, behind: u16, lines: &str) {
        let (folder, port) = (self.folder.path(), self.port.number());
        let path = folder.display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary: String = temporary.map(|kind| format!("{kind}_temp_path {path}/{kind};\n")).concat();
        // One process: there is none that would outlive it.
        let settings = format!(
            "daemon off;\nmaster_process off;\npid {path}/pid;\nerror_log {path}/log warn;\nevents {{ worker_connections 64; }}\n\
             http {{\naccess_log off;\n{temporary}proxy_cache_path {path}/cache keys_zone=all:1m;\n\
             server {{\nlisten 127.0.0.1:{port};\nlocation / {{\nproxy_pass http://127.0.0.1:{behind};\n\
             proxy_set_header Host $http_host;\nproxy_cache all;\nproxy_cache_methods GET HEAD POST;\n\
             proxy_cache_key $uri$is_args$args;\nadd_header X-Cache $upstream_cache_status always;\n{lines}\n}}\n}}\n}}\n"
        );
        fs::write(folder.join("nginx.conf"), settings).expect("a file");
        let mut command = Command::new(find("nginx").expect("nginx"));
        command.arg("-c").arg(folder.join("nginx.conf")).arg("-p").arg(folder);
        self.running = Some(Running::start(command, port, folder));
    }
}
