#!/bin/bash
# npm tar-stream hands out uid 0 for an entry whose PAX record says uid 1000000000.
#
# Expected: the record wins. POSIX pax: a keyword of an extended header overrides the field of the following header
# block, and `uid`, `gid` and `mtime` are such keywords. tar-stream applies `path`, `linkpath` and `size` so.
# Happens: uid, gid and mtime of the record are left in `header.pax`; `header.uid` is the field of the header block,
# where a writer has put 0 (Python) because the number does not fit. A context or layer that is copied by
# extract() and pack() so becomes root's. node-tar reads the same file right.
# Versions: tar-stream 3.2.2, tar (node-tar) 7.5.23; written by Python 3.11. Seen 2026-11-30:
#   tar-stream 0 0 {"uid":"1000000000","gid":"3000000"}
#   node-tar 1000000000 3000000
source "$(dirname "$(realpath "$0")")/common.sh"
npm_packages tar-stream@3.2.2 tar@7.5.23
python3 - << 'EOF'
import io, tarfile
with tarfile.open('layer.tar', 'w', format=tarfile.PAX_FORMAT) as out:
    entry = tarfile.TarInfo('data')
    entry.size, entry.uid, entry.gid = 1, 1000000000, 3000000
    out.addfile(entry, io.BytesIO(b'x'))
EOF
cat > read.js << 'EOF'
const fs = require('fs');
fs.createReadStream('layer.tar').pipe(require('tar-stream').extract().on('entry', (header, body, next) => {
    console.log('tar-stream', header.uid, header.gid, JSON.stringify(header.pax));
    body.resume();
    next();
}));
require('tar').t({file: 'layer.tar', sync: true, onReadEntry: e => console.log('node-tar', e.uid, e.gid)});
EOF
node read.js > out
seen 'PAX owner by tar-stream' 'tar-stream 0 0 {"uid":"1000000000","gid":"3000000"}' "$(grep tar-stream out)"
seen 'PAX owner by node-tar' 'node-tar 1000000000 3000000' "$(grep node-tar out)"
