//! The networks of a data root: make, list, find, remove.
//!
//! # How it works
//!
//! `networks/ID.json` is a network. The three of Docker that are always there have no such
//! file: their ids, and the address block of `bridge`, are made up at the first use and kept
//! in `networks/predefined.json`, as is the prefix of IPv6 blocks. Files are synced and
//! replaced by rename under one lock. One that cannot be read is noted and passed over; that
//! of the three is made anew, and a newer one put aside for the version that wrote it. Whoever connects a container holds the same lock, shared, from
//! reading the network until the container's state says so: a network that is being joined
//! is not removed meanwhile.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use coracle_netns::prefix::Prefix;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::record::{BRIDGE, Ipam, IpamConfig, PREDEFINED, RECORD_VERSION, Record};
use super::request::{OVERLAY, SWARM_ID_DIGITS, is_swarm_digit};
use super::{CreateNetwork, Network, NetworkError, SwarmNetwork, User, pools};
use crate::damage::{self, Damaged, Notes, Unreadable};
use crate::file_lock::{self, FileLock, LockError, Share};
use crate::model::Timestamp;
use crate::records::{Sync, replace};

const PREDEFINED_FILE: &str = "predefined.json";

/// All networks of a data root.
#[derive(Clone, Debug)]
pub struct Networks {
    dir: PathBuf,
    damage: Notes,
    /// What is made is its own; of others only the three that are always there are found.
    owner: Option<String>,
}

/// The lock under which networks come and go.
#[derive(Debug)]
pub struct NetworksLock {
    _file: FileLock,
}

/// What is made up once: the networks that are always there.
#[derive(Debug, Serialize, Deserialize)]
struct Predefined {
    version: u32,
    created: Timestamp,
    /// By name.
    ids: BTreeMap<String, String>,
    bridge: String,
    ipv6_prefix: Ipv6Addr,
}

