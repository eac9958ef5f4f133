//! CPU time of the calling thread: what other processes take from the machine does not count.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// What `work` used.
pub fn time(work: impl FnOnce()) -> Duration {
    let start = used();
    work();
    used().saturating_sub(start)
}

fn used() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
