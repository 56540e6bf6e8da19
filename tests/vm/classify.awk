# docs/properties.md and lines "VERSION <tab> FILE <tab> WHERE" in; these lines with a word in front out: "saved" for a file of the
# tables, "refused" for one of the lists behind them, "unknown".
#   awk -F '\t' -f classify.awk PROPERTIES.MD LINES
BEGIN { OFS = "\t" }
NR == FNR {
	if (/^## .*cgroup v[12]$/) {
		version = substr($0, length($0))
		kind = /^## Never/ ? "refused" : "saved"
	}
	if (kind && sub(/^\| `/, "") && sub(/`.*/, "")) {
		if (/\*/) {
			gsub(/\./, "[.]")
			sub(/\*/, "[0-9]+[KMG]B")
			patterns[version, kind] = patterns[version, kind] "|^" $0 "$"
		} else kinds[version, $0] = kind
	}
	next
}
function fits(kind) {
	return $2 ~ substr(patterns[$1, kind] "|^$", 2)
}
{
	kind = kinds[$1, $2]
	if (!kind) kind = fits("saved") ? "saved" : fits("refused") ? "refused" : "unknown"
	print kind, $0
}
