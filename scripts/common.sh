# shellcheck shell=bash
# Helpers that the scripts share. Sourced, not run.

CGRAFT_CACHE=${CGRAFT_CACHE:-${HOME:-/root}/.cache/cgraft}
export DEBIAN_FRONTEND=noninteractive

# One line to standard error, under the script's name.
say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# The same, and the end.
die() {
	say "$@"
	exit 1
}

# The folder of the work tree that these scripts belong to.
repo_root() {
	(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
}

# need_packages PACKAGE...: installs those that are missing. Scripts that run at the same time take turns: apt does not wait for itself.
need_packages() {
	local missing turn
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	command -v apt-get >/dev/null || die "missing, and there is no apt-get to install with: ${missing[*]}"
	need_root "apt-get update && apt-get install -y ${missing[*]}"
	say "installing ${missing[*]}"
	exec {turn}>/run/cgraft-apt.lock
	! command -v flock >/dev/null || flock "$turn"
	apt_update
	apt_install "${missing[@]}" || die "apt-get cannot install ${missing[*]}: is there a network?"
	exec {turn}>&-
}

missing_packages() {
	local package
	for package; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
	done
}

# need_root COMMAND: stops unless we are root, and says what root would have to run.
need_root() {
	[ "$(id -u)" = 0 ] || die "something is missing; as root: $1"
}

# Refreshes apt's lists, at most once a run. A source that fails is no reason to stop: the others may have what is needed.
apt_update() {
	[ -z "${apt_updated:-}" ] || return 0
	apt_updated=yes
	apt-get -qq -o Acquire::Retries=2 update </dev/null >/dev/null 2>&1 || say "apt-get update had errors; going on with the lists there are"
}

apt_install_options=(-y --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)

apt_install() {
	apt-get -qq "${apt_install_options[@]}" install "$@" </dev/null >/dev/null 2>&1
}

# The code name of the running release.
debian_codename() {
	(. /etc/os-release && echo "${VERSION_CODENAME:?is not in /etc/os-release}")
}

# The mirror that apt already uses for main of the running release.
debian_mirror() {
	# shellcheck disable=SC2016 # apt fills these in
	apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
		awk -v codename="$(debian_codename)" '$2 == codename && $3 == "main" && !seen++ { print $1 }'
}

# The running release together with its backports, as private_apt wants it.
with_backports() {
	echo "$(debian_codename)+$(debian_codename)-backports"
}

# private_apt SUITE[+SUITE] ARGUMENT...: apt-get on these suites of that mirror, with sources, lists and a cache of its own in CGRAFT_CACHE/apt.
# Of the machine's own apt only keys, proxies and credentials are used, and nothing is changed. Lists are fetched again when a day old.
# $deb_arch: Debian's name of another architecture, where packages are to be for that one.
private_apt() {
	local suites=$1 folder=$CGRAFT_CACHE/apt/$1${deb_arch:+-$deb_arch} options
	shift
	options=(
		-qq
		-o Dir::Etc::SourceList="$folder/sources.list"
		-o Dir::Etc::SourceParts=/dev/null
		-o Dir::Etc::Preferences=/dev/null
		-o Dir::Etc::PreferencesParts=/dev/null
		-o Dir::State::Lists="$folder/lists"
		-o Dir::Cache="$folder"
		-o Acquire::Check-Valid-Until=false
		-o Acquire::Languages=none
		-o Acquire::Retries=2
		-o APT::Sandbox::User=root
		-o APT::Update::Error-Mode=any
	)
	[ -z "${deb_arch:-}" ] || options+=(-o "APT::Architecture=$deb_arch" -o "APT::Architectures=$deb_arch")
	if [ -z "$(find "$folder/fetched" -mtime -1 2>/dev/null)" ]; then
		private_sources "$suites" "$folder" && apt-get "${options[@]}" update >/dev/null 2>&1 </dev/null && touch "$folder/fetched" || return 1
	fi
	apt-get "${options[@]}" "$@" </dev/null
}

private_sources() {
	local mirror suite
	mirror=$(debian_mirror)
	[ -n "$mirror" ] && mkdir -p "$2"/{lists,archives}/partial || return 1
	for suite in ${1//+/ }; do
		echo "deb $mirror $suite main"
	done >"$2/sources.list"
}

# The file name of a package, or of PACKAGE=VERSION, in a suite: package_version_architecture.deb
private_name() {
	private_apt "$1" download --print-uris "$2" 2>/dev/null | awk '{ print $2 }'
}

# private_deb SUITE PACKAGE[=VERSION]: downloads a package unless it is in the cache already, and prints its path.
private_deb() {
	local cache=$CGRAFT_CACHE/deb name scratch
	name=$(private_name "$1" "$2")
	[ -n "$name" ] || return 1
	if [ ! -f "$cache/$name" ]; then
		mkdir -p "$cache"
		scratch=$(mktemp -d "$cache/part.XXXXXX")
		(cd "$scratch" && private_apt "$1" download "$2" >&2 && mv "$name" "$cache/")
		rm -rf "$scratch"
	fi
	[ -f "$cache/$name" ] && echo "$cache/$name"
}

# A compiler as new as Cargo.toml asks for: the one there is, Debian's, that of its backports, or rustup's.
need_rust() {
	local needed
	PATH=$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin
	needed=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$(repo_root)/Cargo.toml")
	[ -n "$(rustc_version)" ] || install_rust "$needed"
	at_least "$(rustc_version)" "$needed" || die "rustc $(rustc_version) is older than $needed: update it, or put a newer one first in PATH"
	cargo --version >/dev/null 2>&1 || need_packages cargo
}

rustc_version() {
	rustc -vV 2>/dev/null | sed -n 's/^release: //p'
}

at_least() {
	[ -n "$1" ] && dpkg --compare-versions "${1%%-*}" ge "$2"
}

install_rust() {
	local backport
	[ "$(id -u)" != 0 ] || apt_update
	if at_least "$(candidate rustc)" "$1"; then
		need_packages rustc cargo
		return
	fi
	[ "$(id -u)" = 0 ] || die "no rust $1 or newer in PATH: install one with rustup, or run this as root"
	say "installing rust $1 or newer"
	backport=$(private_name "$(debian_codename)-backports" rustc) || true
	if at_least "$(cut -d_ -f2 <<<"$backport")" "$1"; then
		private_apt "$(with_backports)" "${apt_install_options[@]}" install -t "$(debian_codename)-backports" rustc cargo >/dev/null 2>&1 ||
			die "apt-get cannot install rustc and cargo of $(debian_codename)-backports"
	else
		install_rustup || die "no rust $1 or newer: Debian's is $(candidate rustc), and rustup cannot fetch one"
	fi
}

candidate() {
	LC_ALL=C apt-cache policy "$1" | sed -n 's/^ *Candidate: \([0-9].*\)/\1/p'
}

install_rustup() {
	if command -v rustup >/dev/null || [ -n "$(candidate rustup)" ]; then
		need_packages rustup
		timeout 600 rustup -q toolchain install stable --profile minimal >/dev/null 2>&1 && rustup -q default stable >/dev/null 2>&1
	else
		need_packages curl ca-certificates
		curl --proto '=https' -sSf --max-time 60 https://sh.rustup.rs 2>/dev/null | timeout 600 sh -s -- -qy --no-modify-path --profile minimal >/dev/null 2>&1
	fi && [ -n "$(rustc_version)" ]
}
