//! The relay between a scripted enclave and scripted callers.

use super::{Ended, Relay};
use crate::calls::{DONE, Operation, Role};
use crate::egress::{Allow, Egress};
use crate::testing::{Folder, next, soon, workload};
use crate::transport::{Connection, Message, Reader, connect, frame};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, UnixStream};
use tokio::task::JoinHandle;
use wire::Refusal;
use wire::frame::Kind;

/// A relay that runs, and the enclave's end of its channel.
struct Rig {
    folder: Folder,
    from_relay: Reader<OwnedReadHalf>,
    to_relay: OwnedWriteHalf,
    relay: JoinHandle<Ended>,
}

impl Rig {
    fn start() -> Rig {
        let folder = Folder::new();
        let (host, enclave) = UnixStream::pair().unwrap();
        let (run, register) = (folder.path().to_path_buf(), folder.path().join("register"));
        let relay = Relay::bind(host, workload(Role::Relay), run, register, Vec::new()).unwrap();
        let (reader, to_relay) = enclave.into_split();
        Rig { folder, from_relay: Reader::new(reader), to_relay, relay: tokio::spawn(relay.serve()) }
    }

    async fn caller(&self, role: Role) -> Connection {
        connect(&self.folder.address(), &workload(role), Role::Relay).await.unwrap()
    }

    async fn say(&mut self, kind: Kind, stream: u32, body: &[u8]) {
        self.to_relay.write_all(&frame(kind as u8, stream, body).unwrap()).await.unwrap();
    }

    async fn hear(&mut self) -> Message {
        next(&mut self.from_relay).await.expect("the channel lives")
    }
}

async fn ask(connection: &mut Connection, operation: Operation, stream: u32, body: &[u8]) {
    connection.writer.write_all(&frame(operation as u8, stream, body).unwrap()).await.unwrap();
}

#[tokio::test]
async fn each_answer_goes_to_the_caller_and_the_stream_that_asked() {
    let mut rig = Rig::start();
    let mut one = rig.caller(Role::Gateway).await;
    let mut two = rig.caller(Role::Gateway).await;
    ask(&mut one, Operation::Attest, 9, b"nonce").await;
    let first = rig.hear().await;
    ask(&mut two, Operation::Request, 9, b"sealed").await;
    let second = rig.hear().await;
    assert_eq!((first.number, &first.body[..]), (Kind::Attest as u8, &b"nonce"[..]));
    assert_eq!((second.number, &second.body[..]), (Kind::Request as u8, &b"sealed"[..]));
    rig.say(Kind::Reply, second.stream, b"two").await;
    rig.say(Kind::Evidence, first.stream, b"one").await;
    let (answer_one, answer_two) =
        (next(&mut one.answers).await.unwrap(), next(&mut two.answers).await.unwrap());
    assert_eq!(
        (answer_one.number, answer_one.stream, &answer_one.body[..]),
        (Kind::Evidence as u8, 9, &b"one"[..])
    );
    assert_eq!(
        (answer_two.number, answer_two.stream, &answer_two.body[..]),
        (Kind::Reply as u8, 9, &b"two"[..])
    );
}

#[tokio::test]
async fn the_claimed_time_is_fresh_and_comes_before_each_request() {
    let mut rig = Rig::start();
    let mut caller = rig.caller(Role::Gateway).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        let asked = crate::clock::now().0;
        ask(&mut caller, Operation::Request, 0, b"").await;
        let mut claimed = 0;
        let request = loop {
            let message = soon(rig.from_relay.next()).await.unwrap().unwrap();
            if message.number != Kind::Time as u8 {
                break message;
            }
            claimed = u64::from_be_bytes(message.body[..].try_into().unwrap());
        };
        assert!(claimed + 25 > asked, "claimed {claimed}, asked at {asked}");
        rig.say(Kind::Reply, request.stream, b"").await;
        next(&mut caller.answers).await.unwrap();
    }
    // And without anyone asking.
    for _ in 0..3 {
        let tick = soon(rig.from_relay.next()).await;
        assert_eq!(tick.unwrap().unwrap().number, Kind::Time as u8);
    }
}

