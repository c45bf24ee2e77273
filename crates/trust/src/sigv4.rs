//! AWS Signature Version 4 of a request, as its documentation describes it ("Create a signed AWS API request"). Only what
//! calls with a body and a few headers need: paths and queries are taken as they stand, already encoded and sorted.

use crate::{digest::hmac_sha256, sha256};
use aws_lc_rs::hmac;
use misy_domain::Secret;

/// Who signs, where and for which service.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The id of the access key.
    pub access_key: String,
    /// The access key.
    pub secret_key: Secret<String>,
    /// Such as `eu-west-1`.
    pub region: String,
    /// Such as `kms`.
    pub service: &'static str,
}

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub struct Unsigned<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path, encoded.
    pub path: &'a str,
    /// The query, encoded and sorted; empty when there is none.
    pub query: &'a str,
    /// Names in small letters with their values, sorted by name; `host` and `x-amz-date` among them.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
    /// The time, as in `x-amz-date`: `20150830T123600Z`.
    pub at: &'a str,
}

/// The value of the header `authorization`.
pub fn authorization(credentials: &Credentials, request: &Unsigned<'_>) -> String {
    let day = request.at.get(..8).unwrap_or_default();
    let scope = format!("{day}/{}/{}/aws4_request", credentials.region, credentials.service);
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let mut headers = String::new();
    for (name, value) in request.headers {
        headers += &format!("{name}:{}\n", value.trim());
    }
    let canonical =
        [request.method, request.path, request.query, &headers, &names, &hex(&sha256(request.body))]
            .join("\n");
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", request.at, hex(&sha256(canonical.as_bytes())));
    let signature = hex(&sign(&signing_key(credentials, day), to_sign.as_bytes()));
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        credentials.access_key
    )
}

fn signing_key(credentials: &Credentials, day: &str) -> [u8; 32] {
    let first = Secret::new(format!("AWS4{}", credentials.secret_key.expose()));
    let day = sign(first.expose().as_bytes(), day.as_bytes());
    let region = sign(&day, credentials.region.as_bytes());
    let service = sign(&region, credentials.service.as_bytes());
    sign(&service, b"aws4_request")
}

fn sign(key: &[u8], message: &[u8]) -> [u8; 32] {
    hmac_sha256(&hmac::Key::new(hmac::HMAC_SHA256, key), &[message])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    //! The examples that AWS publishes: its test suite for Signature Version 4, and the example of its documentation.

    use super::*;

    const AT: &str = "20150830T123600Z";

    fn credentials(service: &'static str) -> Credentials {
        Credentials {
            access_key: "AKIDEXAMPLE".into(),
            secret_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into()),
            region: "us-east-1".into(),
            service,
        }
    }

    fn signature(service: &'static str, request: &Unsigned<'_>) -> String {
        let header = authorization(&credentials(service), request);
        header.rsplit_once("Signature=").unwrap().1.to_owned()
    }

    #[test]
    fn the_signing_key_is_that_of_the_documentation() {
        let expected = "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9";
        assert_eq!(hex(&signing_key(&credentials("iam"), "20150830")), expected);
    }

    #[test]
    fn the_signatures_are_those_that_aws_publishes() {
        let vanilla = [("host", "example.amazonaws.com"), ("x-amz-date", AT)];
        let form = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("host", "example.amazonaws.com"),
            ("x-amz-date", AT),
        ];
        let users = [
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            ("x-amz-date", AT),
        ];
        let get = Unsigned { method: "GET", path: "/", query: "", headers: &vanilla, body: b"", at: AT };
        let rows = [
            ("service", get, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            (
                "service",
                Unsigned { method: "POST", ..get },
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                "service",
                Unsigned { query: "Param1=value1&Param2=value2", ..get },
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "service",
                Unsigned { method: "POST", headers: &form, body: b"Param1=value1", ..get },
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
            (
                "iam",
                Unsigned { query: "Action=ListUsers&Version=2010-05-08", headers: &users, ..get },
                "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            ),
        ];
        for (service, request, expected) in rows {
            assert_eq!(signature(service, &request), expected, "{request:?}");
        }
    }

    #[test]
    fn the_header_names_who_where_and_what() {
        let headers = [("host", "example.amazonaws.com"), ("x-amz-date", AT)];
        let request = Unsigned { method: "GET", path: "/", query: "", headers: &headers, body: b"", at: AT };
        let header = authorization(&credentials("service"), &request);
        let expected = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                        SignedHeaders=host;x-amz-date, Signature=";
        assert!(header.starts_with(expected), "{header}");
    }
}