impl Networks {
    /// The networks in `dir`, which need not exist.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, damage: Notes::default(), owner: None }
    }

    /// The same for a session of the Engine API.
    #[must_use]
    pub fn of(self, owner: Option<&str>) -> Self {
        Self { owner: owner.map(str::to_owned), ..self }
    }

    fn is_own(&self, network: &Network) -> bool {
        self.owner.is_none() || network.is_predefined() || network.owner == self.owner
    }

    /// The same, with what cannot be read noted there.
    #[must_use]
    pub fn noting(self, damage: &Notes) -> Self {
        Self { damage: damage.clone(), ..self }
    }

    /// Keeps networks from coming and going; `shared` when the caller only joins one.
    ///
    /// # Errors
    /// When the lock file cannot be opened, or somebody has it for too long.
    pub(crate) fn lock(&self, shared: bool) -> Result<NetworksLock, NetworkError> {
        self.lock_within(shared, file_lock::PATIENCE)
    }

    pub(super) fn lock_within(
        &self,
        shared: bool,
        patience: Duration,
    ) -> Result<NetworksLock, NetworkError> {
        crate::paths::make_private(&self.dir)
            .map_err(io::Error::other)
            .map_err(NetworkError::io("create", &self.dir))?;
        let path = self.dir.join("lock");
        let file = file_lock::open(&path, true).map_err(NetworkError::io("open", &path))?;
        let share = if shared { Share::WithOthers } else { Share::Alone };
        match file_lock::take_as(share, file, patience) {
            Ok(file) => Ok(NetworksLock { _file: file }),
            Err(LockError::Io(source)) => Err(NetworkError::io("lock", &path)(source)),
            Err(LockError::Held(holder)) => {
                Err(NetworkError::Busy { holder, waited_s: patience.as_secs() })
            }
        }
    }

    /// Makes a network.
    ///
    /// # Errors
    /// For a bad or taken name, a driver, option or address block that cannot be had, and
    /// when it cannot be written.
    pub(crate) fn create(&self, request: CreateNetwork) -> Result<Network, NetworkError> {
        request.check()?;
        let known = self.predefined()?;
        let _lock = self.lock(false)?;
        let Found { readable: others, damaged } = self.read(&known)?;
        if others.iter().any(|other| other.name == request.name) {
            return Err(NetworkError::NameTaken { name: request.name });
        }
        // Its name is not given away while what is left of its record says it.
        if let Some((_, error)) = damaged.into_iter().find(|(id, _)| self.says(id, &request.name)) {
            return Err(error);
        }
        let is_swarms = |swarm: &SwarmNetwork| swarm.ingress;
        if request.swarm.as_ref().is_some_and(is_swarms)
            && let Some(other) = others.iter().find(|other| other.ingress)
        {
            return Err(NetworkError::SecondIngress { id: other.id.clone() });
        }
        let id = match &request.swarm {
            None => new_id(&self.dir)?,
            Some(SwarmNetwork { id: Some(id), .. }) => id.clone(),
            Some(SwarmNetwork { id: None, .. }) => new_swarm_id(&self.dir)?,
        };
        let network = Network {
            owner: self.owner.clone(),
            ..assemble(request, id, &others, known.ipv6_prefix)?
        };
        self.save(&network)?;
        Ok(network)
    }

    fn save(&self, network: &Network) -> Result<(), NetworkError> {
        let path = self.file(&network.id);
        let record = Record { version: RECORD_VERSION, network: network.clone() };
        write_json(&path, &record)
    }

    /// All networks in natural order of names.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn list(&self) -> Result<Vec<Network>, NetworkError> {
        let known = self.predefined()?;
        let Found { readable: mut all, damaged } = self.read(&known)?;
        damaged
            .iter()
            .filter_map(|(_, error)| error.note())
            .for_each(|note| self.damage.note(note));
        all.retain(|network| self.is_own(network));
        all.sort_by(|a, b| (a.name.as_str(), a.created).cmp(&(b.name.as_str(), b.created)));
        Ok(all)
    }

    /// The network with this id or name, or with an id that begins so.
    ///
    /// # Errors
    /// When there is none, or the beginning fits several.
    pub fn find(&self, reference: &str) -> Result<Network, NetworkError> {
        let known = self.predefined()?;
        let Found { readable: mut all, damaged } = self.read(&known)?;
        all.retain(|network| self.is_own(network));
        let exact = |network: &&Network| network.id == reference;
        let named = |network: &&Network| network.name == reference;
        if let Some(found) = all.iter().find(exact).or_else(|| all.iter().find(named)) {
            return Ok(found.clone());
        }
        let begins = |id: &str| !reference.is_empty() && id.starts_with(reference);
        let mut found: Vec<&Network> = all.iter().filter(|network| begins(&network.id)).collect();
        let mut unreadable: Vec<_> =
            damaged.into_iter().filter(|(id, _)| begins(id) || self.says(id, reference)).collect();
        let count = found.len() + unreadable.len();
        match (found.pop(), unreadable.pop(), count) {
            (Some(network), None, 1) => Ok(network.clone()),
            (None, Some((_, error)), 1) => Err(error),
            (None, None, _) => Err(NetworkError::NotFound { reference: reference.to_owned() }),
            _ => Err(NetworkError::Ambiguous { reference: reference.to_owned(), count }),
        }
    }

    /// Whether what is left of a record gives this name.
    fn says(&self, id: &str, name: &str) -> bool {
        let bytes = fs::read(self.file(id)).unwrap_or_default();
        damage::salvage(&bytes, "Name").is_some_and(|salvaged| salvaged == name)
    }

    /// Whether there are networks of a swarm.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn have_swarm(&self) -> Result<bool, NetworkError> {
        Ok(self.list()?.iter().any(|network| network.swarm))
    }

    /// Removes a network; `users` gives the containers that are connected now, `in_swarm` the
    /// service or task that has it (`service ID`), asked only for a swarm's. One whose record cannot be read goes too, and one of a newer version when `force` is set.
    ///
    /// # Errors
    /// When there is none, it is one of the three, or in use.
    pub(crate) fn remove(
        &self,
        reference: &str,
        force: bool,
        in_swarm: impl FnOnce(&Network) -> Option<String>,
        users: impl FnOnce(&Network) -> Vec<User>,
    ) -> Result<Network, NetworkError> {
        let network = match self.find(reference) {
            Err(NetworkError::Damaged { id, source })
                if force || !matches!(*source, NetworkError::Newer { .. }) =>
            {
                Network { name: reference.to_owned(), id, ..Network::default() }
            }
            found => found?,
        };
        if network.is_predefined() && !network.driver.is_empty() {
            return Err(NetworkError::RemovePredefined { name: network.name });
        }
        let _lock = self.lock(false)?;
        if network.swarm
            && let Some(user) = in_swarm(&network)
        {
            return Err(NetworkError::InSwarmUse { id: network.id, user });
        }
        let users = users(&network);
        if !users.is_empty() {
            return Err(NetworkError::InUse { name: network.name, users });
        }
        let path = self.file(&network.id);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(NetworkError::NotFound { reference: reference.to_owned() })
            }
            outcome => {
                outcome.map_err(NetworkError::io("remove", path))?;
                Ok(network)
            }
        }
    }

    /// Every network's record that cannot be read, and whether the three had to be made anew.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn damaged(&self) -> Result<Vec<Damaged>, NetworkError> {
        let known = self.predefined()?;
        Ok(self.read(&known)?.damaged.iter().filter_map(|(_, error)| error.note()).collect())
    }

    fn file(&self, id: &str) -> PathBuf {
        self.dir.join(format!("{id}.json"))
    }

    fn predefined(&self) -> Result<Predefined, NetworkError> {
        let path = self.dir.join(PREDEFINED_FILE);
        if let Ok(Some(known)) = read_json(&path) {
            return Ok(known);
        }
        let _lock = self.lock(false)?;
        // Somebody may have been first.
        match read_json(&path) {
            Ok(Some(known)) => return Ok(known),
            Ok(None) => {}
            Err(error @ NetworkError::Io { .. }) => return Err(error),
            Err(error) => {
                if let NetworkError::Newer { found, .. } = &error {
                    let aside = self.dir.join(format!("{PREDEFINED_FILE}.format-{found}"));
                    fs::rename(&path, &aside).map_err(NetworkError::io("put aside", &path))?;
                }
                self.damage.note(Damaged {
                    kind: "network",
                    id: "bridge, host, none".to_owned(),
                    why: damage::in_one_line(&error),
                    cure: "they were made anew".to_owned(),
                });
            }
        }
        let mut ids = BTreeMap::new();
        for (name, _) in PREDEFINED {
            ids.insert(name.to_owned(), new_id(&self.dir)?);
        }
        let taken = taken(&[]);
        let bridge = pools::choose_v4(&taken).ok_or(NetworkError::PoolsExhausted)?.to_string();
        let known = Predefined {
            version: RECORD_VERSION,
            created: crate::clock::now(),
            ids,
            bridge,
            ipv6_prefix: local_prefix(&self.dir)?,
        };
        write_json(&path, &known)?;
        Ok(known)
    }

    fn read(&self, known: &Predefined) -> Result<Found, NetworkError> {
        let mut all = Found {
            readable: PREDEFINED.iter().map(|(name, driver)| known.network(name, driver)).collect(),
            damaged: Vec::new(),
        };
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(all),
            outcome => outcome.map_err(NetworkError::io("list", &self.dir))?,
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            // The lock, the file of the three, and files that never got their name.
            let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".json")) else {
                continue;
            };
            if !is_id(id) {
                continue;
            }
            let path = entry.path();
            let whole = |record: Record| match record.network.id == id {
                true => Ok(Some(record.network)),
                false => {
                    let why = "it is the record of another network";
                    Err(NetworkError::Parse {
                        path: path.clone(),
                        source: serde_json::Error::custom(why),
                    })
                }
            };
            let read = read_json::<Record>(&path);
            match read.and_then(|record| record.map_or(Ok(None), whole)) {
                Ok(Some(network)) => all.readable.push(network),
                // Removed while we looked.
                Ok(None) => {}
                Err(source) => {
                    let error =
                        NetworkError::Damaged { id: id.to_owned(), source: Box::new(source) };
                    all.damaged.push((id.to_owned(), error));
                }
            }
        }
        Ok(all)
    }
}