#[tokio::test]
async fn a_cancelled_request_is_cancelled_inside_and_its_late_answer_goes_nowhere() {
    let mut rig = Rig::start();
    let mut caller = rig.caller(Role::Gateway).await;
    ask(&mut caller, Operation::Request, 1, b"").await;
    let request = rig.hear().await;
    ask(&mut caller, Operation::Cancel, 1, b"").await;
    let cancel = rig.hear().await;
    assert_eq!((cancel.number, cancel.stream), (Kind::Cancel as u8, request.stream));
    rig.say(Kind::Reply, request.stream, b"late").await;
    ask(&mut caller, Operation::Request, 2, b"").await;
    let request = rig.hear().await;
    rig.say(Kind::Reply, request.stream, b"in time").await;
    assert_eq!(&next(&mut caller.answers).await.unwrap().body[..], b"in time");
}

#[tokio::test]
async fn a_caller_that_leaves_has_its_requests_cancelled() {
    let mut rig = Rig::start();
    let mut caller = rig.caller(Role::Gateway).await;
    ask(&mut caller, Operation::Request, 1, b"").await;
    let request = rig.hear().await;
    drop(caller);
    let cancel = rig.hear().await;
    assert_eq!((cancel.number, cancel.stream), (Kind::Cancel as u8, request.stream));
}

#[tokio::test]
async fn a_flood_is_refused_as_overloaded_and_not_kept() {
    let mut rig = Rig::start();
    let mut caller = rig.caller(Role::Gateway).await;
    let most = u32::try_from(super::pending::MOST).unwrap();
    let enclave = tokio::spawn(async move {
        for _ in 0..most {
            next(&mut rig.from_relay).await.unwrap();
        }
        rig
    });
    for stream in 0..=most {
        ask(&mut caller, Operation::Attest, stream, b"").await;
    }
    let refused = next(&mut caller.answers).await.unwrap();
    assert_eq!((refused.number, refused.stream), (Kind::Refused as u8, most));
    assert_eq!(&refused.body[..], Refusal::Overloaded.number().to_be_bytes());
    drop(soon(enclave).await.unwrap());
}

#[tokio::test]
async fn every_call_that_the_table_does_not_list_closes_the_connection_and_reaches_nobody() {
    let mut rig = Rig::start();
    for role in Role::ALL {
        for operation in Operation::ALL {
            if crate::calls::admit(*role, Role::Relay, *operation as u8).is_ok() {
                continue;
            }
            let mut caller = rig.caller(*role).await;
            ask(&mut caller, *operation, 1, b"").await;
            assert!(matches!(soon(caller.answers.next()).await, Ok(None) | Err(_)), "{role:?} {operation:?}");
        }
    }
    let mut gateway = rig.caller(Role::Gateway).await;
    ask(&mut gateway, Operation::Attest, 1, b"the only one").await;
    assert_eq!(&rig.hear().await.body[..], b"the only one");
}

#[tokio::test]
async fn a_lost_channel_ends_the_relay_and_its_callers_see_it() {
    let rig = Rig::start();
    let mut caller = rig.caller(Role::Gateway).await;
    ask(&mut caller, Operation::Request, 1, b"").await;
    drop((rig.from_relay, rig.to_relay));
    assert!(matches!(soon(rig.relay).await.unwrap(), Ended::EnclaveGone));
    assert!(matches!(soon(caller.answers.next()).await, Ok(None) | Err(_)));
}

#[tokio::test]
async fn garbage_from_the_enclave_ends_the_relay() {
    let too_long = [0xff; 9].to_vec();
    let no_kind = frame(0x7f, 0, b"").unwrap().to_vec();
    let the_hosts = frame(Kind::Request as u8, 0, b"").unwrap().to_vec();
    let ready_again = frame(Kind::Ready as u8, 0, b"").unwrap().to_vec();
    for garbage in [too_long, no_kind, the_hosts, ready_again] {
        let mut rig = Rig::start();
        rig.to_relay.write_all(&garbage).await.unwrap();
        assert!(matches!(soon(rig.relay).await.unwrap(), Ended::EnclaveGarbage), "{garbage:?}");
    }
    let mut rig = Rig::start();
    rig.to_relay.write_all(&[0, 0, 0, 9, 0x83]).await.unwrap();
    drop((rig.from_relay, rig.to_relay));
    assert!(matches!(soon(rig.relay).await.unwrap(), Ended::EnclaveGone));
}

#[tokio::test]
async fn an_answer_to_nobody_is_dropped() {
    let mut rig = Rig::start();
    rig.say(Kind::Reply, 77, b"unasked").await;
    rig.say(Kind::EgressSend, 77, b"unopened").await;
    let mut caller = rig.caller(Role::Gateway).await;
    ask(&mut caller, Operation::Attest, 1, b"").await;
    let request = rig.hear().await;
    rig.say(Kind::Evidence, request.stream, b"asked").await;
    assert_eq!(&next(&mut caller.answers).await.unwrap().body[..], b"asked");
}

