//! One started program: its lines on standard output, its log, its end.

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A program that runs until it ends, is told to, or its handle is dropped (SIGKILL).
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Receiver<String>,
    log: Arc<Mutex<String>>,
}

/// How a program ended, with what it had written and nobody had read.
#[derive(Debug)]
pub struct Ended {
    /// The exit code, or `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Process {
    /// Starts `command` with standard input closed and both outputs kept.
    pub fn start(command: &mut Command) -> Process {
        Process::spawn(command.stdin(Stdio::null()))
    }

    /// Starts `command` with `input` as its standard input.
    pub fn start_with_input(command: &mut Command, input: OwnedFd) -> Process {
        Process::spawn(command.stdin(Stdio::from(input)))
    }

    fn spawn(command: &mut Command) -> Process {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("standard output is piped"));
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let log = Arc::new(Mutex::new(String::new()));
        let mut stderr = BufReader::new(child.stderr.take().expect("standard error is piped"));
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while stderr.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                kept.lock().expect("no writer panics").push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        Process { child, lines, log }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line on standard output that starts with `prefix`, without the prefix.
    ///
    /// # Panics
    /// When the program ends or `limit` passes first; the message carries its log.
    pub fn line(&self, prefix: &str, limit: Duration) -> String {
        let deadline = Instant::now() + limit;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(rest) = line.strip_prefix(prefix) {
                        return rest.to_owned();
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no `{prefix}` within {limit:?}\n{}", self.log()),
                Err(RecvTimeoutError::Disconnected) => panic!("ended without `{prefix}`\n{}", self.log()),
            }
        }
    }

    /// What it wrote to standard error so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("no writer panics").clone()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(pid(self.pid()), signal).expect("the program is ours and not yet waited for");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When `limit` passes first.
    pub fn wait(mut self, limit: Duration) -> Ended {
        let deadline = Instant::now() + limit;
        let status = loop {
            match self.child.try_wait().expect("the program is our child") {
                Some(status) => break status,
                None if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
                None => panic!("still running after {limit:?}\n{}", self.log()),
            }
        };
        let stdout: Vec<String> = self.lines.iter().collect();
        // The reader of standard error holds a share of the log until it has seen the end.
        while Arc::strong_count(&self.log) > 1 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ended { code: status.code(), stdout: stdout.join("\n"), stderr: self.log() }
    }

    /// SIGTERM, then waits.
    pub fn stop(self, limit: Duration) -> Ended {
        self.signal(Signal::TERM);
        self.wait(limit)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `command` to its end with `stdin` as its standard input.
pub fn run(command: &mut Command, stdin: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut input = child.stdin.take().expect("standard input is piped");
    let stdin = stdin.to_vec();
    // A program may end without reading its input; and it may write more than a pipe holds before it reads.
    let writer = std::thread::spawn(move || {
        let _ = input.write_all(&stdin);
    });
    let mut stderr = child.stderr.take().expect("standard error is piped");
    let log = std::thread::spawn(move || {
        let mut log = Vec::new();
        let _ = stderr.read_to_end(&mut log);
        log
    });
    let mut output = child.wait_with_output().expect("the program is our child");
    writer.join().expect("the writer does not panic");
    output.stderr = log.join().expect("the reader does not panic");
    output
}

pub(crate) fn pid(number: u32) -> Pid {
    i32::try_from(number).ok().and_then(Pid::from_raw).expect("a process id")
}
