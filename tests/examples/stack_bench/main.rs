//! Drives a whole stack over loopback for `make bench`; each part prints one JSON object.
//!
//! `stack_bench start`: from starting `tensfer up` to the first answered request, and the memory of its processes.
//! `stack_bench load`: 1,000 `balances` of 1,000 owners in flight.
//! `stack_bench latency`: what `balances` adds to the provider calls that it makes.
//! `stack_bench commit`: what it takes to commit a head.
//! `stack_bench portfolio`: `tensfer balances` over 100 connections.
//! Build everything in release first: `make build`.

mod account;
mod client;
mod commit;
mod http;
mod latency;
mod load;
mod machine;
mod owner;
mod portfolio;
mod start;

use serde_json::json;

fn main() {
    let part = std::env::args().nth(1).unwrap_or_default();
    let report = match part.as_str() {
        "start" => json!(start::measure()),
        "load" => json!(load::measure()),
        "latency" => json!(latency::measure()),
        "commit" => json!(commit::measure()),
        "portfolio" => json!(portfolio::measure()),
        _ => {
            eprintln!("usage: stack_bench start|load|latency|commit|portfolio");
            std::process::exit(2);
        }
    };
    println!("{report}");
}
