#!/usr/bin/env bash
# scripts/release, for x86_64, twice: here, and in a copy of the sources in another folder with nothing built, by another umask and in another
# time zone. All that is published is the same byte by byte; the checksums are right and notice a change; the list of contents has the
# crates that cargo links and no others. One more build: a minute. Last line: "N passed, N failed, N skipped".
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
root=${tests%/*}
. "$root/scripts/common.sh"
[ "$(uname -m)" = x86_64 ] || { skip "release: this machine is no x86_64"; end_of_results; exit 0; }
[ "$(id -u)" = 0 ] || { skip "release: what it takes is installed by root only"; end_of_results; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's/^version *= *"\(.*\)"/\1/p' "$root/Cargo.toml")
archive=cgraft-$version-x86_64.tar.xz
export SOURCE_DATE_EPOCH=1700000000 CGRAFT_ARCHES=x86_64 CARGO_INCREMENTAL=0

# release FOLDER OUT
release() {
	"$1/scripts/release" "$work/$2" >"$work/said" 2>&1 </dev/null && return
	not_ok "release $2: $(tail -n 1 "$work/said")"
	end_of_results
	exit 1
}

copy() {
	mkdir -p "$work/another/and a longer folder/than=that"
	copied="$work/another/and a longer folder/than=that"
	tar -C "$root" --exclude=./target --exclude=./.git -c . | tar -C "$copied" -x
}

sums() {
	(cd "$work/$1" && sha256sum --status -c SHA256SUMS)
}

release "$root" one
copy
(
	umask 077
	export TZ=Asia/Tokyo
	release "$copied" two
) || exit 1
check "two builds in two folders: the same files" [ "$(ls "$work/one")" = "$(ls "$work/two")" ]
check "there are an archive, a list of contents and checksums" [ "$(find "$work/one" -type f | wc -l)" = 3 ]
for file in "$work"/one/*; do
	check "two builds in two folders: ${file##*/} is the same" cmp "$file" "$work/two/${file##*/}"
done

check "checksums: they are of everything" [ "$(cut -c 67- "$work/one/SHA256SUMS" | sort)" = "$(cd "$work/one" && printf '%s\n' cgraft-* | sort)" ]
check "checksums: they are right" sums one
printf x >>"$work/two/$archive"
check "checksums: they notice a byte more" eval '! sums two'

tar -C "$work" -xf "$work/one/$archive"
check "archive: its program is the version's" [ "$("$work/${archive%.tar.xz}/cgraft" --version)" = "cgraft $version" ]
check "archive: its program names no folder of this machine" eval '! grep -qaF -e "$root" -e "${CARGO_HOME:-${HOME:-/root}/.cargo}" "$work/${archive%.tar.xz}/cgraft"'
check "archive: owners and times are nobody's" [ "$(TZ=UTC tar --numeric-owner -tvf "$work/one/$archive" | awk '{ print $2, $4, $5 }' | sort -u)" = "0/0 2023-11-14 22:13" ]
for file in cgraft.1 cgraft-image.5 README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE completions/cgraft.bash docs/phases.md; do
	check "archive: has $file" cmp "$work/${archive%.tar.xz}/$file" "$(find "$root/$file" "$root/docs/man/$file" 2>/dev/null)"
done
# Every file that a page of the archive names by a link is in it, or is source.
unpacked_lacks=$(cd "$work/${archive%.tar.xz}" && grep -oE '\]\([^)#:]+' README.md | cut -c 3- | while read -r link; do [ -e "$link" ] || echo "$link"; done | grep -vE '^(src|tests|scripts|packaging|completions|docs/man)(/|$)')
check "archive: what its README shows is there" [ -z "$unpacked_lacks" ] || echo "$unpacked_lacks"

# Another reading of what is linked: cargo's own tree.
(cd "$root" && cargo tree --locked --edges normal,build --prefix none --target x86_64-unknown-linux-musl | awk '$1 != "cgraft" { sub(/^v/, "", $2); print $1, $2 }' | sort -u) >"$work/tree"
python3 -c 'import json, sys; print("\n".join(sorted(each["name"] + " " + each["version"] for each in json.load(open(sys.argv[1]))["components"])))' \
	"$work/one/cgraft-$version.cdx.json" >"$work/listed"
check "list of contents: the crates of cargo tree" diff "$work/tree" "$work/listed"
check "list of contents: there are some" [ -s "$work/listed" ]
end_of_results
[ $failed = 0 ]
