//! RFC 3161 time-stamp tokens, verified offline.
//!
//! ```text
//! response   granted, nothing but the token                 (RFC 3161 section 2.4.2)
//! token      CMS signed data, one signer, no unsigned parts  (RFC 5652 section 5, RFC 3161 section 2.4.2)
//! signer     named by the signed attribute ESSCertIDv2      (RFC 5035, RFC 5816)
//! imprint    of the text we ask about
//! chain      to a certificate given by the caller, or to the package's own root
//! time       inside the validity of every certificate of the chain
//! ```
//!
//! Everything in the file is covered by a signature or has only one spelling: a certificate that is in no chain, a list of
//! revoked certificates, an unsigned attribute, a status text or a byte after the end is refused. Revocation is not looked
//! up, since that needs the network: the court asks the authority.
//!
//! Written over `der` instead of the types of `cms` and `x509-tsp`: the released versions of those two need another
//! generation of `der` than the signature crates do, and verifying needs the bytes as they came, not decoded and encoded
//! again. What is hard, RSA and ECDSA, is RustCrypto's.

mod algorithm;
mod certificate;
mod der;
mod pem;
mod token;

pub use certificate::ChainFault;
pub use der::DerError;
pub use pem::{PemError, certificates, certificates_strict, print};
pub use token::{Anchor, Timestamp, TspError, chain_above, plain_response, verify};
