//! Egress between a scripted relay and a provider on loopback.

use super::{Allow, Egress};
use crate::calls::{Operation, Role};
use crate::testing::{Folder, next, soon, workload};
use crate::transport::{Connection, connect, frame};
use std::collections::HashSet;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use wire::frame::Kind;

const TARGET: &[u8] = b"\x01\xbba.sandbox.test";

struct Rig {
    _folder: Folder,
    relay: Connection,
    egress: tokio::task::JoinHandle<std::io::Error>,
}

impl Rig {
    async fn start(allow: Allow) -> Rig {
        let folder = Folder::new();
        let egress =
            tokio::spawn(Egress::bind(&folder.address(), workload(Role::Egress), allow).unwrap().serve());
        let relay = connect(&folder.address(), &workload(Role::Relay), Role::Egress).await.unwrap();
        Rig { _folder: folder, relay, egress }
    }

    async fn call(&mut self, operation: Operation, stream: u32, body: &[u8]) {
        self.relay.writer.write_all(&frame(operation as u8, stream, body).unwrap()).await.unwrap();
    }

    async fn answer(&mut self) -> (Option<Kind>, u32) {
        let message = next(&mut self.relay.answers).await.expect("egress lives");
        (Kind::from_number(message.number), message.stream)
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.egress.abort();
    }
}

#[tokio::test]
async fn an_unlisted_target_is_gone_at_once_and_nothing_connects() {
    let provider = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = provider.local_addr().unwrap().port();
    for allow in [Allow::Sandbox(port), Allow::Live(HashSet::from(["a.example".to_owned()]))] {
        let mut rig = Rig::start(allow).await;
        let own_port = [&port.to_be_bytes()[..], b"127.0.0.1"].concat();
        let targets: [&[u8]; 4] = [&own_port, b"\x01\xbblocalhost", b"\x01\xbba.sandbox.test.", b""];
        for (stream, target) in (0..).zip(targets) {
            rig.call(Operation::EgressOpen, stream, target).await;
            assert_eq!(rig.answer().await, (Some(Kind::EgressGone), stream));
        }
        let nobody = tokio::time::timeout(Duration::from_millis(50), provider.accept()).await;
        assert!(nobody.is_err());
    }
}

#[tokio::test]
async fn a_provider_that_never_reads_loses_its_stream_and_holds_up_no_other() {
    let provider = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut rig = Rig::start(Allow::Sandbox(provider.local_addr().unwrap().port())).await;
    rig.call(Operation::EgressOpen, 1, TARGET).await;
    let _never_read = soon(provider.accept()).await.unwrap();
    assert_eq!(rig.answer().await, (Some(Kind::EgressConnected), 1));
    let frame = frame(Operation::EgressSend as u8, 1, &vec![0; 1 << 20]).unwrap();
    let mut sent = 0;
    let gone = loop {
        assert!(sent < 64, "it holds 64 MiB");
        rig.relay.writer.write_all(&frame).await.unwrap();
        sent += 1;
        if let Ok(message) = tokio::time::timeout(Duration::from_millis(20), rig.relay.answers.next()).await {
            break message.unwrap().unwrap();
        }
    };
    assert_eq!((Kind::from_number(gone.number), gone.stream), (Some(Kind::EgressGone), 1));
    rig.call(Operation::EgressOpen, 2, TARGET).await;
    assert_eq!(rig.answer().await, (Some(Kind::EgressConnected), 2));
}

#[tokio::test]
async fn a_closed_stream_closes_the_providers_connection() {
    let provider = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut rig = Rig::start(Allow::Sandbox(provider.local_addr().unwrap().port())).await;
    rig.call(Operation::EgressOpen, 1, TARGET).await;
    let (mut accepted, _) = soon(provider.accept()).await.unwrap();
    assert_eq!(rig.answer().await, (Some(Kind::EgressConnected), 1));
    rig.call(Operation::EgressClose, 1, b"").await;
    assert_eq!(soon(accepted.read(&mut [0])).await.unwrap(), 0);
}
