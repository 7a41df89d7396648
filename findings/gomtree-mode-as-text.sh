#!/bin/bash
# go-mtree finds every file changed in a specification that bsdtar has just made of it: 644 is not 0644 for it.
#
# Expected: no difference. mtree(5): `mode` is an octal number; bsdtar writes it without a leading zero, NetBSD's and
# FreeBSD's mtree and go-mtree write one, and NetBSD's mtree reads both. umoci keeps its bundles by go-mtree.
# Happens: the values are compared as text. Every entry but the top folder fails, and the tool ends with 1.
# Versions: go-mtree v0.7.0, bsdtar 3.6.2 (libarchive-tools 3.6.2-1+deb12u5), mtree-netbsd 20180822-7. Seen 2026-11-30:
#   "file": keyword "mode": expected 644; got 0644
source "$(dirname "$(realpath "$0")")/common.sh"
deb_packages libarchive-tools=3.6.2-1+deb12u5 libarchive13=3.6.2-1+deb12u5 mtree-netbsd=20180822-7
GOBIN=$work go install github.com/vbatts/go-mtree/cmd/gomtree@v0.7.0 2> /dev/null
mkdir tree
echo x > tree/file
chmod 644 tree/file
chmod 755 tree
(cd tree && bsdtar -cf ../spec --format=mtree --options='mtree:!all,type,mode,size' .)
seen "NetBSD's mtree" '' "$(mtree -f spec -p tree)"
seen gomtree '"file": keyword "mode": expected 644; got 0644' "$(./gomtree -f spec -p tree 2> /dev/null | sort)"
sed -E 's/mode=([0-7]{3})/mode=0\1/' spec > zero
seen 'gomtree, with a leading zero' '' "$(./gomtree -f zero -p tree 2>&1)"
