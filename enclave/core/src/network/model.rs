//! A network, as loaded from its file: everything that reading it needs and the code does not know.

/// One chain. `docs/spec/network.md` describes each field as it is written in the file.
#[derive(Debug)]
pub struct Network {
    pub id: String,
    pub name: String,
    /// CAIP-2.
    pub chain: String,
    pub family: Family,
    /// In the order in which they are asked. Each is of another operator, so that no single one is needed.
    pub nodes: Vec<Node>,
    pub coin: Coin,
    /// The only tokens that are called by a name. Whatever else calls itself so is shown by its address, or not read.
    pub tokens: Vec<Token>,
    /// The connector whose public prices value what is here.
    pub prices: Option<String>,
    /// What a wallet may hold here and nobody reads, with the reason; part of every coverage report.
    pub unsupported: Vec<(String, String)>,
}

/// How a network's nodes are spoken to, and what only its kind has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Evm(Evm),
    Bitcoin,
    Solana,
}

/// A chain of the Ethereum Virtual Machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evm {
    /// EIP-155, the same as in the CAIP-2 id.
    pub chain_id: u64,
    /// The contract Multicall3.
    pub multicall: [u8; 20],
    /// A newest block that is older says that the node is behind.
    pub stale_after_s: u64,
    /// Blocks that a node searches for logs at once.
    pub log_blocks: u64,
}

/// A server that reads the chain for whoever asks. It sees which addresses it is asked about.
#[derive(Debug)]
pub struct Node {
    /// Who runs it, for people.
    pub operator: String,
    pub host: String,
    /// Where it listens: `/`, or with a slash in front and none at the end.
    pub path: String,
}

/// What fees are paid in.
#[derive(Debug)]
pub struct Coin {
    pub symbol: String,
    /// CAIP-19.
    pub asset: String,
    pub decimals: u8,
    /// The code that tickers know it by; absent where it has no price, as on test networks.
    pub price: Option<String>,
}

#[derive(Debug)]
pub struct Token {
    pub symbol: String,
    /// CAIP-19.
    pub asset: String,
    /// The contract's or mint's address, as it stands in the CAIP-19 id.
    pub address: String,
    pub decimals: u8,
    pub price: Option<String>,
}

impl Network {
    /// The listed token at an address, in the writing of its CAIP-19 id.
    pub fn token(&self, address: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| token.address == address)
    }

    /// What tickers call an asset, by its CAIP-19 id. Only what is listed has a price.
    pub fn price_code(&self, asset: &str) -> Option<&str> {
        if self.coin.asset == asset {
            return self.coin.price.as_deref();
        }
        self.tokens.iter().find(|token| token.asset == asset)?.price.as_deref()
    }
}
