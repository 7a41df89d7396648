//! Each form of substitution, quote and escape.

use super::*;

fn get(name: &str) -> Option<String> {
    let values = [("x", "val"), ("e", ""), ("p", "a/b.tar.gz"), ("w", "one two")];
    values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

fn text(text: &str) -> Result<String, String> {
    let (expanded, result) = Expander::new('\\').text(text, &get);
    result.map(|()| expanded.text)
}

#[test]
fn values_and_their_substitutes() {
    for (written, wanted) in [
        ("$x-${x}y$xy.", "val-valy."),
        (r#""$x" '$x' \$x "\$x" \\$x"#, r"val $x $x $x \val"),
        (r#""a\"b" a\ b 'it"s' "it's""#, r#"a"b a b it"s it's"#),
        ("$ a$", "$ a$"),
        ("${u:-d} ${u-d} ${e:-d} ${e-d} ${x:-d}", "d d d  val"),
        ("${u:+d}|${e:+d}|${e+d}|${x:+d}", "||d|d"),
        ("${x:?no} ${e?no}", "val "),
        ("${u:-${x:-y}} ${u:-a b}", "val a b"),
        ("${p#*/} ${p##*.} ${p%.*} ${p%%.*}", "b.tar.gz gz a/b.tar a/b"),
        (r"${p/b/c} ${p//./_} ${p/a\//} ${p//[/}", "a/c.tar.gz a/b_tar_gz b.tar.gz a/b.tar.gz"),
        (r#""a\b""#, r"a\b"),
        ("end\\", "end"),
    ] {
        assert_eq!(text(written).as_deref(), Ok(wanted), "{written}");
    }
}

#[test]
fn what_cannot_be_substituted() {
    for (written, why) in [
        ("${x", "unsupported modifier (\u{fffd}) in substitution"),
        ("${x^}", "unsupported modifier (^) in substitution"),
        ("${x:^y}", "unsupported modifier (:^) in substitution"),
        ("${x:#y}", "unsupported modifier (:#) in substitution"),
        ("${", "syntax error: missing '}'"),
        ("${x:-y", "syntax error: missing '}'"),
        ("${}", "syntax error: bad substitution"),
        ("${x/y}", "syntax error: missing '/' in ${}"),
        ("'x", "unexpected end of statement while looking for matching single-quote"),
        ("\"x", "unexpected end of statement while looking for matching double-quote"),
        ("${e:?must be given}", "e: must be given"),
        ("${e:?}", "e: is not allowed to be empty"),
        ("${u?}", "u: is not allowed to be unset"),
        (r"${p#a\.}", r"invalid pattern (a\.) in substitution: invalid escape '\.'"),
    ] {
        assert_eq!(text(written), Err(format!("failed to process {written:?}: {why}")));
    }
    let deep = format!("{}x{}", "${u:-".repeat(100), "}".repeat(100));
    assert!(text(&deep).unwrap_err().contains("nested too deeply"));
}

#[test]
fn names_are_noted_whether_they_are_set_or_not() {
    let (expanded, _) = Expander::new('\\').text("$x ${u:-$v} $u $$", &get);
    assert_eq!(
        (expanded.set, expanded.unset),
        (vec!["x".to_owned()], ["v", "u", "$"].map(String::from).to_vec())
    );
    let (expanded, result) = Expander::new('\\').text("${u?gone}", &get);
    assert!(result.is_err());
    assert_eq!(expanded.unset, ["u"]);
}

#[test]
fn words_are_split_after_the_replacement() {
    let words = |text| Expander::new('\\').words(text, &get).unwrap();
    assert_eq!(words(r#"a $w "b c" d\ e "$w""#), ["a", "one", "two", "b c", "d e", "one two"]);
    assert_eq!(words("80${u:-81}"), ["8081"]);
    let keeping = Expander { keeps_unset: true, ..Expander::new('\\') };
    assert_eq!(keeping.text("$u ${u} ${u:-a} $x", &get).0.text, "$u ${u} ${u:-a} val");
    let raw = Expander { ignores_quotes: true, ..Expander::new('\\') };
    assert_eq!(raw.text("it's $x \"q\"", &get).0.text, "it's val \"q\"");
    assert_eq!(Expander::new('`').text("a`$x \\$x", &get).0.text, "a$x \\val");
}
