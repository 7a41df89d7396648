#!/bin/bash
# Debian's docker-registry answers 416 with the length of the blob and no body.
#
# Expected: a Content-Length of the answer's own body (RFC 9110, 8.6), which is none or a text. A client meets this
# when it resumes a download that was complete: it asks for `bytes=LENGTH-`.
# Happens: Content-Length is the blob's, then the connection is closed: clients that read the answer before they look
# at the status see a broken transfer (curl 18, Python IncompleteRead) and repeat it, with the same end.
# Versions: docker-registry 2.8.2+ds1-1 (Debian 12). Seen 2026-11-30:
#   416, Content-Length: 11, Content-Range: bytes */11, 0 bytes of body, IncompleteRead
source "$(dirname "$(realpath "$0")")/common.sh"
debian_registry
printf 'hello layer' > layer
push_blob a layer
cat > resume.py << 'EOF'
import http.client, sys, urllib.error, urllib.request
request = urllib.request.Request(sys.argv[1], headers={'Range': 'bytes=11-'})
try:
    urllib.request.urlopen(request, timeout=20)
except urllib.error.HTTPError as answer:
    print(answer.code, answer.headers['Content-Length'], answer.headers['Content-Range'])
    try:
        print(len(answer.read()), 'bytes')
    except http.client.IncompleteRead as error:
        print('IncompleteRead after', len(error.partial), 'bytes')
EOF
seen 'a download resumed at its end' '416 11 bytes */11
IncompleteRead after 0 bytes' "$(python3 resume.py "$registry/v2/a/blobs/$(digest_of layer)")"
