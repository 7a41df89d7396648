//! Who a process runs as: `--user` and `--group-add` against the image's files.
//!
//! # How it works
//!
//! Names and numbers are looked up in the image's `/etc/passwd` and `/etc/group`,
//! given as bytes; the first matching entry wins. A number without an entry is
//! taken as it is, a name without one is an error. Malformed fields read as zero
//! and malformed lines are skipped, as Docker does.
//!
//! # Not here
//!
//! No files are opened: the caller reads them beneath the container's root.

/// Largest user or group id Docker accepts.
pub const ID_MAX: u32 = 2_147_483_647;

/// The identity of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
    /// The process's whole list for setgroups(2): the primary group first.
    pub groups: Vec<u32>,
    /// For `HOME` when the environment does not set it.
    pub home: String,
}

/// Why a user or group could not be resolved; the texts are Docker's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserError {
    #[error("unable to find user {name}: no matching entries in passwd file")]
    NoUser { name: String },
    #[error("unable to find group {name}: no matching entries in group file")]
    NoGroup { name: String },
    #[error("uids and gids must be in range 0-2147483647")]
    OutOfRange,
}

/// Resolves `spec` (empty, `user`, `user:group`, `:group`, `user:`) and the groups `added`.
///
/// `passwd` and `group` are the image's files, empty when it has none.
///
/// # Errors
/// When a name is not in its file or a number is out of range.
pub fn resolve(
    spec: &str,
    added: &[String],
    passwd: &[u8],
    group: &[u8],
) -> Result<User, UserError> {
    let mut fields = spec.split(':');
    let user_arg = fields.next().unwrap_or_default();
    let group_arg = fields.next().unwrap_or_default();

    let account = find_account(user_arg, passwd);
    let (uid, default_gid) = match &account {
        Some(account) => (account.uid, account.gid),
        None if user_arg.is_empty() => (0, 0),
        None => match parse_id(user_arg) {
            Some(uid) => (uid, 0),
            None => return Err(UserError::NoUser { name: user_arg.to_owned() }),
        },
    };
    let uid = in_range(uid)?;

    let gid =
        if group_arg.is_empty() { in_range(default_gid)? } else { find_group(group_arg, group)? };
    let mut groups = vec![gid];
    if let (true, Some(account)) = (group_arg.is_empty(), &account) {
        groups.extend(memberships(account.name, group)?);
    }
    for name in added {
        let id = find_group(name, group)?;
        if !groups.contains(&id) {
            groups.push(id);
        }
    }
    Ok(User { uid, gid, groups, home: home_of(uid, passwd) })
}

impl User {
    /// As BuildKit has it: the primary group is named once, where `docker run` names it again among the others.
    #[must_use]
    pub fn named_once(mut self) -> Self {
        if self.groups.get(1..).is_some_and(|others| others.contains(&self.gid)) {
            self.groups.remove(0);
        }
        self
    }
}

/// The home directory of `uid`; `/` without an entry.
pub fn home_of(uid: u32, passwd: &[u8]) -> String {
    lines(passwd)
        .filter_map(Account::parse)
        .find(|account| account.uid == i64::from(uid))
        .map(|account| account.home)
        .filter(|home| !home.is_empty())
        .unwrap_or("/")
        .to_owned()
}

struct Account<'a> {
    name: &'a str,
    uid: i64,
    gid: i64,
    home: &'a str,
}

impl<'a> Account<'a> {
    /// `name:password:uid:gid:comment:home:shell`.
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let uid = fields.nth(1).unwrap_or_default();
        let gid = fields.next().unwrap_or_default();
        let home = fields.nth(1).unwrap_or_default();
        Some(Self { name, uid: parse_id(uid).unwrap_or(0), gid: parse_id(gid).unwrap_or(0), home })
    }
}

fn find_account<'a>(wanted: &str, passwd: &'a [u8]) -> Option<Account<'a>> {
    let id = if wanted.is_empty() { Some(0) } else { parse_id(wanted) };
    lines(passwd).filter_map(Account::parse).find(|account| match id {
        Some(id) => account.uid == id,
        None => account.name == wanted,
    })
}

/// `name:password:gid:member,member`.
fn group_fields(line: &str) -> (&str, i64, &str) {
    let mut fields = line.split(':');
    let name = fields.next().unwrap_or_default();
    let gid = parse_id(fields.nth(1).unwrap_or_default()).unwrap_or(0);
    (name, gid, fields.next().unwrap_or_default())
}

fn find_group(wanted: &str, group: &[u8]) -> Result<u32, UserError> {
    let id = parse_id(wanted);
    let found = lines(group).map(group_fields).find(|&(name, gid, _)| match id {
        Some(id) => gid == id,
        None => name == wanted,
    });
    match (found, id) {
        (Some((_, gid, _)), _) => in_range(gid),
        (None, Some(id)) => in_range(id),
        (None, None) => Err(UserError::NoGroup { name: wanted.to_owned() }),
    }
}

fn memberships(name: &str, group: &[u8]) -> Result<Vec<u32>, UserError> {
    lines(group)
        .map(group_fields)
        .filter(|(_, _, members)| members.split(',').any(|member| member == name))
        .map(|(_, gid, _)| in_range(gid))
        .collect()
}

