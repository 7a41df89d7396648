#!/bin/bash
# hcl-rs takes the backslashes out of every string with a `${…}` in it when it writes a file that it has read.
#
# Expected: the same strings. hcl::Body is the crate's own model of a file, with to_string for writing it; strings without
# a `${…}` keep their escapes on the same way.
# Happens: the escapes of a template are undone by reading and not made again by writing. `"say \"${x}\""` is no HCL any
# more, a newline ends up bare in a quoted string (hcl-rs reads that, HCL proper does not), and without any error `\\t`
# (a backslash and a t) becomes `\t`, a tab: a command of a bake file is another one after a tool has only sorted it.
# Versions: hcl-rs 0.20.0. Seen 2026-11-30: the lines below.
source "$(dirname "$(realpath "$0")")/common.sh"
rust_program 'hcl-rs = "=0.20.0"' << 'EOF'
fn main() {
    for line in std::io::stdin().lines() {
        let line = line.expect("line");
        let body: hcl::Body = hcl::from_str(&line).expect("valid HCL");
        let written = hcl::to_string(&body).expect("text");
        let what = match hcl::from_str::<hcl::Body>(&written) {
            Ok(again) if again == body => "same",
            Ok(_) => "another text",
            Err(_) => "not HCL",
        };
        println!("{line}  ->  {written:?}  {what}");
    }
}
EOF
cat > lines << 'EOF'
a = "say \"x\" C:\\tmp"
a = "say \"${x}\""
a = "one\ntwo ${x}"
a = "C:\\tmp\\${x}"
a = "C:\\tmp ${x}"
EOF
# shellcheck disable=SC2016 # HCL's, not the shell's
seen 'lines read and written' 'a = "say \"x\" C:\\tmp"  ->  "a = \"say \\\"x\\\" C:\\\\tmp\"\n"  same
a = "say \"${x}\""  ->  "a = \"say \"${x}\"\"\n"  not HCL
a = "one\ntwo ${x}"  ->  "a = \"one\ntwo ${x}\"\n"  same
a = "C:\\tmp\\${x}"  ->  "a = \"C:\\tmp\\${x}\"\n"  not HCL
a = "C:\\tmp ${x}"  ->  "a = \"C:\\tmp ${x}\"\n"  another text' "$(./program < lines)"
