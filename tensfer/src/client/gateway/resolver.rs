//! The server's name, looked up once in a command: a hundred accounts are asked at once, and each look-up costs a thread.

use std::sync::{Mutex, PoisonError};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// For an agent that asks one server. What could not be found is looked up again.
#[derive(Debug, Default)]
pub struct Once<R = DefaultResolver> {
    found: Mutex<Option<ResolvedSocketAddrs>>,
    resolver: R,
}

impl<R: Resolver> Resolver for Once<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = || self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let known = found().clone();
        if let Some(addresses) = known {
            return Ok(addresses);
        }
        // Not under the lock: whoever waits here has a time limit of its own.
        let addresses = self.resolver.resolve(uri, config, timeout)?;
        Ok(found().insert(addresses).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Fails the first time.
    #[derive(Debug, Default)]
    struct Counting(AtomicUsize);

    impl Resolver for Counting {
        fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
            if self.0.fetch_add(1, Ordering::Relaxed) == 0 {
                return Err(Error::HostNotFound);
            }
            let mut addresses = self.empty();
            addresses.push(([127, 0, 0, 1], 8080).into());
            Ok(addresses)
        }
    }

    #[test]
    fn a_name_that_was_found_is_looked_up_no_more_and_one_that_was_not_is() {
        let once = Once::<Counting>::default();
        let ask = || {
            let uri = Uri::from_static("http://localhost:8080");
            once.resolve(&uri, &Config::default(), NextTimeout::default())
        };
        assert!(ask().is_err());
        for _ in 0..3 {
            assert_eq!(&ask().unwrap()[..], [([127, 0, 0, 1], 8080).into()]);
        }
        assert_eq!(once.resolver.0.load(Ordering::Relaxed), 2);
    }
}
