//! The first draft of a connector file: it loads as it is, and says what is to be filled in.

/// A connector file for an exchange of that id, name and host, with the most common way to sign.
pub fn file(id: &str, name: &str, host: &str) -> String {
    DRAFT.replace("%ID%", id).replace("%NAME%", name).replace("%HOST%", host)
}

const DRAFT: &str = r#"# %NAME%. Read from top to bottom; docs/spec/connector.md explains every field.
# Source: FILL IN the address of the exchange's documentation
id = "%ID%"
name = "%NAME%"

[guide]
url = "https://%HOST%/FILL-IN-the-page-where-keys-are-made"
steps = """
FILL IN what to create there: a key that may only read; which permissions to leave off; what to copy."""

[credential.apiKey]
label = "API key"
kinds = ["text"]

[credential.secret]
label = "Secret key"
kinds = ["text"]
secret = true

# Groups of endpoints. Recorded vectors call them by the names that their `api` has.
[sections.public]
host = "%HOST%"
prefix = "/api/v1/"

[sections.private]
host = "%HOST%"
prefix = "/api/v1/"

# FILL IN the signature's formula, such as: X-SIGN = hex(HMAC-SHA-256(secret, ms ‖ METHOD ‖ path and query ‖ body))
[[signing]]
sections = ["private"]
methods = ["GET", "DELETE"]
target = "{target}"
headers = { X-KEY = "{apiKey}", X-TIMESTAMP = "{ms}", X-SIGN = "{signature}" }
steps = [
    { name = "target", text = "{path}{?params:form}" },
    { name = "signature", hmac = "sha256", key = "{secret}", message = "{ms}{method}{target}", encode = "hex" },
]

[[signing]]
sections = ["private"]
target = "{path}"
body = "{body}"
headers = { X-KEY = "{apiKey}", X-TIMESTAMP = "{ms}", X-SIGN = "{signature}", Content-Type = "application/json" }
steps = [
    { name = "body", text = "{params:object}" },
    { name = "signature", hmac = "sha256", key = "{secret}", message = "{ms}{method}{path}{body}", encode = "hex" },
]

[[signing]]
sections = ["public"]
target = "{path}{?params:form}"

# One source for each account type: spot, funding, margin, futures, earn, … What cannot be read goes into [unsupported].
[[balances]]
source = "spot"
account = "spot"
call = "GET private balances"
rows = ["data[*]"]
fields = { asset = "currency", free = "available", used = "frozen" }

# FILL IN the account types that cannot be read, each with its reason, such as: earn = "no interface for it"
[unsupported]

[[prices.tickers]]
call = "GET public tickers"
rows = ["data[*]"]
fields = { base = "before(symbol, '-')", quote = "after(symbol, '-')", last = "last", bid = "bid", ask = "ask" }

# `stated` where the exchange tells what a key may do; else one read call tells that it may read.
[[capabilities]]
source = "inferred"
call = "GET private balances"
fields = { read = "'yes'" }

# What is kept of the account: deposits, withdrawals, ledger, my_trades, transfers; at least one of them.
[[reads]]
operation = "deposits"
call = "GET private deposits"
params = { start = "{param.since}", end = "{param.until}", limit = "{param.limit}" }
page = { days = 90, size = 100, order = "newest", limit = "limit" }
rows = ["data[*]"]
fields = { id = "id", timestamp = "ms(time)", asset = "currency", amount = "amount", txid = "hash", status = "map(status, 'deposit')" }

[tables.deposit]
completed = "ok"
"*" = "pending"

# What moves money comes last. What the exchange has no call for stays here, with that as its reason.
[unoffered]
withdraw = "FILL IN, or describe it"
transfer = "FILL IN, or describe it"
order = "FILL IN, or describe it"
convert = "FILL IN, or describe it"

[errors]
code = "code"
message = "message"
success = ["0"]

[errors.exact]
credential = ["FILL IN"]

# The exchange's names of networks, and the chain (CAIP-2) that each is. A name that is not here is not known.
[networks]

# How the recorded calls of an independent client map to this file; read by the checker only.
[conformance]
balances = [{ source = "spot", given = {} }]
"#;