/// Whether a record can be of a network with this id.
fn is_id(id: &str) -> bool {
    match id.len() {
        ID_DIGITS => id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        SWARM_ID_DIGITS => id.bytes().all(is_swarm_digit),
        _ => false,
    }
}

/// What there is.
struct Found {
    readable: Vec<Network>,
    /// With their ids, why they cannot be read.
    damaged: Vec<(String, NetworkError)>,
}

/// The length of an id.
const ID_DIGITS: usize = 64;

impl Predefined {
    fn network(&self, name: &str, driver: &str) -> Network {
        let is_bridge = name == BRIDGE;
        let block = || IpamConfig {
            subnet: self.bridge.clone(),
            gateway: self
                .bridge
                .parse::<Prefix>()
                .map_or_else(|_| String::new(), |subnet| subnet.first_host().to_string()),
            ..IpamConfig::default()
        };
        let options = DEFAULT_BRIDGE_OPTIONS
            .iter()
            .filter(|_| is_bridge)
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Network {
            name: name.to_owned(),
            id: self.ids.get(name).cloned().unwrap_or_default(),
            created: self.created,
            driver: driver.to_owned(),
            enable_ipv4: true,
            ipam: Ipam {
                driver: "default".to_owned(),
                options: None,
                config: is_bridge.then(|| vec![block()]),
            },
            options,
            ..Network::default()
        }
    }
}

