#!/usr/bin/env bash
# The manual pages and the completions against the program's own help: no option is missing, none is invented.
# Last line: "N passed, N failed, N skipped".
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
root=${tests%/*}
[ -x "$CGRAFT" ] || { skip "manual: there is no $CGRAFT; scripts/build makes it"; end_of_results; exit 0; }
page=$root/docs/man/cgraft.1

# Long and short options of a text, each once.
options_of() {
	grep -oE -- '(^|[^[:alnum:]-])--?[a-zA-Z][a-z-]*' | grep -oE -- '--?[a-zA-Z][a-z-]*' | sort -u
}

options_of_help() {
	"$CGRAFT" --help | grep -vE '^exec |^  \$ ' | options_of | grep -vxE -- '-(vvv|w)'
}

# Only what the page sets in bold is an option; a hyphen is written \-.
options_of_page() {
	sed -n '/^\.SH OPTIONS/,/^\.SH EXIT/p' "$page" | grep -E '^\.(B|BR|BI|TP)' | sed 's/\\f.//g; s/\\-/-/g; s/"//g; s/\[N\]//' | options_of | grep -vxE -- '-vvv'
}

check "cgraft.1 has the options of --help, and no others" diff <(options_of_help) <(options_of_page)
commands_of_help() {
	"$CGRAFT" --help | sed -n 's/^\([a-z]\{4,7\}\)\(:\|,\| [A-Z.]\).*/\1/p'
}

{ commands_of_help; echo help; } | sort -u >"/tmp/cgraft-manual.$$"
sed -n '/^\.SH COMMANDS/,/^\.SH OPTIONS/p' "$page" | sed -n 's/^\.B \([a-z]*\)$/\1/p' | sort -u >"/tmp/cgraft-manual-page.$$"
check "and its commands" diff "/tmp/cgraft-manual.$$" "/tmp/cgraft-manual-page.$$"
rm -f "/tmp/cgraft-manual.$$" "/tmp/cgraft-manual-page.$$"

if command -v groff >/dev/null; then
	for each in cgraft.1 cgraft-image.5; do
		check "$each: groff has nothing to say against it" [ -z "$(groff -man -Tutf8 -ww -z "$root/docs/man/$each" 2>&1)" ]
	done
else
	skip "the pages' form: there is no groff"
fi

# completes WORDS...: what bash would offer for the last word.
completes() {
	(
		# shellcheck source=/dev/null
		. "$root/completions/cgraft.bash"
		# shellcheck disable=SC2317 # _cgraft calls it
		compopt() { :; }
		COMP_WORDS=("$CGRAFT" "$@")
		COMP_CWORD=$#
		_cgraft
		printf '%s\n' "${COMPREPLY[@]}"
	)
}

# The paragraph of --help that begins with this word.
paragraph() {
	"$CGRAFT" --help | awk -v RS= -v word="$1" 'index($0, word) == 1 && substr($0, length(word) + 1) ~ /^[:, ]/'
}

# help COMMAND: its own paragraph of --help, which has an example, and what is about all commands.
helps() {
	diff <("$CGRAFT" help "$1") <(paragraph "$1"; echo; paragraph '  -i') && "$CGRAFT" "$1" --help | grep -qE '^  \$ .*cgraft'
}

for each in $(commands_of_help); do
	check "help $each is its part of --help, with an example" helps "$each"
done
check "help alone is --help" diff <("$CGRAFT" help) <("$CGRAFT" --help)
"$CGRAFT" help nothing >/dev/null 2>&1
check "help for what is no command is an error" [ $? = 2 ]

# The examples as they stand, each in an empty folder: they may fail for want of an image, and must not be wrong usage.
folder=$(mktemp -d)
while read -r example; do
	example=${example%% |*}
	rm -f "$folder"/*
	(cd "$folder" && eval "\"\$CGRAFT\" ${example#cgraft }") >/dev/null 2>"$folder/said"
	check "example: $example" [ $? != 2 ] || cat "$folder/said"
done < <("$CGRAFT" --help | sed -n 's/^  \$ \(cgraft .*\)/\1/p' | sed 's/-t 4242/-t '$$/)
rm -r "$folder"

# docs/trees.md: each block is a command and what it prints. sample.img is made by a unit test, which compares it with the same text.
printed() {
	local line command='' inside=''
	while IFS= read -r line; do
		case $inside,$line in
		,'```text') inside=first ;;
		first,'$ cgraft '*)
			inside=rest command=${line#\$ cgraft }
			printf '%s\n%s\n' '```text' "$line"
			# shellcheck disable=SC2086 # words of a command
			if [ "$command" = "show sample.img" ]; then cat tests/fixtures/show/sample.txt; else "$CGRAFT" $command; fi
			continue
			;;
		*,'```') inside='' ;;
		esac
		case $inside in first | rest) ;; *) printf '%s\n' "$line" ;; esac
	done <docs/trees.md
}

cd "$root" || exit
check "docs/trees.md shows what the program prints" diff docs/trees.md <(printed)

check "a command is completed" [ "$(completes resto)" = restore ]
check "an option is completed" [ "$(completes restore --manage)" = --manage-cgroups ]
check "a choice is completed" [ "$(completes restore --manage-cgroups str)" = strict ]
check "every option of --help is offered" diff <(options_of_help | grep -E '^--') <(completes restore -- | grep -E '^--')
end_of_results
[ $failed = 0 ]
