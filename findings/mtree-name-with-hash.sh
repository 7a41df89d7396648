#!/bin/bash
# One file name with `#` makes a specification of NetBSD's mtree unreadable for libarchive and for go-mtree.
#
# Expected: all three read it; the format is one, names are encoded by vis(3), and `#` begins a comment only at the start
# of a line. Editors leave files like `#notes#`, and images carry them.
# Happens: NetBSD's mtree writes `\#`, an escape that its own unvis(3) knows. libarchive then does not recognize the
# format at all, so not one entry is read; go-mtree ends with an error. (Both write \043 themselves, which all read.)
# Versions: mtree-netbsd 20180822-7, bsdtar 3.6.2 (libarchive-tools 3.6.2-1+deb12u5), go-mtree v0.7.0. Seen 2026-11-30:
#   bsdtar: Error opening archive: Unrecognized archive format
#   unvis 'a\\#b': escape cstyle: unknown escape character '#'
source "$(dirname "$(realpath "$0")")/common.sh"
deb_packages libarchive-tools=3.6.2-1+deb12u5 libarchive13=3.6.2-1+deb12u5 mtree-netbsd=20180822-7
GOBIN=$work go install github.com/vbatts/go-mtree/cmd/gomtree@v0.7.0 2> /dev/null
mkdir tree
echo x > tree/a-b
mtree -c -k type,mode,size -p tree > plain
mv tree/a-b 'tree/a#b'
mtree -c -k type,mode,size -p tree > with-hash
seen 'mtree reads its own' '' "$(mtree -f with-hash -p tree)"
seen 'how it writes the name' 'a\#b' "$(grep -o 'a.*b' with-hash)"
seen 'bsdtar of a name without #' './a-b' "./$(bsdtar -tf plain | tail -1)"
seen 'bsdtar' 'bsdtar: Error opening archive: Unrecognized archive format' "$(bsdtar -tf with-hash 2>&1 | head -1)"
seen 'gomtree' "unvis 'a\\\\#b': escape cstyle: unknown escape character '#'" \
    "$(./gomtree -f with-hash -p tree 2>&1 | sed -n 's/.*msg="\(.*\)"$/\1/p')"
