//! Room that strangers share, and who gives theirs up when there is none left: for bodies that are being read (in bytes),
//! handshakes and connections (by number).
//!
//! A claim reserves nothing, so what is slow costs what it has brought. When the room is full, somebody gives way: of the
//! network that holds most, whoever has gone longest without getting on. Behind a proxy everybody has one address, and no
//! header is asked who they are; then progress alone decides. So whoever gets on gets in, however many dawdle.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

#[derive(Debug)]
pub struct Room {
    /// What may be held over all guests.
    most: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    held: usize,
    next_guest: u64,
    /// Turns ascend: whoever has the lowest has gone longest without getting on.
    next_turn: u64,
    guests: HashMap<u64, Guest>,
    networks: HashMap<IpAddr, Network>,
    /// Networks of which somebody could give way; who is asked next is last.
    rank: BTreeSet<Rank>,
}

/// What the network holds, its lowest turn, and which it is.
type Rank = (usize, Reverse<u64>, IpAddr);

#[derive(Debug)]
struct Guest {
    /// A subscriber's address or network.
    network: IpAddr,
    held: usize,
    turn: u64,
    /// What it is about that must not be broken off. It gives way only when this is 0.
    tasks: u32,
    /// Dropped to tell it that it gave way.
    _stays: oneshot::Sender<()>,
}

#[derive(Debug, Default)]
struct Network {
    guests: usize,
    held: usize,
    /// Turns of those who hold something and could give way, and who they are.
    turns: BTreeMap<u64, u64>,
}

/// One guest's place; its room is given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    room: Arc<Room>,
    number: u64,
}

/// Tells one guest that it gave way.
#[derive(Debug)]
pub struct Notice(oneshot::Receiver<()>);

/// It gave way to others, or is by itself more than fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaveWay;

impl Room {
    pub fn new(most: usize) -> Arc<Room> {
        Arc::new(Room { most, table: Mutex::default() })
    }

    /// A place that holds this much from the beginning. Others may have to give way for it; where nobody can, it does itself.
    pub fn enter(self: &Arc<Room>, network: IpAddr, held: usize) -> (Place, Notice) {
        let (stays, notice) = oneshot::channel();
        let mut table = self.table();
        let number = table.next_guest;
        table.next_guest += 1;
        let turn = table.turn();
        table.guests.insert(number, Guest { network, held: 0, turn, tasks: 0, _stays: stays });
        table.networks.entry(network).or_default().guests += 1;
        table.grow(number, held);
        table.make_room(self.most);
        (Place { room: Arc::clone(self), number }, Notice(notice))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Takes more room. Others may have to give way for it, or this one itself.
    pub fn grow(&self, by: usize) -> Result<(), GaveWay> {
        let mut table = self.room.table();
        table.grow(self.number, by);
        table.make_room(self.room.most);
        if table.guests.contains_key(&self.number) { Ok(()) } else { Err(GaveWay) }
    }

    /// It got on: everybody else is now longer without that.
    pub fn advance(&self) {
        self.room.table().change(self.number, |_| {});
    }

    /// It does not give way before [`Place::end_task`], as often as this was called.
    pub fn begin_task(&self) {
        self.room.table().change(self.number, |guest| guest.tasks += 1);
    }

    pub fn end_task(&self) {
        self.room.table().change(self.number, |guest| guest.tasks = guest.tasks.saturating_sub(1));
    }
}

impl Notice {
    /// Waits until the guest has given way.
    pub async fn gave_way(&mut self) {
        // Nothing is ever sent: the other end is dropped.
        let _ = (&mut self.0).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.table().remove(self.number);
    }
}

impl Table {
    fn turn(&mut self) -> u64 {
        self.next_turn += 1;
        self.next_turn
    }

    /// Changes a guest that is there, without a new turn.
    fn grow(&mut self, number: u64, by: usize) {
        let Some(guest) = self.guests.get_mut(&number) else { return };
        guest.held += by;
        self.held += by;
        let (turn, network, may_give_way) = (guest.turn, guest.network, guest.gives_way());
        self.ranked(network, |network| {
            network.held += by;
            if may_give_way {
                network.turns.insert(turn, number);
            }
        });
    }

    /// Changes a guest that is there, and gives it a new turn.
    fn change(&mut self, number: u64, change: impl FnOnce(&mut Guest)) {
        let turn = self.turn();
        let Some(guest) = self.guests.get_mut(&number) else { return };
        let before = std::mem::replace(&mut guest.turn, turn);
        change(guest);
        let (network, may_give_way) = (guest.network, guest.gives_way());
        self.ranked(network, |network| {
            network.turns.remove(&before);
            if may_give_way {
                network.turns.insert(turn, number);
            }
        });
    }

    fn remove(&mut self, number: u64) {
        let Some(guest) = self.guests.remove(&number) else { return };
        self.held -= guest.held;
        self.ranked(guest.network, |network| {
            network.guests -= 1;
            network.held -= guest.held;
            network.turns.remove(&guest.turn);
        });
        if self.networks.get(&guest.network).is_some_and(|network| network.guests == 0) {
            self.networks.remove(&guest.network);
        }
    }

