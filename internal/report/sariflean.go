package report

import "bytes"

// unset tells which members may be left out when they have the value that the
// library writes for "not set": -1, which the standard takes for none (SARIF
// 3.4), or an empty list that may as well be absent.
func unset(key, value string) bool {
	switch key {
	case "index", "parentIndex", "id", "rank", "byteOffset", "charOffset":
		return value == "-1"
	case "annotations", "addresses", "arguments", "attachments", "codeFlows", "contents", "extensions", "fixes",
		"graphTraversals", "graphs", "locations", "logicalLocations", "newlineSequences", "notificationConfigurationOverrides",
		"notifications", "policies", "redactionTokens", "relatedLocations", "relationships", "ruleConfigurationOverrides",
		"runAggregates", "stacks", "supportedTaxonomies", "taxa", "taxonomies", "threadFlowLocations", "translations",
		"versionControlProvenance", "webRequests", "webResponses":
		return value == "[]"
	}
	return false
}

// lean takes the members that are not set out of a compact SARIF log: more than
// a third of it, and what validators warn of. A member is found by its colon;
// inside a string the quote before a colon is escaped, so that the key read
// backwards from it ends with a backslash and is none of ours.
func lean(log []byte) []byte {
	out := make([]byte, 0, len(log))
	kept := 0 // log[:kept] is dealt with
	for at := 0; ; at++ {
		i := bytes.IndexByte(log[at:], ':')
		if at += i; i < 0 || at+4 > len(log) {
			return append(out, log[kept:]...)
		}
		after := log[at+3]
		if at == 0 || log[at-1] != '"' || after != ',' && after != '}' {
			continue
		}
		open := bytes.LastIndexByte(log[kept:at-1], '"') + kept
		if open < kept || !unset(string(log[open+1:at-1]), string(log[at+1:at+3])) {
			continue
		}
		out = append(out, log[kept:open]...)
		if after == '}' { // it was the last member: the comma before it goes too
			out = append(bytes.TrimSuffix(out, []byte(",")), '}')
		}
		kept = at + 4
	}
}
