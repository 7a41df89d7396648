//! Rules: which table of routes a packet is looked up in (ip-rule(8)).

use super::attributes::{attribute, ip, text, u8_at, u32_at};
use super::message::{NLM_F_CREATE, NLM_F_EXCL, Request};
use super::{AF_INET, AF_INET6, Netlink, NetlinkError, octets};
use crate::prefix::Prefix;

const RTM_NEWRULE: u16 = 32;
const RTM_DELRULE: u16 = 33;
const RTM_GETRULE: u16 = 34;

// Attributes of a rule (linux/fib_rules.h).
const FRA_DST: u16 = 1;
const FRA_SRC: u16 = 2;
const FRA_IIFNAME: u16 = 3;
const FRA_PRIORITY: u16 = 6;
const FRA_FWMARK: u16 = 10;
const FRA_TABLE: u16 = 15;
const FR_ACT_TO_TBL: u8 = 1;
const FR_ACT_BLACKHOLE: u8 = 6;
const FR_ACT_PROHIBIT: u8 = 8;

/// The family that a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    fn number(self) -> u8 {
        match self {
            Self::V4 => AF_INET,
            Self::V6 => AF_INET6,
        }
    }
}

/// What a rule does with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Looks the packet up in this table; goes on to the next rule when nothing is there.
    Table(u32),
    /// Loses it without a word.
    Blackhole,
    /// Refuses it.
    Prohibit,
}

/// A rule; what is not said matches everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub family: Family,
    /// Lower numbers are asked first.
    pub priority: u32,
    /// Device that the packet came in by.
    pub input: Option<String>,
    pub mark: Option<u32>,
    /// Network that the packet says it is from.
    pub from: Option<Prefix>,
    /// Network that the packet is for.
    pub to: Option<Prefix>,
    pub action: Action,
}

impl Rule {
    /// A rule for every packet.
    #[must_use]
    pub fn new(family: Family, priority: u32, action: Action) -> Self {
        Self { family, priority, input: None, mark: None, from: None, to: None, action }
    }

    /// Only for packets that came in by this device.
    #[must_use]
    pub fn input(mut self, device: &str) -> Self {
        self.input = Some(device.to_owned());
        self
    }
}

fn about(kind: u16, flags: u16, rule: &Rule, what: &str) -> Request {
    let (action, table) = match rule.action {
        Action::Table(table) => (FR_ACT_TO_TBL, table),
        Action::Blackhole => (FR_ACT_BLACKHOLE, 0),
        Action::Prohibit => (FR_ACT_PROHIBIT, 0),
    };
    let length = |prefix: Option<Prefix>| prefix.map_or(0, |prefix| prefix.length);
    let (to, from) = (length(rule.to), length(rule.from));
    let header = [rule.family.number(), to, from, 0, 0, 0, 0, action, 0, 0, 0, 0];
    let request = Request::new(kind, flags, format!("{what} the routing rule {}", rule.priority))
        .fixed(&header)
        .number(FRA_PRIORITY, rule.priority)
        .maybe(rule.input.as_deref(), |request, name| request.text(FRA_IIFNAME, name))
        .maybe(rule.mark, |request, mark| request.number(FRA_FWMARK, mark))
        .maybe(rule.from, |request, from| request.bytes(FRA_SRC, &octets(from.address)))
        .maybe(rule.to, |request, to| request.bytes(FRA_DST, &octets(to.address)));
    if table == 0 { request } else { request.number(FRA_TABLE, table) }
}

/// Adds a rule; `EEXIST` when it is there.
#[must_use]
pub fn add(rule: &Rule) -> Request {
    about(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule, "add")
}

/// Deletes a rule; `ENOENT` when it is not there.
#[must_use]
pub fn delete(rule: &Rule) -> Request {
    about(RTM_DELRULE, 0, rule, "delete")
}

/// All rules of one family, first asked first, as far as they are made of what [`Rule`] has.
///
/// # Errors
/// The kernel's refusal.
pub fn list(netlink: &Netlink, family: Family) -> Result<Vec<Rule>, NetlinkError> {
    let mut header = [0; 12];
    header[0] = family.number();
    let request = Request::new(RTM_GETRULE, 0, "list the routing rules".into()).fixed(&header);
    netlink.dump(&request, |body| parse(family, body))
}

fn parse(family: Family, body: &[u8]) -> Option<Rule> {
    let rest = body.get(12..)?;
    let number = |kind| attribute(rest, kind).and_then(|value| u32_at(value, 0));
    let action = match u8_at(body, 7)? {
        FR_ACT_TO_TBL => Action::Table(number(FRA_TABLE)?),
        FR_ACT_BLACKHOLE => Action::Blackhole,
        FR_ACT_PROHIBIT => Action::Prohibit,
        _ => return None,
    };
    let prefix = |kind, length| match attribute(rest, kind) {
        Some(address) => Some(Some(Prefix::new(ip(address)?, u8_at(body, length)?)?)),
        None => Some(None),
    };
    Some(Rule {
        family,
        priority: number(FRA_PRIORITY).unwrap_or(0),
        input: attribute(rest, FRA_IIFNAME).map(text),
        mark: number(FRA_FWMARK),
        from: prefix(FRA_SRC, 2)?,
        to: prefix(FRA_DST, 1)?,
        action,
    })
}