/// What Docker shows for its own.
const DEFAULT_BRIDGE_OPTIONS: [(&str, &str); 6] = [
    ("com.docker.network.bridge.default_bridge", "true"),
    ("com.docker.network.bridge.enable_icc", "true"),
    ("com.docker.network.bridge.enable_ip_masquerade", "true"),
    ("com.docker.network.bridge.host_binding_ipv4", "0.0.0.0"),
    ("com.docker.network.bridge.name", "docker0"),
    ("com.docker.network.driver.mtu", "1500"),
];

/// A subnet without an address asks for a free one of its size.
fn choose_by_size(
    block: &mut IpamConfig,
    others: &[Network],
    ipv6_prefix: Ipv6Addr,
) -> Result<(), NetworkError> {
    let Ok(wish) = block.subnet.parse::<Prefix>() else { return Ok(()) };
    if !wish.address.is_unspecified() {
        return Ok(());
    }
    let avoided = taken(others);
    let chosen = match wish.is_v4() {
        true => pools::choose_v4_of(wish.length, &avoided),
        false => pools::choose_v6_of(ipv6_prefix, wish.length, &avoided),
    };
    let chosen = chosen.ok_or(NetworkError::PoolsExhausted)?;
    block.subnet = chosen.to_string();
    block.gateway = chosen.first_host().to_string();
    Ok(())
}

fn assemble(
    request: CreateNetwork,
    id: String,
    others: &[Network],
    ipv6_prefix: Ipv6Addr,
) -> Result<Network, NetworkError> {
    let mut config = request.ipam;
    for block in &mut config {
        choose_by_size(block, others, ipv6_prefix)?;
    }
    let wanted: Vec<Prefix> =
        config.iter().filter_map(|config| config.subnet.parse().ok()).collect();
    let used: Vec<Prefix> = others.iter().flat_map(Network::subnets).collect();
    if wanted.iter().any(|block| used.iter().any(|other| block.overlaps(other))) {
        return Err(NetworkError::Overlap);
    }
    let swarm = request.swarm.as_ref();
    // What the host uses does not forbid a block, but is not chosen.
    let mut avoided = taken(others);
    avoided.extend(&wanted);
    let mut add = |subnet: Option<Prefix>| {
        let subnet = subnet.ok_or(NetworkError::PoolsExhausted)?;
        config.push(IpamConfig {
            subnet: subnet.to_string(),
            gateway: subnet.first_host().to_string(),
            ..IpamConfig::default()
        });
        Ok(())
    };
    if request.ipv4 && !wanted.iter().any(|block| block.is_v4()) {
        add(match swarm {
            None => pools::choose_v4(&avoided),
            Some(SwarmNetwork { pools, ingress, .. }) => {
                let usual = [pools::SWARM_POOL];
                let pools = if pools.is_empty() { &usual[..] } else { pools };
                pools::choose_for_swarm(pools, *ingress, &avoided)
            }
        })?;
    }
    if request.ipv6 && wanted.iter().all(|block| block.is_v4()) {
        add(pools::choose_v6(ipv6_prefix, &avoided))?;
    }
    for block in config.iter_mut().filter(|_| swarm.is_some()) {
        // A swarm shows it whoever chose it.
        if block.gateway.is_empty() {
            block.gateway = block
                .subnet
                .parse::<Prefix>()
                .map_or_else(|_| String::new(), |subnet| subnet.first_host().to_string());
        }
    }
    let mut options = request.options;
    if let Some(swarm) = swarm {
        let number = vxlan_number(swarm.ingress, others).to_string();
        options.entry(VXLAN_OPTION.to_owned()).or_insert(number);
    }
    let usual = if swarm.is_some() { OVERLAY } else { BRIDGE };
    let driver = if request.driver.is_empty() { usual.to_owned() } else { request.driver };
    Ok(Network {
        name: request.name,
        id,
        created: crate::clock::now(),
        driver,
        enable_ipv4: request.ipv4,
        enable_ipv6: request.ipv6,
        ipam: Ipam {
            driver: "default".to_owned(),
            options: (swarm.is_none() && !request.bare_ipam).then(BTreeMap::new),
            config: Some(config),
        },
        internal: request.internal,
        attachable: request.attachable,
        swarm: swarm.is_some(),
        ingress: swarm.is_some_and(|swarm| swarm.ingress),
        options,
        labels: request.labels,
        owner: None,
    })
}

