#!/bin/bash
# One OCI image, three package URLs: the Python, JavaScript and Go libraries each write another "canonical" string.
#
# Expected: the same string, since SBOM tools compare package URLs as text; the purl specification defines one
# canonical form, and its definition of the type `oci` has `sha256%3A…` in its examples and wants a lower-case name.
# Happens: Python leaves `:` and `/` in a qualifier, JavaScript encodes both, Go encodes `/` only. None of them encodes
# the colon of the digest. Go keeps an upper-case letter of the name when it is given parts, the others lower it.
# Versions: packageurl-python 0.17.6, packageurl-js 2.0.1, packageurl-go 0.1.7. Seen 2026-11-30:
#   python     pkg:oci/debian@sha256:abcd?repository_url=127.0.0.1:5000/x/debian
#   javascript pkg:oci/debian@sha256:abcd?repository_url=127.0.0.1%3A5000%2Fx%2Fdebian
#   go         pkg:oci/Debian@sha256:abcd?repository_url=127.0.0.1:5000%2Fx%2Fdebian
source "$(dirname "$(realpath "$0")")/common.sh"
pip_packages packageurl-python==0.17.6
npm_packages packageurl-js@2.0.1
go_program github.com/package-url/packageurl-go@v0.1.7 << 'EOF'
package main

import (
	"fmt"

	purl "github.com/package-url/packageurl-go"
)

func main() {
	where := purl.QualifiersFromMap(map[string]string{"repository_url": "127.0.0.1:5000/x/debian"})
	fmt.Println(purl.NewPackageURL("oci", "", "Debian", "sha256:abcd", where, "").ToString())
}
EOF
seen python 'pkg:oci/debian@sha256:abcd?repository_url=127.0.0.1:5000/x/debian' "$("$python" -c '
from packageurl import PackageURL
print(PackageURL("oci", None, "Debian", "sha256:abcd", {"repository_url": "127.0.0.1:5000/x/debian"}))')"
seen javascript 'pkg:oci/debian@sha256:abcd?repository_url=127.0.0.1%3A5000%2Fx%2Fdebian' "$(node -e '
const {PackageURL} = require("packageurl-js");
console.log(new PackageURL("oci", null, "Debian", "sha256:abcd", {repository_url: "127.0.0.1:5000/x/debian"}).toString())')"
seen go 'pkg:oci/Debian@sha256:abcd?repository_url=127.0.0.1:5000%2Fx%2Fdebian' "$(./program)"
