//! Processes that end with the test.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub struct Node {
    process: Child,
    folder: PathBuf,
}

impl Node {
    /// Starts a program in a folder of its own and waits until `is_ready`.
    pub fn start(
        name: &str,
        command: impl FnOnce(&Path) -> Command,
        mut is_ready: impl FnMut() -> bool,
    ) -> Node {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tensfer-{name}-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let mut command = command(&folder);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let process = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut node = Node { process, folder };
        let start = Instant::now();
        while !is_ready() {
            let is_over =
                node.process.try_wait().unwrap().is_some() || start.elapsed() > Duration::from_secs(60);
            assert!(!is_over, "{name}: {}", std::fs::read_to_string(node.folder.join("log")).unwrap());
            std::thread::sleep(Duration::from_millis(50));
        }
        node
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Where `tests/nodes/fetch` put the nodes.
pub fn folder() -> PathBuf {
    let folder = std::env::var_os("TENSFER_NODES").map(PathBuf::from);
    folder.unwrap_or_else(|| panic!("TENSFER_NODES is not set: run `make test-nodes`"))
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
