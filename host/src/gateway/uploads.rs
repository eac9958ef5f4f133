//! Room for the bodies that are being read: taken as bytes arrive, and given back by who brings none.
//!
//! A claim reserves nothing, so a slow upload costs what it has sent. When the room is full, an upload gives way: of the
//! address that holds most, the one that has gone longest without bringing a stride of bytes. Behind a proxy everybody
//! has one address, and no header is asked who they are; then progress alone decides. So whoever sends a whole request
//! at once gets in, however many dawdle.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::oneshot;

#[derive(Debug)]
pub struct Uploads {
    /// Bytes that may be held over all of them.
    most: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    held: usize,
    next: u64,
    uploads: HashMap<u64, Upload>,
}

#[derive(Debug)]
struct Upload {
    /// A subscriber's address or network.
    peer: IpAddr,
    held: usize,
    /// When the last stride was complete.
    since: Instant,
    /// Dropped to tell it that it gave way.
    _stays: oneshot::Sender<()>,
}

/// One upload's place; its room is given back when it is dropped.
#[derive(Debug)]
pub struct Place<'u> {
    uploads: &'u Uploads,
    number: u64,
    gave_way: oneshot::Receiver<()>,
}

/// It gave way to others, or is by itself more than fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaveWay;

impl Uploads {
    pub fn new(most: usize) -> Uploads {
        Uploads { most, table: Mutex::default() }
    }

    /// A place without any room yet.
    pub fn begin(&self, peer: IpAddr, now: Instant) -> Place<'_> {
        let (stays, gave_way) = oneshot::channel();
        let mut table = self.table();
        let number = table.next;
        table.next += 1;
        table.uploads.insert(number, Upload { peer, held: 0, since: now, _stays: stays });
        Place { uploads: self, number, gave_way }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// Takes room for bytes that arrived. Others may have to give way for it, or this one itself.
    pub fn grow(&self, bytes: usize) -> Result<(), GaveWay> {
        let mut table = self.uploads.table();
        let upload = table.uploads.get_mut(&self.number).ok_or(GaveWay)?;
        upload.held += bytes;
        table.held += bytes;
        while table.held > self.uploads.most {
            let Some(slowest) = table.slowest() else { break };
            table.remove(slowest);
        }
        if table.uploads.contains_key(&self.number) { Ok(()) } else { Err(GaveWay) }
    }

    /// A stride of bytes is complete.
    pub fn advance(&self, now: Instant) {
        if let Some(upload) = self.uploads.table().uploads.get_mut(&self.number) {
            upload.since = now;
        }
    }

    /// Waits until this upload has given way.
    pub async fn gave_way(&mut self) {
        // Nothing is ever sent: the other end is dropped.
        let _ = (&mut self.gave_way).await;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.uploads.table().remove(self.number);
    }
}

impl Table {
    fn remove(&mut self, number: u64) {
        if let Some(upload) = self.uploads.remove(&number) {
            self.held -= upload.held;
        }
    }

    /// Who gives way first. One that holds nothing would give nothing.
    fn slowest(&self) -> Option<u64> {
        let mut by_peer = HashMap::<IpAddr, usize>::new();
        for upload in self.uploads.values() {
            *by_peer.entry(upload.peer).or_default() += upload.held;
        }
        let (most, _) = by_peer.into_iter().max_by_key(|(_, held)| *held)?;
        let holds = |upload: &Upload| upload.peer == most && upload.held > 0;
        let candidates = self.uploads.iter().filter(|(_, upload)| holds(upload));
        candidates.min_by_key(|(_, upload)| upload.since).map(|(number, _)| *number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn peer(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn an_upload_costs_what_it_has_sent_and_gives_it_back() {
        let uploads = Uploads::new(100);
        let now = Instant::now();
        let places: Vec<Place<'_>> = (0..1000).map(|_| uploads.begin(peer(1), now)).collect();
        assert!(places.iter().take(100).all(|place| place.grow(1).is_ok()));
        drop(places);
        assert!(uploads.table().uploads.is_empty());
        assert_eq!(uploads.table().held, 0);
        assert_eq!(uploads.begin(peer(1), now).grow(100), Ok(()));
    }

    #[test]
    fn when_there_is_no_room_who_brings_nothing_gives_way() {
        let uploads = Uploads::new(100);
        let start = Instant::now();
        let [slow, slower, quick] = [1, 0, 2].map(|second| {
            let place = uploads.begin(peer(1), start);
            place.grow(50 - 25 * usize::from(second > 0)).unwrap();
            place.advance(start + Duration::from_secs(second));
            place
        });
        let newcomer = uploads.begin(peer(1), start + Duration::from_secs(3));
        assert_eq!(newcomer.grow(40), Ok(()));
        assert_eq!(slower.grow(0), Err(GaveWay));
        assert_eq!((slow.grow(0), quick.grow(0)), (Ok(()), Ok(())));
        assert_eq!(uploads.table().held, 90);
        // The slowest that is left asks for more: it is its own turn.
        assert_eq!(slow.grow(20), Err(GaveWay));
        assert_eq!(uploads.table().held, 65);
    }

    #[test]
    fn the_address_that_holds_most_gives_way_however_slow_the_others_are() {
        let uploads = Uploads::new(100);
        let start = Instant::now();
        let other = uploads.begin(peer(2), start);
        other.grow(10).unwrap();
        let later = |second: u64| start + Duration::from_secs(9 + second);
        let hogs: Vec<Place<'_>> = (0_u64..20).map(|second| uploads.begin(peer(1), later(second))).collect();
        let stayed = hogs.iter().filter(|hog| hog.grow(10).is_ok()).count();
        assert_eq!(stayed, 20, "each newcomer gets in; older ones gave way");
        assert_eq!(other.grow(5), Ok(()));
        assert!(uploads.table().held <= 100);
    }

    #[test]
    fn one_that_is_more_than_fits_gives_way_itself() {
        let uploads = Uploads::new(100);
        assert_eq!(uploads.begin(peer(1), Instant::now()).grow(101), Err(GaveWay));
        assert_eq!(uploads.table().held, 0);
    }
}
