//! nginx as others put it before a service: TLS, `auth_request` to who says yes, and on to the service, each over a kept-alive
//! connection. One worker does all of it.

use stack::{Folder, LONG};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

pub struct Nginx {
    pub port: u16,
    child: Child,
    _folder: Folder,
}

impl Nginx {
    pub fn start(certificate: &Path, key: &Path) -> Nginx {
        let folder = Folder::new();
        // Its own: it takes no port from the kernel.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration(folder.path(), port, certificate, key)).unwrap();
        let mut command = Command::new("nginx");
        command
            .arg("-c")
            .arg(&file)
            .arg("-p")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit());
        let child = command.spawn().expect("`scripts/deps nginx` installs it");
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < LONG, "nginx does not listen");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Nginx { port, child, _folder: folder }
    }

    /// The master and its worker.
    pub fn pids(&self) -> Vec<u32> {
        stack::descendants(self.child.id()).iter().map(|process| process.pid).collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

fn configuration(folder: &Path, port: u16, certificate: &Path, key: &Path) -> String {
    let (folder, certificate, key) = (folder.display(), certificate.display(), key.display());
    // Its sockets are in a folder that is ours alone.
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path {folder}/{what};\n"))
        .concat();
    format!(
        r#"
daemon off; {user} worker_processes 1; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 120s;
  {temporary}
  upstream auth {{ server unix:{folder}/auth.sock; keepalive 64; keepalive_requests 100000000; }}
  upstream service {{ server unix:{folder}/service.sock; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} ssl; server_name localhost;
    ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.3;
    location / {{
      auth_request /auth; proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection "";
    }}
    location = /auth {{
      internal; proxy_pass http://auth; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_pass_request_body off; proxy_set_header Content-Length "";
    }}
  }}
  server {{ listen unix:{folder}/auth.sock; location / {{ return 204; }} }}
  server {{
    listen unix:{folder}/service.sock;
    location / {{ default_type application/json; return 200 '{{"id":"org_0123456789abcdef0123456789abcdef","name":"Example Ltd.","created":1800000000000}}'; }}
  }}
}}
"#
    )
}
