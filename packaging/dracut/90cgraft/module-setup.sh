#!/bin/bash
# Puts cgraft into the initramfs, with the images of /etc/cgraft. dracut.modules(7)

check() {
	require_binaries cgraft || return 1
	return 255 # only if it is asked for: dracut --add cgraft
}

depends() {
	return 0
}

# shellcheck disable=SC2154 # dracut sets dracutsysrootdir
install() {
	local image
	inst_binary cgraft
	for image in "${dracutsysrootdir:-}"/etc/cgraft/*.img; do
		[ ! -f "$image" ] || inst_simple "${image#"${dracutsysrootdir:-}"}"
	done
}