/// What tells a swarm's networks apart on the wire between machines; here it is only shown.
const VXLAN_OPTION: &str = "com.docker.network.driver.overlay.vxlanid_list";
const VXLAN_FIRST: u32 = 4096;

/// The first number that no other network has; the very first is that of published ports.
fn vxlan_number(ingress: bool, others: &[Network]) -> u32 {
    let numbers = others.iter().filter_map(|other| other.options.get(VXLAN_OPTION));
    let taken: Vec<u32> = numbers.filter_map(|number| number.parse().ok()).collect();
    let first = VXLAN_FIRST + u32::from(!ingress);
    (first..).find(|number| !taken.contains(number)).unwrap_or(first)
}

/// Address blocks that are not chosen for a new network.
fn taken(others: &[Network]) -> Vec<Prefix> {
    // Without that file nothing is known about the host, and the choice is as good as any.
    let routes = fs::read_to_string("/proc/net/route").unwrap_or_default();
    others.iter().flat_map(Network::subnets).chain(pools::host_routes(&routes)).collect()
}

fn random<const BYTES: usize>(dir: &Path) -> Result<[u8; BYTES], NetworkError> {
    let mut bytes = [0u8; BYTES];
    getrandom::fill(&mut bytes)
        .map_err(io::Error::other)
        .map_err(NetworkError::io("get random bytes for a network in", dir))?;
    Ok(bytes)
}

fn new_id(dir: &Path) -> Result<String, NetworkError> {
    Ok(hex::encode(random::<{ ID_DIGITS / 2 }>(dir)?))
}

/// As swarms make them of 128 random bits.
fn new_swarm_id(dir: &Path) -> Result<String, NetworkError> {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut bits = u128::from_be_bytes(random::<16>(dir)?);
    let mut digits = [b'0'; SWARM_ID_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[usize::try_from(bits % 36).unwrap_or_default()];
        bits /= 36;
    }
    Ok(String::from_utf8_lossy(&digits).into_owned())
}

/// A unique local prefix, `fdXX:XXXX:XXXX::/48`.
fn local_prefix(dir: &Path) -> Result<Ipv6Addr, NetworkError> {
    let random = random::<5>(dir)?;
    let mut octets = [0u8; 16];
    octets[0] = 0xfd;
    octets[1..6].copy_from_slice(&random);
    Ok(Ipv6Addr::from(octets))
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, NetworkError> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        outcome => outcome.map_err(NetworkError::io("read", path))?,
    };
    damage::parse(&bytes, RECORD_VERSION).map(Some).map_err(|why| match why {
        Unreadable::Parse(source) => NetworkError::Parse { path: path.to_owned(), source },
        Unreadable::Newer { found } => {
            NetworkError::Newer { path: path.to_owned(), found, known: RECORD_VERSION }
        }
    })
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), NetworkError> {
    let bytes = serde_json::to_vec(value)
        .map_err(|source| NetworkError::Parse { path: path.to_owned(), source })?;
    replace(path, &bytes, Sync::Yes)
        .map_err(io::Error::other)
        .map_err(NetworkError::io("write", path))
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
