//! From a network file in its embedded form (JSON) to a [`Network`]: complete, or an error that names the place.

use super::model::{Coin, Evm, Family, Network, Node, Token};
use crate::connector::check::{is_caip2, is_host};
use crate::connector::json::Document;
use crate::connector::table::{LoadError, Table};

/// As many tokens as one question to a node may be about.
const MAX_TOKENS: usize = 200;

/// Loads one network. Unknown fields, hosts that are no DNS names and assets of another chain are refused.
pub fn load(bytes: &[u8]) -> Result<Network, LoadError> {
    let document = Document::parse(bytes).map_err(|error| format!("not JSON: {error:?}"))?;
    let mut top = Table::of(document.root(), "network")?;
    // For people; the host's catalogue reads it.
    guide(&mut top)?;
    let chain = top.text("chain")?;
    if !is_caip2(&chain) {
        return Err(format!("chain: `{chain}` is no CAIP-2 id"));
    }
    let family = family(&mut top, &chain)?;
    let network = Network {
        id: top.text("id")?,
        name: top.text("name")?,
        family,
        nodes: nodes(&mut top)?,
        coin: coin(&mut top, &chain)?,
        tokens: tokens(&mut top, &chain, family)?,
        prices: top.optional_text("prices")?,
        unsupported: top.pairs("unsupported")?,
        chain,
    };
    top.finish()?;
    check(&network)?;
    Ok(network)
}

fn guide(top: &mut Table<'_>) -> Result<(), LoadError> {
    let mut table = Table::of(top.need("guide")?, "guide")?;
    table.text("url")?;
    table.text("steps")?;
    table.finish()
}

fn family(top: &mut Table<'_>, chain: &str) -> Result<Family, LoadError> {
    let name = top.text("family")?;
    match (name.as_str(), chain.split_once(':')) {
        ("evm", Some(("eip155", id))) => {
            let chain_id = id.parse().map_err(|_| format!("chain: `{id}` is no number"))?;
            let multicall = top.text("multicall")?;
            let multicall = contract(&multicall).ok_or("multicall: expected 0x and 40 lower-case digits")?;
            let stale_after_s = u64::from(top.number("stale_after", None)?);
            let log_blocks = u64::from(top.number("log_blocks", Some(5000))?.max(1));
            Ok(Family::Evm(Evm { chain_id, multicall, stale_after_s, log_blocks }))
        }
        ("bitcoin", Some(("bip122", _))) => Ok(Family::Bitcoin),
        ("solana", Some(("solana", _))) => Ok(Family::Solana),
        _ => Err(format!("family: `{name}` is no family, or not one of `{chain}`")),
    }
}

/// `0x` and 40 hexadecimal digits in lower case: the one writing of a contract in CAIP-19 here.
fn contract(text: &str) -> Option<[u8; 20]> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 40 && digits.is_ascii())?;
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let mut address = [0; 20];
    for (to, pair) in address.iter_mut().zip(digits.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(lower))?;
        *to = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(address)
}

fn nodes(top: &mut Table<'_>) -> Result<Vec<Node>, LoadError> {
    let mut nodes = Vec::new();
    for mut table in top.tables("nodes")? {
        let node =
            Node { operator: table.text("operator")?, host: table.text("host")?, path: table.text("path")? };
        let visible = node.path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
        if !node.path.starts_with('/') || (node.path.len() > 1 && node.path.ends_with('/')) || !visible {
            return Err(table.fault("path", "expected `/`, or a path without a slash at its end"));
        }
        if !is_host(&node.host) {
            return Err(table.fault("host", "not a host name"));
        }
        table.finish()?;
        nodes.push(node);
    }
    Ok(nodes)
}

fn coin(top: &mut Table<'_>, chain: &str) -> Result<Coin, LoadError> {
    let mut table = Table::of(top.need("coin")?, "coin")?;
    let asset = table.text("asset")?;
    let coin = Coin {
        symbol: symbol(&mut table)?,
        decimals: decimals(&mut table)?,
        price: table.optional_text("price")?,
        asset: format!("{chain}/{asset}"),
    };
    if asset.strip_prefix("slip44:").and_then(|number| number.parse::<u32>().ok()).is_none() {
        return Err(table.fault("asset", "expected `slip44:` and a number"));
    }
    table.finish()?;
    Ok(coin)
}

fn tokens(top: &mut Table<'_>, chain: &str, family: Family) -> Result<Vec<Token>, LoadError> {
    let mut tokens: Vec<Token> = Vec::new();
    for mut table in top.tables("tokens")? {
        let asset = table.text("asset")?;
        let address = match (family, asset.split_once(':')) {
            (Family::Evm(_), Some(("erc20", address))) if contract(address).is_some() => address,
            (Family::Solana, Some(("token", address))) => address,
            _ => return Err(table.fault("asset", format!("`{asset}` is no token of this family"))),
        };
        let token = Token {
            symbol: symbol(&mut table)?,
            address: address.to_owned(),
            decimals: decimals(&mut table)?,
            price: table.optional_text("price")?,
            asset: format!("{chain}/{asset}"),
        };
        table.finish()?;
        if tokens.iter().any(|known| known.asset == token.asset || known.symbol == token.symbol) {
            return Err(format!("tokens: `{}` twice", token.symbol));
        }
        tokens.push(token);
    }
    if tokens.len() > MAX_TOKENS {
        return Err(format!("tokens: more than {MAX_TOKENS}"));
    }
    Ok(tokens)
}

fn symbol(table: &mut Table<'_>) -> Result<String, LoadError> {
    let symbol = table.text("symbol")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
    if symbol.is_empty() || symbol.len() > 16 || !symbol.bytes().all(plain) {
        return Err(table.fault("symbol", "expected 1 to 16 letters and digits"));
    }
    Ok(symbol)
}

fn decimals(table: &mut Table<'_>) -> Result<u8, LoadError> {
    let decimals = table.number("decimals", None)?;
    u8::try_from(decimals)
        .ok()
        .filter(|decimals| *decimals <= 24)
        .ok_or_else(|| table.fault("decimals", "more than 24"))
}

fn check(network: &Network) -> Result<(), LoadError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if network.id.is_empty() || network.id.len() > 32 || !network.id.bytes().all(plain) {
        return Err("id: expected a-z, 0-9, _".to_owned());
    }
    if network.nodes.is_empty() {
        return Err("nodes: at least one is needed".to_owned());
    }
    let operators: Vec<&str> = network.nodes.iter().map(|node| node.operator.as_str()).collect();
    if operators.iter().enumerate().any(|(at, one)| operators.iter().skip(at + 1).any(|other| one == other)) {
        return Err("nodes: two of one operator are not independent".to_owned());
    }
    if network.tokens.iter().any(|token| token.symbol == network.coin.symbol) {
        return Err("tokens: one is called like the coin".to_owned());
    }
    if network.unsupported.iter().any(|(_, reason)| reason.is_empty()) {
        return Err("unsupported: a reason is needed".to_owned());
    }
    Ok(())
}
