#!/bin/bash
# Charliecloud's ch-image replaces variables by other rules than Docker, without a word, in three ways.
#
# Expected: Docker's reference, which ch-image(1) names as what it follows: within one instruction every variable has the
# value from before it; a name goes on as long as letters, digits and `_` do; `\$` is a dollar sign.
# Happens: `ENV A=2 B=$A` gives B the new value; `$D_x` is the variable D and the text `_x` (a bug that shows
# only when D is set); `\$D` stays with its backslash. A Dockerfile builds by both tools and holds other values.
# Versions: charliecloud-builders 0.31-1 (Debian 12), lark 1.1.5. Seen 2026-11-30 (Docker: B=1, F empty, H=$D):
#   B=2  F=3_x  H=\$D
source "$(dirname "$(realpath "$0")")/common.sh"
deb_packages charliecloud-builders=0.31-1 charliecloud-common=0.31-1 charliecloud-runtime=0.31-1
pip_packages lark==1.1.5 requests==2.32.3
mkdir context
cat > context/Dockerfile << 'EOF'
FROM scratch
ENV A=1
ENV A=2 B=$A
ENV D=3
ENV F=$D_x
ENV H=\$D
EOF
USER=${USER:-user} CH_IMAGE_STORAGE=$work/store "$python" root/usr/bin/ch-image build --no-cache -t made context > log 2>&1 ||
    { cat log >&2; exit 1; }
# shellcheck disable=SC2016 # that is what is in it
seen 'environment of the image' 'A=2
B=2
D=3
F=3_x
H=\$D' "$(sort store/img/made/ch/environment)"