#[tokio::test]
async fn while_the_channel_is_lent_the_relay_writes_nothing_to_it() {
    let mut rig = Rig::start();
    let mut up = rig.caller(Role::Up).await;
    let mut gateway = rig.caller(Role::Gateway).await;
    ask(&mut up, Operation::LendChannel, 0, b"").await;
    assert_eq!(next(&mut up.answers).await.unwrap().number, DONE);
    while tokio::time::timeout(Duration::from_millis(50), rig.from_relay.next()).await.is_ok() {}
    ask(&mut gateway, Operation::Attest, 1, b"").await;
    let silent = tokio::time::timeout(Duration::from_millis(600), rig.from_relay.next()).await;
    assert!(silent.is_err(), "{silent:?}");
    ask(&mut up, Operation::ReturnChannel, 1, b"a nonce").await;
    let waiting = rig.hear().await;
    assert_eq!((waiting.number, waiting.body.len()), (Kind::Attest as u8, 0));
    // The enclave is asked who it is now: it answers when it has taken the frame that was written meanwhile.
    let asked = rig.hear().await;
    assert_eq!((asked.number, &asked.body[..]), (Kind::Attest as u8, &b"a nonce"[..]));
    rig.say(Kind::Evidence, asked.stream, b"evidence").await;
    let returned = next(&mut up.answers).await.unwrap();
    assert_eq!((returned.number, returned.stream), (Kind::Evidence as u8, 1));
}

#[tokio::test]
async fn a_borrower_that_dies_returns_the_channel() {
    let mut rig = Rig::start();
    let mut up = rig.caller(Role::Up).await;
    ask(&mut up, Operation::LendChannel, 0, b"").await;
    next(&mut up.answers).await.unwrap();
    drop(up);
    let mut gateway = rig.caller(Role::Gateway).await;
    ask(&mut gateway, Operation::Attest, 1, b"").await;
    assert_eq!(rig.hear().await.number, Kind::Attest as u8);
}

#[tokio::test]
async fn bytes_reach_a_provider_and_come_back() {
    let provider = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = provider.local_addr().unwrap().port();
    let mut rig = Rig::start();
    let egress = Egress::bind(&rig.folder.address(), workload(Role::Egress), Allow::Sandbox(port)).unwrap();
    let egress = tokio::spawn(egress.serve());
    rig.say(Kind::EgressOpen, 5, b"\x01\xbbapi.kraken.com.sandbox.test").await;
    let (mut accepted, _) = soon(provider.accept()).await.unwrap();
    assert_eq!(rig.hear().await.number, Kind::EgressConnected as u8);
    rig.say(Kind::EgressSend, 5, b"hello").await;
    let mut heard = [0; 5];
    soon(accepted.read_exact(&mut heard)).await.unwrap();
    accepted.write_all(&heard).await.unwrap();
    let received = rig.hear().await;
    assert_eq!(
        (received.number, received.stream, &received.body[..]),
        (Kind::EgressReceived as u8, 5, &b"hello"[..])
    );
    drop(accepted);
    let gone = rig.hear().await;
    assert_eq!((gone.number, gone.stream), (Kind::EgressGone as u8, 5));
    egress.abort();
}

#[tokio::test]
async fn every_stream_is_gone_with_egress_and_the_next_one_finds_it_again() {
    let provider = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let allow = Allow::Sandbox(provider.local_addr().unwrap().port());
    let mut rig = Rig::start();
    let target = b"\x01\xbba.sandbox.test";
    rig.say(Kind::EgressOpen, 1, target).await;
    let gone = rig.hear().await;
    assert_eq!((gone.number, gone.stream), (Kind::EgressGone as u8, 1), "no egress yet");
    let egress = tokio::spawn(
        Egress::bind(&rig.folder.address(), workload(Role::Egress), allow.clone()).unwrap().serve(),
    );
    rig.say(Kind::EgressOpen, 2, target).await;
    assert_eq!(rig.hear().await.number, Kind::EgressConnected as u8);
    egress.abort();
    let gone = rig.hear().await;
    assert_eq!((gone.number, gone.stream), (Kind::EgressGone as u8, 2));
    let egress =
        tokio::spawn(Egress::bind(&rig.folder.address(), workload(Role::Egress), allow).unwrap().serve());
    rig.say(Kind::EgressOpen, 3, target).await;
    let connected = rig.hear().await;
    assert_eq!((connected.number, connected.stream), (Kind::EgressConnected as u8, 3));
    egress.abort();
}
