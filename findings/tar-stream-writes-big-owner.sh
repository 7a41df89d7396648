#!/bin/bash
# npm tar-stream writes the owner 1000000000 as 262143, without an error.
#
# Expected: a base-256 number or a PAX record `uid`, as POSIX pax ("uid: … shall override") offers for a number that
# does not fit into the octal field; or an error. Layers of rootless tools and of OpenShift have such owners, and
# tar-stream makes the build contexts of dockerode and testcontainers (by tar-fs).
# Happens: a number that does not fit is replaced by sixes of sevens: 777777 (octal). 2097151, which fits into the
# seven digits that other writers use, is changed too. Every reader then sees 262143.
# Versions: tar-stream 3.2.2, Python 3.11 tarfile and GNU tar as readers. Seen 2026-11-30:
#   262143 262143
source "$(dirname "$(realpath "$0")")/common.sh"
npm_packages tar-stream@3.2.2
cat > write.js << 'EOF'
const tar = require('tar-stream'), fs = require('fs');
const pack = tar.pack();
pack.entry({name: 'openshift', uid: 1000000000, gid: 1000000000}, 'x');
pack.entry({name: 'seven-digits', uid: 2097151, gid: 262143}, 'x');
pack.finalize();
pack.pipe(fs.createWriteStream('layer.tar'));
EOF
node write.js
owners() { python3 -c 'import sys, tarfile; m = tarfile.open("layer.tar").getmember(sys.argv[1]); print(m.uid, m.gid)' "$1"; }
seen 'uid and gid 1000000000' '262143 262143' "$(owners openshift)"
seen 'uid 2097151, gid 262143' '262143 262143' "$(owners seven-digits)"
seen 'the same with GNU tar' '262143/262143' "$(tar --numeric-owner -tvf layer.tar openshift | awk '{print $2}')"
