#!/usr/bin/env bash
# The package of Debian is built and looked into; the hooks of initramfs-tools and dracut put a program that runs where they say; the
# list of contents names the crates of Cargo.lock and no others. Last line: "N passed, N failed, N skipped".
#
#   CGRAFT=FILE   the program that is packed
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
root=${tests%/*}
. "$root/scripts/common.sh"
[ -x "$CGRAFT" ] || { skip "packaging: there is no $CGRAFT; scripts/build makes it"; end_of_results; exit 0; }
[ "$(id -u)" = 0 ] || { skip "packaging: what it takes is installed by root only"; end_of_results; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

package() {
	local tree=$work/build/tree deb=$work/cgraft.deb listed
	need_packages dpkg-dev make fakeroot 2>/dev/null
	command -v dpkg-buildpackage >/dev/null || { skip "Debian package: there is no dpkg-buildpackage, and it cannot be installed"; return; }
	mkdir -p "$tree"
	(cd "$root" && git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$tree")
	cp -r "$root/packaging/debian" "$tree/debian"
	(cd "$tree" && CGRAFT=$CGRAFT dpkg-buildpackage -b -us -uc -d) >"$work/out" 2>&1
	check "Debian package: it is built" [ -f "$work"/build/cgraft_*_amd64.deb ] || { tail -n 5 "$work/out"; return; }
	cp "$work"/build/cgraft_*_amd64.deb "$deb"
	listed=$(dpkg-deb -c "$deb" | awk '{ print $6 }')
	for file in ./usr/bin/cgraft ./usr/share/man/man1/cgraft.1.gz ./usr/share/initramfs-tools/hooks/cgraft ./usr/share/doc/cgraft/copyright; do
		check "Debian package: has $file" grep -qxF "$file" <<<"$listed"
	done
	check "Debian package: depends on nothing" [ -z "$(dpkg-deb -f "$deb" Depends)" ]
	check "Debian package: has the version of Cargo.toml" [ "$(dpkg-deb -f "$deb" Version)" = "$(sed -n 's/^version *= *"\(.*\)"/\1/p' "$root/Cargo.toml")" ]
	dpkg-deb -x "$deb" "$work/unpacked"
	check "Debian package: its program runs" [ "$("$work/unpacked/usr/bin/cgraft" --version)" = "$("$CGRAFT" --version)" ]
}

# The real functions of initramfs-tools, from its package; only its postprocessing is not run.
initramfs() {
	local functions deb
	mkdir -p "$work/images" "$work/initramfs"
	deb=$(private_deb "$(debian_codename)" initramfs-tools-core 2>/dev/null) || deb=
	[ -n "$deb" ] && dpkg-deb -x "$deb" "$work/tools" || { skip "initramfs-tools: its package cannot be had"; return; }
	functions=$work/tools/usr/share/initramfs-tools/hook-functions
	cp "$root/tests/corpus/v2-web/cgroup.img" "$work/images/web.img"
	(
		export DESTDIR=$work/initramfs CGRAFT CGRAFT_HOOK_FUNCTIONS=$functions CGRAFT_IMAGES=$work/images verbose=n
		sh "$root/packaging/initramfs-tools/cgraft"
	) >"$work/out" 2>&1
	check "initramfs-tools: the hook ends well" [ $? = 0 ] || cat "$work/out"
	check "initramfs-tools: the program runs with nothing else in its root" [ "$(in_root "$work/initramfs" /usr/bin/cgraft --version)" = "$("$CGRAFT" --version)" ]
	check "initramfs-tools: and reads the image" grep -q web <<<"$(in_root "$work/initramfs" /usr/bin/cgraft show /etc/cgraft/web.img)"
	check "initramfs-tools: nothing else is there" [ "$(find "$work/initramfs" -type f | wc -l)" = 2 ]
}

in_root() {
	chroot "$@" 2>&1
}

# dracut's functions are replaced by ones that say what they are asked for: that dracut does it is not tested here.
dracut() {
	(
		require_binaries() { [ "$*" = cgraft ]; }
		inst_binary() { echo "binary $*"; }
		inst_simple() { echo "file $*"; }
		dracutsysrootdir=$work/sysroot
		mkdir -p "$dracutsysrootdir/etc/cgraft"
		: >"$dracutsysrootdir/etc/cgraft/a.img"
		# shellcheck source=/dev/null
		. "$root/packaging/dracut/90cgraft/module-setup.sh"
		check
		echo "check $?"
		install
	) >"$work/out" 2>&1
	check "dracut: the module asks for the program and the images (dracut itself is not run)" \
		[ "$(paste -sd, "$work/out")" = "check 255,binary cgraft,file /etc/cgraft/a.img" ]
}

contents() {
	"$root/scripts/sbom" >"$work/sbom" 2>"$work/out" || { skip "list of contents: $(tail -n 1 "$work/out")"; return; }
	python3 - "$work/sbom" "$root/Cargo.lock" >"$work/out" 2>&1 <<-'END'
		import json, re, sys
		listed = {(each["name"], each["version"], each["hashes"][0]["content"]) for each in json.load(open(sys.argv[1]))["components"]}
		lock = open(sys.argv[2]).read().split("[[package]]")[1:]
		locked = {tuple(re.search(rf'^{key} = "(.*)"', part, re.M)[1] for key in ("name", "version", "checksum")) for part in lock if "checksum" in part}
		assert listed and listed <= locked, listed - locked
		linked = {"argh", "argh_shared", "heapless", "quick-protobuf", "rustix", "spin"}
		assert linked <= {name for name, _, _ in listed}, linked
	END
	check "list of contents: the crates of Cargo.lock, by version and checksum" [ $? = 0 ] || cat "$work/out"
	check "crates: licences, sources, one version of each" "$root/scripts/sbom" --check
}

package
initramfs
dracut
contents
end_of_results
[ $failed = 0 ]
