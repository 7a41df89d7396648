//! What a mount may say.

use super::*;

fn mount(text: &str) -> Result<Mount, String> {
    read(text, &mut |value| Ok(value.replace("$V", "v"))).map_err(|fault| fault.message)
}

#[test]
fn each_key() {
    let cache = mount("type=cache,target=/c,id=$V,sharing=Locked,mode=0700,uid=1,gid=2").unwrap();
    assert_eq!((cache.kind, cache.id.as_str()), (Type::Cache, "v"));
    assert_eq!((cache.sharing, cache.mode), (Some(Sharing::Locked), Some(0o700)));
    assert!(!cache.read_only);
    assert!(mount("target=/x").unwrap().read_only);
    assert!(!mount("target=/x,rw").unwrap().read_only);
    assert_eq!(mount("type=tmpfs,size=1k,dst=/x").unwrap().size, 1024);
    let secret = mount("type=secret,id=s,env=S,required=true").unwrap();
    assert_eq!((secret.env.as_deref(), secret.required), (Some("S"), true));
    assert_eq!(mount("\"target=/a,b\"").unwrap().target, "/a,b");
    assert_eq!(from("type=bind,From=a,target=/x").as_deref(), Some("a"));
}

#[test]
fn what_is_refused() {
    for (text, why) in [
        ("type=bogus", "unsupported mount type \"bogus\""),
        ("type=cach", "unsupported mount type \"cach\" (did you mean cache?)"),
        ("type=cache,sharing=x", "unsupported sharing value \"x\""),
        ("tagret=/x", "unexpected key 'tagret' in 'tagret=/x' (did you mean target?)"),
        ("/x", "invalid field '/x' must be a key=value pair"),
        ("ro=x", "invalid value for ro: x"),
        ("mode=9", "invalid value 9 for mode"),
        ("target=/x,mode=7", "mode not allowed for \"bind\" type mounts"),
        ("target=/x,required", "unexpected key 'required' for mount type 'bind'"),
        ("target=/x,size=1", "unexpected key 'size' for mount type 'bind'"),
        ("type=secret", "invalid secret mount. one of source, target required"),
        ("type=secret,id=a,source=b", "both source and id can't be set"),
        ("type=secret,id=a,from=b", "secret mount should not have a from"),
        ("target=/x,sharing=shared", "invalid cache sharing set for bind mount"),
        ("\"a", "failed to parse csv mounts: extraneous or missing \" in quoted-field"),
    ] {
        assert_eq!(mount(text).unwrap_err(), why, "{text}");
    }
    let why = precheck("type=bind,from=$X").unwrap_err().message;
    assert_eq!(why, "'from' doesn't support variable expansion, define alias stage instead");
}
