#!/bin/bash
# Debian's docker-registry answers 404 for an OCI manifest that exists, to `Accept: */*` and to no Accept at all.
#
# Expected: the manifest. RFC 9110, 12.5.1: a request without Accept, and `*/*`, mean that every media type will do;
# in the distribution-spec a client should send Accept, need not, and 404 says that there is no such manifest.
# Happens: the media type has to be named word for word; `*/*` and `application/*` are not looked at. A check "does
# this tag exist" by curl or a simple client says no for OCI images and yes for Docker's.
# Versions: docker-registry 2.8.2+ds1-1 (Debian 12). Seen 2026-11-30:
#   no Accept 404, */* 404, application/* 404, application/vnd.oci.image.manifest.v1+json;q=0.1 200
#   "OCI manifest found, but accept header does not support OCI manifests"
source "$(dirname "$(realpath "$0")")/common.sh"
debian_registry
printf '{}' > config
push_blob a config
oci=application/vnd.oci.image
printf '{"schemaVersion":2,"mediaType":"%s.manifest.v1+json","config":{"mediaType":"%s.config.v1+json","digest":"%s","size":2},"layers":[]}' \
    "$oci" "$oci" "$(digest_of config)" > manifest
curl -sf -o /dev/null -X PUT --data-binary @manifest -H "Content-Type: $oci.manifest.v1+json" "$registry/v2/a/manifests/v1"
asked() { curl -s -o answer -w '%{http_code}' -H "Accept:$1" "$registry/v2/a/manifests/v1"; }
seen 'no Accept' 404 "$(asked '')"
seen '*/*' 404 "$(asked ' */*')"
seen 'application/*' 404 "$(asked ' application/*')"
seen 'the reason' 'OCI manifest found, but accept header does not support OCI manifests' \
    "$(python3 -c 'import json; print(json.load(open("answer"))["errors"][0]["message"])')"
seen 'the very type' 200 "$(asked " $oci.manifest.v1+json;q=0.1")"
