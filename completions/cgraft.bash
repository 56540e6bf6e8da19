# Completion of cgraft for bash, and for zsh after `autoload bashcompinit && bashcompinit`. Commands and options are those of the
# program that is there: they are read from its --help.
_cgraft() {
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command='' word help
	COMPREPLY=()
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $word in -*) ;; *) command=$word; break ;; esac
	done
	case $before in
		-i | --image | -o | --log-file | --journal | --cgroup-props-file | --pid-map-file)
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
		-D | --images-dir | --cgroup-yard)
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
		-t | --tree | --like | --pidns) mapfile -t COMPREPLY < <(cd /proc && compgen -W "$(echo [0-9]*)" -- "$current"); return ;;
		--manage-cgroups) mapfile -t COMPREPLY < <(compgen -W 'none props soft full strict ignore' -- "$current"); return ;;
		--phase) mapfile -t COMPREPLY < <(compgen -W 'create join limit freeze create,join,limit,freeze' -- "$current"); return ;;
		--properties) mapfile -t COMPREPLY < <(compgen -W 'all criu' -- "$current"); return ;;
		--layout) mapfile -t COMPREPLY < <(compgen -W 'criu rfc' -- "$current"); return ;;
		--translate) mapfile -t COMPREPLY < <(compgen -W 'auto off' -- "$current"); return ;;
	esac
	help=$("${COMP_WORDS[0]}" --help 2>/dev/null | grep -v '^  \$ ') || return # without the examples
	case $command,$current in
		,-*) mapfile -t COMPREPLY < <(compgen -W '--help --version' -- "$current") ;;
		,* | help,*)
			word=$(sed -n 's/^\([a-z]\{4,7\}\)\(:\|,\| [A-Z.]\).*/\1/p' <<<"$help")
			mapfile -t COMPREPLY < <(compgen -W "$word help" -- "$current") ;;
		*,-*)
			word=$(grep -oE -- '(^|[ ,])--?[a-zA-Z][a-z-]*' <<<"$help" | tr -d ' ,' | sort -u)
			mapfile -t COMPREPLY < <(compgen -W "$word" -- "$current") ;;
		show,* | decode,* | diff,* | undo,*)
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
	esac
}
complete -F _cgraft cgraft
