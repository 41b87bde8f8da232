#!/usr/bin/env bash
# Holds reports against judges that are not ours: SARIF against Microsoft's
# multitool with the rules of GitHub's code scanning, CycloneDX against the
# CycloneDX project's own validator, the licences of SPDX against npm's parser
# of licence expressions. The Go tests of internal/report hold the same files
# against the official schemas without leaving the machine.
#   report.sh [FILE.sarif|FILE.cyclonedx|FILE.spdx …]
# Without files it judges what internal/report's fixtures make. Needs node and npm.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
files=()
for f in "$@"; do files+=("$(realpath "$f")"); done
if [ ${#files[@]} -eq 0 ]; then
	mkdir "$dir/out"
	BREAKWATER_REPORTS="$dir/out" go test -count=1 -run TestWriteFiles ./internal/report
	files=("$dir"/out/*.sarif "$dir"/out/*.cyclonedx "$dir"/out/*.spdx)
fi
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @microsoft/sarif-multitool@5.7.0 \
	@cyclonedx/cyclonedx-library@10.3.0 ajv@8 ajv-formats@3 ajv-formats-draft2019@1 spdx-expression-parse@4.0.0
cat >judge.mjs <<'JS'
import fs from 'node:fs'
import * as cdx from '@cyclonedx/cyclonedx-library'
import parse from 'spdx-expression-parse'
let bad = 0
for (const file of process.argv.slice(2)) {
	const text = fs.readFileSync(file, 'utf8')
	let wrong = null
	if (file.endsWith('.cyclonedx')) {
		wrong = await new cdx.Validation.JsonStrictValidator(cdx.Spec.Version.v1dot6).validate(text)
	} else {
		for (const p of JSON.parse(text).packages) {
			try { if (p.licenseDeclared !== 'NOASSERTION') parse(p.licenseDeclared) } catch (e) { wrong = `${p.licenseDeclared}: ${e.message}` }
		}
	}
	if (wrong === null) console.log('ok', file)
	else { bad++; console.log('WRONG', file, JSON.stringify(wrong).slice(0, 2000)) }
}
process.exit(bad ? 1 : 0)
JS
sarif=() others=()
for f in "${files[@]}"; do case $f in *.sarif) sarif+=("$f") ;; *) others+=("$f") ;; esac; done
[ ${#others[@]} -eq 0 ] || node judge.mjs "${others[@]}"
# The multitool has no word for "only errors fail": its own exit code says
# nothing of the results, so they are read. It takes minutes for 10 MB.
tool=node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool
chmod +x "$tool"
for f in "${sarif[@]}"; do
	timeout 300 "$tool" validate '--rule-kind=Sarif;Ghas' "$f" >verdict.txt 2>&1 || true
	if grep -q '1 file scanned\|files scanned' verdict.txt && ! grep -q ' error ' verdict.txt; then
		echo "ok $f"
	else
		cut -c1-400 verdict.txt | head -40
		echo "WRONG $f"
		exit 1
	fi
done
