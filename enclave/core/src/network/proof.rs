//! The claim that an address is an owner's, as a text that its wallet signs. `docs/spec/wallet.md` §2.1.

use super::account::{Account, AccountError};
use super::model::Network;
use crate::connector::{Document, iso8601, text};
use crate::wallet::sign_in::SignIn;
use wire::{ConnectionId, UnixMillis};

/// How long a text is good for.
pub(crate) const PENDING_MS: u64 = 10 * 60_000;

/// Who asks. A browser's wallet warns where a page of another origin has it signed: names that end so are this machine's
/// own (RFC 6761 §6.3), so no page of somebody else's is of this one.
const DOMAIN: &str = "tensfer.localhost";

/// What the person agrees to.
const STATEMENT: &str =
    "I link this address to my Tensfer account as mine. This moves nothing and allows nobody to.";

/// Members of the pending payload, and of the credential that it becomes.
const ADDRESS: &str = "watch";
const NONCE: &str = "nonce";
const PROVEN: &str = "proven";

/// Random bytes of a nonce.
const NONCE_BYTES: usize = 16;

/// A claim that waits for its signature.
#[derive(Debug)]
pub(crate) struct Claim {
    network: &'static Network,
    connection: ConnectionId,
    created: UnixMillis,
    /// In the chain's canonical writing.
    address: String,
    nonce: String,
}

impl Claim {
    /// A new one. What has no key of its own is refused, and so is everything but one address.
    pub(crate) fn new(
        network: &'static Network,
        connection: ConnectionId,
        created: UnixMillis,
        address: &str,
        random: [u8; NONCE_BYTES],
    ) -> Result<Claim, AccountError> {
        let address = Account::provable(network, address)?;
        let nonce = crate::wallet::hex::encode(&random);
        Ok(Claim { network, connection, created, address, nonce })
    }

    /// From a pending payload and the envelope around it.
    pub(crate) fn read(
        network: &'static Network,
        connection: ConnectionId,
        created: UnixMillis,
        pending: &[u8],
    ) -> Option<Claim> {
        let document = Document::parse(pending).ok()?;
        let member = |name| text(&document, name).map(|text| text.0.as_ref().to_owned());
        let (address, nonce) = (member(ADDRESS)?, member(NONCE)?);
        Some(Claim { network, connection, created, address, nonce })
    }

    /// The pending payload. Addresses and nonces have no letter that JSON escapes.
    pub(crate) fn pending(&self) -> String {
        format!(r#"{{"{ADDRESS}":"{}","{NONCE}":"{}"}}"#, self.address, self.nonce)
    }

    /// The credential once it is proven.
    pub(crate) fn proven(&self, now: UnixMillis) -> String {
        format!(r#"{{"{ADDRESS}":"{}","{PROVEN}":"{}"}}"#, self.address, iso8601(now.0))
    }

    /// When it is over.
    pub(crate) fn expires(&self) -> UnixMillis {
        self.created.plus(PENDING_MS)
    }

    /// What the wallet signs; nothing where a part cannot stand in it.
    pub(crate) fn text(&self) -> Option<String> {
        self.with_parts(|parts| parts.text().ok())
    }

    /// Whether the address's key signed it.
    pub(crate) fn is_signed(&self, signature: &[u8]) -> bool {
        self.with_parts(|parts| parts.is_signed(signature)).unwrap_or(false)
    }

    fn with_parts<T>(&self, use_parts: impl FnOnce(&SignIn<'_>) -> T) -> T {
        // Whose envelope it becomes stands in the text too, for whoever reads it.
        let uri = format!("tensfer:{}", self.connection);
        let (issued, expires) = (iso8601(self.created.0), iso8601(self.expires().0));
        use_parts(&SignIn {
            domain: DOMAIN,
            address: &self.address,
            statement: STATEMENT,
            uri: &uri,
            chain: &self.network.chain,
            nonce: &self.nonce,
            issued: &issued,
            expires: &expires,
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::network::find;
    use crate::wallet::solana;
    use crate::wallet::vectors::read;

    const CREATED: UnixMillis = UnixMillis(1_795_305_600_000);

    fn claim(network: &str, address: &str) -> Result<Claim, AccountError> {
        Claim::new(find(network).unwrap(), ConnectionId([7; 16]), CREATED, address, [0xab; 16])
    }

    /// What an independent library writes of the same parts, and signs.
    #[test]
    fn the_text_is_the_one_of_eip_4361_and_names_who_asks_for_what_until_when() {
        let vectors = read(include_str!("../../../../vectors/wallet/sign-in.json")).list("cases");
        let case = vectors.iter().find(|case| case.text("domain") == DOMAIN).unwrap();
        let lower = case.text("address").to_ascii_lowercase();
        let claim = claim("ethereum", &lower).unwrap();
        assert_eq!(claim.text().unwrap(), case.text("text"));
        assert!(claim.is_signed(&case.bytes("signature")));
        let later = Claim { created: CREATED.plus(1), ..claim };
        assert!(!later.is_signed(&case.bytes("signature")));
    }

    #[test]
    fn every_network_of_the_catalogue_has_a_text_for_an_address_of_its_own() {
        for network in crate::network::all() {
            let address = match network.chain.split(':').next().unwrap() {
                "eip155" => "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
                "solana" => "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM",
                _ if network.id == "bitcoin" => "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
                _ => "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
            };
            let claim = claim(&network.id, address).unwrap();
            let text = claim.text().unwrap();
            assert!(text.contains(address), "{text}");
            let again = Claim::read(network, claim.connection, CREATED, claim.pending().as_bytes()).unwrap();
            assert_eq!(again.text().unwrap(), text);
            assert!(Account::from_json(network, claim.proven(CREATED).as_bytes()).is_ok());
        }
    }

    #[test]
    fn what_has_no_key_of_its_own_and_what_is_no_address_is_not_asked_to_sign() {
        let wallet = "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM".parse().unwrap();
        let of_a_program = solana::Address::token_account(&wallet, &solana::Address([9; 32])).unwrap();
        for (network, address, expected) in [
            // P2WSH; a witness version that nobody explains yet.
            (
                "bitcoin",
                "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3",
                AccountError::Keyless,
            ),
            ("bitcoin", "bc1sw50qgdz25j", AccountError::Keyless),
            ("solana", &of_a_program.to_string(), AccountError::Keyless),
            ("ethereum", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", AccountError::Address),
            ("ethereum", "vitalik.eth", AccountError::Address),
            (
                "bitcoin",
                "wpkh(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)",
                AccountError::Address,
            ),
            (
                "ethereum",
                "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
                AccountError::Private,
            ),
        ] {
            assert_eq!(claim(network, address).err(), Some(expected), "{address}");
        }
    }
}
