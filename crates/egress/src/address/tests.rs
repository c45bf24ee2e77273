use super::{Forbidden as F, Forbidden, check};
use crate::Reach;

/// Address, verdict for what tenants name, verdict for what the operator names.
type Row = (&'static str, Option<Forbidden>, Option<Forbidden>);

const fn refused(address: &'static str, why: Forbidden) -> Row {
    (address, Some(why), Some(why))
}

const fn operator(address: &'static str, why: Forbidden) -> Row {
    (address, Some(why), None)
}

const fn public(address: &'static str) -> Row {
    (address, None, None)
}

const ROWS: [Row; 88] = [
    public("1.1.1.1"),
    public("8.8.8.8"),
    public("9.255.255.255"),
    public("11.0.0.0"),
    public("100.63.255.255"),
    public("100.128.0.0"),
    public("126.255.255.255"),
    public("128.0.0.1"),
    public("168.63.129.15"),
    public("169.253.255.255"),
    public("169.255.0.1"),
    public("172.15.255.255"),
    public("172.32.0.0"),
    public("192.0.1.1"),
    public("192.167.255.255"),
    public("192.169.0.0"),
    public("198.17.255.255"),
    public("198.20.0.0"),
    public("203.0.114.1"),
    public("223.255.255.255"),
    public("2606:4700:4700::1111"),
    public("2001:4860:4860::8888"),
    public("2a00:1450:4001:800::200e"),
    public("2001:200::1"),
    public("3ffe::1"),
    public("2003::1"),
    refused("0.0.0.0", F::Unspecified),
    refused("0.1.2.3", F::Unspecified),
    refused("127.0.0.1", F::Loopback),
    refused("127.255.255.254", F::Loopback),
    operator("10.0.0.1", F::Private),
    operator("10.255.255.255", F::Private),
    operator("172.16.0.1", F::Private),
    operator("172.31.255.255", F::Private),
    operator("192.168.0.1", F::Private),
    operator("192.168.255.255", F::Private),
    operator("100.64.0.1", F::Shared),
    operator("100.127.255.255", F::Shared),
    refused("100.100.100.200", F::Metadata),
    refused("168.63.129.16", F::Metadata),
    refused("169.254.169.254", F::Metadata),
    refused("192.0.0.192", F::Metadata),
    refused("169.254.170.2", F::LinkLocal),
    refused("169.254.0.1", F::LinkLocal),
    refused("192.0.0.1", F::Reserved),
    refused("192.0.2.1", F::Documentation),
    refused("198.51.100.7", F::Documentation),
    refused("203.0.113.255", F::Documentation),
    refused("192.88.99.1", F::Translated),
    refused("198.18.0.1", F::Reserved),
    refused("198.19.255.255", F::Reserved),
    refused("224.0.0.1", F::Multicast),
    refused("239.255.255.255", F::Multicast),
    refused("240.0.0.1", F::Reserved),
    refused("255.255.255.254", F::Reserved),
    refused("255.255.255.255", F::Broadcast),
    refused("::", F::Unspecified),
    refused("::1", F::Loopback),
    refused("::2", F::Translated),
    refused("::127.0.0.1", F::Translated),
    refused("::ffff:127.0.0.1", F::Translated),
    refused("::ffff:10.0.0.1", F::Translated),
    refused("::ffff:8.8.8.8", F::Translated),
    refused("::ffff:0:127.0.0.1", F::Translated),
    refused("64:ff9b::7f00:1", F::Translated),
    refused("64:ff9b::808:808", F::Translated),
    refused("64:ff9b:1::a00:1", F::Translated),
    refused("2002:7f00:1::", F::Translated),
    refused("2002:808:808::1", F::Translated),
    refused("2001::1", F::Translated),
    refused("2001:0:4136:e378:8000:63bf:3fff:fdd2", F::Translated),
    refused("2001:2::1", F::Reserved),
    refused("2001:20::1", F::Reserved),
    refused("2001:db8::1", F::Documentation),
    refused("3fff::1", F::Documentation),
    refused("3fff:fff:ffff::1", F::Documentation),
    refused("100::1", F::Reserved),
    refused("5f00::1", F::Reserved),
    refused("4000::1", F::Reserved),
    operator("fc00::1", F::Private),
    operator("fd12:3456:789a::1", F::Private),
    operator("fec0::1", F::Private),
    refused("fd00:ec2::254", F::Metadata),
    refused("fd20:ce::254", F::Metadata),
    refused("fe80::1", F::LinkLocal),
    refused("febf::1", F::LinkLocal),
    refused("ff02::1", F::Multicast),
    refused("2606:4700::200:5efe:7f00:1", F::Translated),
];

#[test]
fn every_address_meets_its_verdict() {
    for (text, internet, operator) in ROWS {
        let address = text.parse().unwrap();
        assert_eq!(check(address, Reach::Internet, false).err(), internet, "{text} named by a tenant");
        assert_eq!(check(address, Reach::Operator, false).err(), operator, "{text} named by the operator");
    }
}

#[test]
fn the_development_switch_opens_loopback_and_nothing_else() {
    for (text, internet, _) in ROWS {
        let verdict = check(text.parse().unwrap(), Reach::Internet, true).err();
        let expected = internet.filter(|why| *why != F::Loopback);
        assert_eq!(verdict, expected, "{text}");
    }
}

#[test]
fn the_reach_of_metadata_is_one_address() {
    for (text, ..) in ROWS {
        let allowed = check(text.parse().unwrap(), Reach::Metadata, false).is_ok();
        assert_eq!(allowed, text == "169.254.169.254", "{text}");
    }
}
