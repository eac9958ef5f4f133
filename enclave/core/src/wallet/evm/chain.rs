//! The chains that transactions may be for.

/// EIP-155 chain id and SLIP-44 type of the coin that fees are paid in. The coins of test networks are type 1.
const CHAINS: [(u64, u32); 12] = [
    (1, 60),
    (10, 60),
    (56, 714),
    (61, 61),
    (100, 700),
    (137, 966),
    (8453, 60),
    (42161, 60),
    (43114, 9005),
    (59144, 60),
    (31337, 1),
    (11_155_111, 1),
];

/// CAIP-2 of a chain.
pub fn chain(id: u64) -> String {
    format!("eip155:{id}")
}

/// CAIP-19 of the coin that a chain's fees are paid in, if the chain is known here.
pub fn coin(id: u64) -> Option<String> {
    let (_, coin) = CHAINS.iter().find(|(known, _)| *known == id)?;
    Some(format!("eip155:{id}/slip44:{coin}"))
}

/// CAIP-19 of a token. Its contract is written in lower case, as assets are everywhere here.
pub fn token(id: u64, contract: &super::Address) -> String {
    format!("eip155:{id}/erc20:{}", contract.to_string().to_lowercase())
}
