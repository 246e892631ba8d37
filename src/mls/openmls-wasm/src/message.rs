//! Complete MLSMessages: bytes to the kind that a call takes, and back.

use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::*;

use crate::failure::{Code, Failure, Outcome};

/// The suites that a client can have, as they stand in key packages and welcomes.
const SUITES: [u16; 2] = [1, 2];

pub fn bytes(message: &MlsMessageOut) -> Outcome<Vec<u8>> {
    message.to_bytes().map_err(|error| Failure::new(Code::Internal, format!("{error:?}")))
}

fn parse(bytes: &[u8]) -> Outcome<MlsMessageBodyIn> {
    let message = MlsMessageIn::tls_deserialize_exact(bytes).map_err(|_| Code::Malformed)?;
    Ok(message.extract())
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(offset..offset + 2)?.try_into().ok()?))
}

/// OpenMLS calls a suite it does not know malformed, so it is looked up before: `MLSMessage { version, wire_format, ... }`.
fn check_suite(bytes: &[u8], wire_format: u16, offset: usize) -> Outcome<()> {
    match u16_at(bytes, offset) {
        Some(suite) if u16_at(bytes, 2) == Some(wire_format) && !SUITES.contains(&suite) => {
            Err(Failure::new(Code::UnsupportedSuite, suite.to_string()))
        }
        _ => Ok(()),
    }
}

pub fn key_package(bytes: &[u8], crypto: &impl OpenMlsCrypto) -> Outcome<KeyPackage> {
    check_suite(bytes, 5, 6)?;
    let MlsMessageBodyIn::KeyPackage(package) = parse(bytes)? else { return Err(Code::WrongType.into()) };
    Ok(package.validate(crypto, ProtocolVersion::Mls10)?)
}

pub fn welcome(bytes: &[u8]) -> Outcome<Welcome> {
    check_suite(bytes, 3, 4)?;
    let MlsMessageBodyIn::Welcome(welcome) = parse(bytes)? else { return Err(Code::WrongType.into()) };
    Ok(welcome)
}

/// A message inside of a group, of the given kind.
pub fn of_group(bytes: &[u8], kind: ContentType) -> Outcome<ProtocolMessage> {
    let message: ProtocolMessage = match parse(bytes)? {
        MlsMessageBodyIn::PublicMessage(message) => message.into(),
        MlsMessageBodyIn::PrivateMessage(message) => message.into(),
        _ => return Err(Code::WrongType.into()),
    };
    // The one sender that may speak is a member. External ones do not exist in SLIM.
    if message.content_type() != kind || message.is_external() {
        return Err(Code::WrongType.into());
    }
    Ok(message)
}
