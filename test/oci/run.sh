#!/bin/sh
# Runs the OCI distribution conformance suite, everything in it that is not
# about registries storing manifests without their content, against a running
# registry. Fails when one check does.
#
#   test/oci/run.sh HOST:PORT USER PASSWORD [RESULTS_DIR]
#
# USER is {project}@{AK} and PASSWORD the docker password of the key; the
# project must be able to make the namespace "conformance". OCI_TLS=enabled or
# insecure for a registry that speaks TLS; any other OCI_… variable of the suite
# is passed on.
set -eu
if [ $# -lt 3 ]; then
	echo "usage: $0 HOST:PORT USER PASSWORD [RESULTS_DIR]" >&2
	exit 2
fi
cd "$(dirname "$0")/../.."
results=${4:-}
if [ -z "$results" ]; then
	results=$(mktemp -d)
	trap 'rm -rf "$results"' EXIT
fi
export OCI_REGISTRY="$1" OCI_USERNAME="$2" OCI_PASSWORD="$3" OCI_RESULTS_DIR="$results"
export OCI_TLS="${OCI_TLS:-disabled}" OCI_VERSION="${OCI_VERSION:-dev}"
export OCI_REPO1="${OCI_REPO1:-conformance/repo1}" OCI_REPO2="${OCI_REPO2:-conformance/repo2}"
export OCI_API_BLOBS_DIGEST_HEADER=true OCI_API_BLOBS_UPLOAD_CANCEL=true
export OCI_API_MANIFESTS_DIGEST_HEADER=true OCI_API_MANIFESTS_TAG_PARAM=true
go tool conformance
