#!/bin/bash
# Debian's docker-registry appends a chunk wherever its Content-Range says that it belongs.
#
# Expected: 416. OCI distribution-spec, "Pushing a blob in chunks": a chunk that is uploaded out of order MUST be
# answered with 416; a client that lost an answer repeats its chunk and counts on that to learn where it is.
# Happens: 202 for a repeated chunk, for one after a gap and for a wrong end; the bytes go to the end each time. What
# notices is the digest at the very end, after everything was sent: a client has to ask for the Range (GET on the
# upload) before it repeats a chunk.
# Versions: docker-registry 2.8.2+ds1-1 (Debian 12). Seen 2026-11-30:
#   0-3 -> 202 Range: 0-3; 0-3 again -> 202 Range: 0-7; 90-93 -> 202 Range: 0-11
source "$(dirname "$(realpath "$0")")/common.sh"
debian_registry
where=$(curl -s -D - -o /dev/null -X POST "$registry/v2/a/blobs/uploads/" | tr -d '\r' | sed -n 's/^Location: //p')
chunk() { # RANGE: sends four bytes as that range, prints status and Range of the answer
    curl -s -D headers -o /dev/null -X PATCH --data-binary abcd -H 'Content-Type: application/octet-stream' \
        -H "Content-Range: $1" "$where"
    where=$(tr -d '\r' < headers | sed -n 's/^Location: //p')
    got=$(tr -d '\r' < headers | awk '/^HTTP/ {status = $2} /^Range/ {range = $2} END {print status, range}')
}
chunk 0-3
seen 'first chunk, 0-3' '202 0-3' "$got"
chunk 0-3
seen 'the same chunk again' '202 0-7' "$got"
chunk 90-93
seen 'one after a gap, 90-93' '202 0-11' "$got"
printf abcdabcdabcd > sent
seen 'the blob of all three' 201 "$(curl -s -o /dev/null -w '%{http_code}' -X PUT -H 'Content-Type: application/octet-stream' "$where&digest=$(digest_of sent)")"