/// Non-empty lines that are text; others cannot name anybody.
fn lines(file: &[u8]) -> impl Iterator<Item = &str> {
    file.split(|&byte| byte == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok())
        .map(str::trim)
        .filter(|line| !line.is_empty())
}

/// A number as Go's `Atoi` reads it: an optional sign and digits.
fn parse_id(text: &str) -> Option<i64> {
    text.parse().ok()
}

fn in_range(id: i64) -> Result<u32, UserError> {
    u32::try_from(id).ok().filter(|&id| id <= ID_MAX).ok_or(UserError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use crate::start::users::*;

    const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/sh\n\
        \n\
        bin:x:1:1:bin:/bin:/sbin/nologin\n\
        mail:x:8:12:mail:/var/mail:/sbin/nologin\n\
        twin:x:8:99:second:/twin:/bin/sh\n\
        nohome:x:70:70::\n\
        nobody:x:65534:65534:nobody:/:/sbin/nologin";
    const GROUP: &[u8] = b"root:x:0:root\nbin:x:1:root,bin,daemon\ntty:x:5:\nwheel:x:10:root\n\
        mail:x:12:mail\nnobody:x:65534:\n";

    fn ids(spec: &str, added: &[&str]) -> Result<(u32, u32, Vec<u32>), UserError> {
        let added: Vec<String> = added.iter().map(|&name| name.to_owned()).collect();
        resolve(spec, &added, PASSWD, GROUP).map(|user| (user.uid, user.gid, user.groups))
    }

    #[test]
    fn resolves_every_form() {
        assert_eq!(ids("", &[]), Ok((0, 0, vec![0, 0, 1, 10])));
        assert_eq!(ids("root", &[]), Ok((0, 0, vec![0, 0, 1, 10])));
        assert_eq!(ids("0:", &[]), Ok((0, 0, vec![0, 0, 1, 10])));
        assert_eq!(ids("nobody", &[]), Ok((65534, 65534, vec![65534])));
        assert_eq!(ids("nobody:wheel", &[]), Ok((65534, 10, vec![10])));
        assert_eq!(ids("0:12345", &[]), Ok((0, 12345, vec![12345])));
        assert_eq!(ids("1000:1000", &[]), Ok((1000, 1000, vec![1000])));
        assert_eq!(ids(":5", &[]), Ok((0, 5, vec![5])));
        assert_eq!(ids(":tty", &[]), Ok((0, 5, vec![5])));
    }

    #[test]
    fn a_number_takes_up_its_entry() {
        assert_eq!(ids("8", &[]), Ok((8, 12, vec![12, 12])));
        assert_eq!(ids("mail", &[]), Ok((8, 12, vec![12, 12])));
        assert_eq!(ids("twin", &[]), Ok((8, 99, vec![99])));
        assert_eq!(ids("33", &[]), Ok((33, 0, vec![0])));
    }

    #[test]
    fn adds_groups_by_name_and_number() {
        assert_eq!(ids("1000", &["wheel", "777"]), Ok((1000, 0, vec![0, 10, 777])));
        assert_eq!(ids("1000", &["0", "777", "777"]), Ok((1000, 0, vec![0, 777])));
        let error = ids("", &["nosuch"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "unable to find group nosuch: no matching entries in group file"
        );
        assert_eq!(ids("", &["4294967296"]), Err(UserError::OutOfRange));
    }

    #[test]
    fn refuses_unknown_names() {
        assert_eq!(
            ids("nosuchuser", &[]).unwrap_err().to_string(),
            "unable to find user nosuchuser: no matching entries in passwd file"
        );
        assert_eq!(
            ids("root:nosuchgroup", &[]).unwrap_err().to_string(),
            "unable to find group nosuchgroup: no matching entries in group file"
        );
        let bare = resolve("root", &[], b"", b"").unwrap_err();
        assert_eq!(bare, UserError::NoUser { name: "root".to_owned() });
    }

    #[test]
    fn refuses_numbers_out_of_range() {
        for spec in ["99999999999", "4294967296", "2147483648", "-1", "0:-1", "0:4294967296"] {
            assert_eq!(ids(spec, &[]), Err(UserError::OutOfRange), "{spec}");
        }
        let hostile = resolve("evil", &[], b"evil:x:4294967296:0::/:", b"");
        assert_eq!(hostile, Err(UserError::OutOfRange));
        assert!(ids("2147483647", &[]).is_ok());
    }

    #[test]
    fn an_image_without_files_runs_as_root() {
        let user = resolve("", &[], b"", b"").unwrap();
        assert_eq!(user, User { uid: 0, gid: 0, groups: vec![0], home: "/".to_owned() });
    }

    #[test]
    fn home_comes_from_the_first_entry_of_the_uid() {
        assert_eq!(resolve("0", &[], PASSWD, GROUP).unwrap().home, "/root");
        assert_eq!(resolve("twin", &[], PASSWD, GROUP).unwrap().home, "/var/mail");
        assert_eq!(resolve("nohome", &[], PASSWD, GROUP).unwrap().home, "/");
        assert_eq!(resolve("1234", &[], PASSWD, GROUP).unwrap().home, "/");
    }
}
