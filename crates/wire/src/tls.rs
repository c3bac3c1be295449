//! TLS as libpq's `sslmode` asks for it, by rustls.
//! It never decides whether a connection is encrypted; the endpoint does.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::endpoint::EndpointError;
use crate::error::WireError;

/// Whose certificate is accepted.
#[derive(Debug)]
pub(crate) enum Trust {
    /// Any: encryption without authentication, as libpq's `prefer` and `require`.
    Anyone,
    /// One signed by these roots, whatever name it carries, as `verify-ca`.
    Roots(RootCertStore),
    /// One signed by these roots for the host's name, as `verify-full`.
    RootsAndName(RootCertStore),
}

/// The options about verification in a connection string.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verification {
    chain: bool,
    name: bool,
    root_certificates: Option<String>,
}

impl Verification {
    pub(crate) fn trust(self, required: bool) -> Result<Trust, EndpointError> {
        let chain = self.chain || (required && self.root_certificates.is_some());
        if !chain && !self.name {
            return Ok(Trust::Anyone);
        }
        let roots = match self.root_certificates.as_deref() {
            None | Some("system") => RootCertStore {
                roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            },
            Some(path) => read_roots(Path::new(path)).map_err(EndpointError::RootCertificates)?,
        };
        Ok(if self.name {
            Trust::RootsAndName(roots)
        } else {
            Trust::Roots(roots)
        })
    }
}

fn read_roots(path: &Path) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let pem = std::fs::read(path)?;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(io::Error::other)?;
        roots.add(certificate).map_err(io::Error::other)?;
    }
    if roots.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "no certificate in the file",
        ));
    }
    Ok(roots)
}

/// Takes `sslrootcert` and the verifying values of `sslmode` out of a connection string, which the
/// parser of the driver does not know.
pub(crate) fn split_verification(text: &str) -> Result<(String, Verification), EndpointError> {
    let mut verification = Verification::default();
    let rest = if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        match text.split_once('?') {
            None => text.to_owned(),
            Some((head, query)) => {
                let kept = verification.take(query.split('&'), true)?;
                if kept.is_empty() {
                    head.to_owned()
                } else {
                    format!("{head}?{}", kept.join("&"))
                }
            }
        }
    } else {
        verification.take(pairs(text), false)?.join(" ")
    };
    Ok((rest, verification))
}

/// The `key=value` pairs of a connection string, whose values may be quoted.
fn pairs(text: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let outside = move |letter: char| {
        let literal = escaped;
        escaped = !literal && letter == '\\';
        quoted ^= letter == '\'' && !literal;
        letter.is_whitespace() && !quoted && !literal
    };
    text.split(outside).filter(|pair| !pair.is_empty())
}

/// Options of libpq about what this client does not do, so that leaving them out changes nothing.
const WITHOUT_MEANING: [&str; 5] = [
    "gssencmode",
    "gsslib",
    "krbsrvname",
    "sslcompression",
    "sslsni",
];

impl Verification {
    fn take<'a>(
        &mut self,
        pairs: impl Iterator<Item = &'a str>,
        encoded: bool,
    ) -> Result<Vec<String>, EndpointError> {
        let mut kept = Vec::new();
        for pair in pairs {
            match pair.split_once('=') {
                Some(("sslmode", "verify-ca")) => {
                    self.chain = true;
                    kept.push("sslmode=require".to_owned());
                }
                Some(("sslmode", "verify-full")) => {
                    self.chain = true;
                    self.name = true;
                    kept.push("sslmode=require".to_owned());
                }
                Some(("sslrootcert", path)) => {
                    let path = path.trim_matches('\'');
                    self.root_certificates = Some(if encoded {
                        percent_decoded(path)?
                    } else {
                        path.to_owned()
                    });
                }
                Some(("sslmode", "allow")) => kept.push("sslmode=prefer".to_owned()),
                Some((key, _)) if WITHOUT_MEANING.contains(&key) => {}
                _ => kept.push(pair.to_owned()),
            }
        }
        Ok(kept)
    }
}

fn percent_decoded(text: &str) -> Result<String, EndpointError> {
    let invalid = || EndpointError::Value("sslrootcert");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || {
            rest.next()
                .and_then(|byte| char::from(byte).to_digit(16))
                .and_then(|digit| u8::try_from(digit).ok())
        };
        let (high, low) = digit().zip(digit()).ok_or_else(invalid)?;
        bytes.push(high * 16 + low);
    }
    String::from_utf8(bytes).map_err(|_| invalid())
}

/// Turns a TCP stream into an encrypted one.
#[derive(Clone)]
pub(crate) struct Connector(TlsConnector);

impl Connector {
    pub(crate) fn new(trust: &Trust) -> Result<Self, EndpointError> {
        let unusable = |error| EndpointError::RootCertificates(io::Error::other(error));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let config = match trust {
            Trust::RootsAndName(roots) => builder.with_root_certificates(roots.clone()),
            Trust::Anyone => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Lenient {
                    provider,
                    chain: None,
                })),
            Trust::Roots(roots) => {
                let chain = WebPkiServerVerifier::builder_with_provider(
                    Arc::new(roots.clone()),
                    Arc::clone(&provider),
                )
                .build()
                .map_err(|error| EndpointError::RootCertificates(io::Error::other(error)))?;
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(Lenient {
                        provider,
                        chain: Some(chain),
                    }))
            }
        };
        Ok(Self(TlsConnector::from(Arc::new(
            config.with_no_client_auth(),
        ))))
    }

    pub(crate) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, WireError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| WireError::Tls {
            reason: "the host has no valid name",
            source: None,
        })?;
        self.0
            .connect(name, stream)
            .await
            .map_err(|error| WireError::Tls {
                reason: "the handshake failed",
                source: Some(error),
            })
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Connector")
    }
}

/// Checks the chain, if there are roots, and never the name. The handshake's signatures are
/// checked always.
#[derive(Debug)]
struct Lenient {
    provider: Arc<CryptoProvider>,
    chain: Option<Arc<WebPkiServerVerifier>>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verification_is_taken_out_of_a_url() {
        let (rest, verification) =
            split_verification("postgres://u@h/d?sslmode=verify-full&sslrootcert=%2Fca.pem&x=1")
                .unwrap();
        assert_eq!(rest, "postgres://u@h/d?sslmode=require&x=1");
        let expected = Verification {
            chain: true,
            name: true,
            root_certificates: Some("/ca.pem".to_owned()),
        };
        assert_eq!(verification, expected);
    }

    #[test]
    fn verification_is_taken_out_of_pairs() {
        let text = r"host=h password='a  \' sslmode=allow' sslmode=verify-ca gssencmode=disable";
        let (rest, verification) = split_verification(text).unwrap();
        assert_eq!(
            rest,
            r"host=h password='a  \' sslmode=allow' sslmode=require"
        );
        assert_eq!(
            verification,
            Verification {
                chain: true,
                ..Verification::default()
            }
        );
    }
}