    fn make_room(&mut self, most: usize) {
        while self.held > most {
            let Some(next) = self.next_to_give_way() else { break };
            self.remove(next);
        }
    }

    fn next_to_give_way(&self) -> Option<u64> {
        let (_, _, address) = self.rank.last()?;
        self.networks.get(address)?.turns.first_key_value().map(|(_, number)| *number)
    }

    /// Changes a network, whose rank follows.
    fn ranked(&mut self, address: IpAddr, change: impl FnOnce(&mut Network)) {
        let Some(network) = self.networks.get_mut(&address) else { return };
        let before = network.rank(address);
        change(network);
        let after = network.rank(address);
        if before != after {
            before.map(|rank| self.rank.remove(&rank));
            after.map(|rank| self.rank.insert(rank));
        }
    }
}

impl Guest {
    /// One that holds nothing would give nothing.
    fn gives_way(&self) -> bool {
        self.tasks == 0 && self.held > 0
    }
}

impl Network {
    fn rank(&self, address: IpAddr) -> Option<Rank> {
        let (turn, _) = self.turns.first_key_value()?;
        Some((self.held, Reverse(*turn), address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn enter(room: &Arc<Room>, last: u8, held: usize) -> Place {
        room.enter(peer(last), held).0
    }

    fn is_empty(room: &Room) -> bool {
        let table = room.table();
        table.held == 0 && table.guests.is_empty() && table.networks.is_empty() && table.rank.is_empty()
    }

    #[test]
    fn an_upload_costs_what_it_has_sent_and_gives_it_back() {
        let room = Room::new(100);
        let places: Vec<Place> = (0..1000).map(|_| enter(&room, 1, 0)).collect();
        assert!(places.iter().take(100).all(|place| place.grow(1).is_ok()));
        drop(places);
        assert!(is_empty(&room));
        assert_eq!(enter(&room, 1, 0).grow(100), Ok(()));
    }

    #[test]
    fn when_there_is_no_room_who_brings_nothing_gives_way() {
        let room = Room::new(100);
        let [slower, slow, quick] = [25, 50, 25].map(|held| enter(&room, 1, held));
        slow.advance();
        quick.advance();
        let newcomer = enter(&room, 1, 0);
        assert_eq!(newcomer.grow(15), Ok(()));
        assert_eq!(slower.grow(0), Err(GaveWay));
        assert_eq!((slow.grow(0), quick.grow(0)), (Ok(()), Ok(())));
        assert_eq!(room.table().held, 90);
        // The slowest that is left asks for more: it is its own turn.
        assert_eq!(slow.grow(20), Err(GaveWay));
        assert_eq!(room.table().held, 40);
    }

    #[test]
    fn the_address_that_holds_most_gives_way_however_slow_the_others_are() {
        let room = Room::new(100);
        let other = enter(&room, 2, 10);
        let hogs: Vec<Place> = (0..20).map(|_| enter(&room, 1, 0)).collect();
        let stayed = hogs.iter().filter(|hog| hog.grow(10).is_ok()).count();
        assert_eq!(stayed, 20, "each newcomer gets in; older ones gave way");
        assert_eq!(other.grow(5), Ok(()));
        assert!(room.table().held <= 100);
    }

    #[test]
    fn of_networks_that_hold_the_same_the_one_that_waits_longest_gives_way() {
        let room = Room::new(3);
        let [first, second, third] = [9, 1, 5].map(|last| enter(&room, last, 1));
        first.advance();
        let newcomer = enter(&room, 7, 1);
        assert_eq!(second.grow(0), Err(GaveWay));
        for stays in [first, third, newcomer] {
            assert_eq!(stays.grow(0), Ok(()));
        }
    }

    #[test]
    fn who_is_about_something_stays_and_where_all_are_the_newcomer_goes() {
        let room = Room::new(2);
        let [one, other] = [1, 1].map(|last| enter(&room, last, 1));
        one.begin_task();
        one.begin_task();
        other.begin_task();
        assert_eq!(enter(&room, 2, 1).grow(0), Err(GaveWay));
        one.end_task();
        assert_eq!(enter(&room, 2, 1).grow(0), Err(GaveWay));
        one.end_task();
        let newcomer = enter(&room, 2, 1);
        assert_eq!((one.grow(0), other.grow(0), newcomer.grow(0)), (Err(GaveWay), Ok(()), Ok(())));
        drop((one, other, newcomer));
        assert!(is_empty(&room));
    }

    #[tokio::test]
    async fn who_gave_way_is_told() {
        let room = Room::new(1);
        let (_place, mut notice) = room.enter(peer(1), 1);
        let _newcomer = enter(&room, 1, 1);
        notice.gave_way().await;
    }

    #[test]
    fn one_that_is_more_than_fits_gives_way_itself() {
        let room = Room::new(100);
        assert_eq!(enter(&room, 1, 0).grow(101), Err(GaveWay));
        assert!(is_empty(&room));
    }
}
