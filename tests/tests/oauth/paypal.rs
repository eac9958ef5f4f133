//! PayPal: a session of client credentials, and every request and answer held against the document that PayPal
//! publishes, by a validator that we did not write.

use serde_json::{Value, json};
use stack::{Folder, Process, Stack, http, run, tensfer};
use std::process::{Command, Output};
use std::time::Duration;

const START: Duration = Duration::from_secs(120);
const SECRET: &str = "made-up-paypal-secret";

struct Merchant {
    _paypal: Process,
    front: String,
    stack: Stack,
    folder: Folder,
}

impl Merchant {
    fn start() -> Merchant {
        let fetched =
            std::env::var("TENSFER_PAYMENTS").expect("`make test-oauth` names the folder it fetched");
        let paypal =
            Process::start(Command::new("node").current_dir(fetched).args(["paypal.mjs", "id", SECRET]));
        let port = paypal.line("ready ", START);
        let folder = Folder::new();
        let upstream = format!("api-m.paypal.com=127.0.0.1:{port}");
        let stack = Stack::start_with(&folder.join("data"), &["--upstream", &upstream]);
        Merchant { _paypal: paypal, front: format!("http://127.0.0.1:{port}"), stack, folder }
    }

    fn run(&self, arguments: &[&str], stdin: &str) -> Output {
        let mut command = Command::new(tensfer());
        command.env("TENSFER_HOME", self.folder.join("home")).args(["--server", self.stack.url()]);
        command.arg("--dangerous-simulated").arg(self.stack.simulation_root()).args(arguments);
        run(&mut command, stdin.as_bytes())
    }

    fn link(&self, secret: &str) -> Output {
        let client = json!({"clientId": "id", "clientSecret": secret}).to_string();
        self.run(&["link", "paypal", "--credentials", "-"], &client)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments, "");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    fn logins(&self) -> usize {
        self.calls().iter().filter(|call| call["path"] == "/v1/oauth2/token").count()
    }

    /// What PayPal saw; nothing of it may break its document.
    fn calls(&self) -> Vec<Value> {
        let calls: Vec<Value> =
            serde_json::from_slice(&http::get(&format!("{}/calls", self.front)).body).unwrap();
        for call in &calls {
            assert!([200, 401].contains(&call["status"].as_u64().unwrap()), "against the document: {call:#}");
        }
        calls
    }
}

#[test]
fn balances_and_ledger_of_paypal_are_read_as_its_published_document_has_them() {
    let merchant = Merchant::start();
    let linked = merchant.link(SECRET);
    assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
    let portfolio = merchant.json(&["balances", "--json"]);
    let assets = portfolio["connections"][0]["accounts"][0]["assets"].as_array().unwrap();
    let row = |asset: &Value| {
        ["asset", "free", "used", "total"].map(|name| asset[name].as_str().unwrap().to_owned())
    };
    let mut rows: Vec<_> = assets.iter().map(row).collect();
    rows.sort();
    let expected = [["iso4217:JPY", "1000", "0", "1000"], ["iso4217:USD", "120", "5.5", "125.5"]];
    let digits = |rows: &[[String; 4]]| {
        rows.iter().map(|row| row.join(" ").replace(".50", ".5").replace(".00", "")).collect::<Vec<_>>()
    };
    assert_eq!(digits(&rows), expected.map(|row| row.join(" ")));
    let history = merchant.json(&["history", "paypal", "ledger", "--since", "2026-09-01", "--json"]);
    let rows = history["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{history:#}");
    assert_eq!(
        (&rows[0]["amount"], &rows[0]["fee"], &rows[0]["direction"]),
        (&json!("465"), &json!("13.79"), &json!("in"))
    );
    assert_eq!(merchant.logins(), 1, "one login serves them all");
    // A token that PayPal ended is followed by another.
    http::get(&format!("{}/expire", merchant.front));
    merchant.json(&["balances", "--json"]);
    assert_eq!(merchant.logins(), 2);
}

#[test]
fn a_wrong_secret_of_paypal_links_nothing_and_is_told_as_the_keys_fault() {
    let merchant = Merchant::start();
    let refused = merchant.link("wrong");
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(3), "{told}");
    assert!(told.contains("credential_refused"), "{told}");
    assert_eq!(merchant.json(&["connections", "--json"]), json!([]));
}
