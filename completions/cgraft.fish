# Completion of cgraft for fish; commands and options are read from the program's --help.
function __cgraft_commands
	cgraft --help 2>/dev/null | string match -r '^[a-z]{4,7}(?=:|,| [A-Z.])'
end
function __cgraft_options
	cgraft --help 2>/dev/null | string match -v '  $ *' | string match -ar -- '(?<=^|[ ,])--[a-z][a-z-]*' | sort -u
end
complete -c cgraft -f -n __fish_use_subcommand -a '(__cgraft_commands) help'
complete -c cgraft -f -n '__fish_seen_subcommand_from help' -a '(__cgraft_commands)'
complete -c cgraft -n 'not __fish_use_subcommand' -a '(__cgraft_options)'
complete -c cgraft -l manage-cgroups -x -a 'none props soft full strict ignore'
complete -c cgraft -l phase -x -a 'create join limit freeze'
complete -c cgraft -s i -l image -r
complete -c cgraft -s D -l images-dir -r
complete -c cgraft -s t -l tree -x -a '(__fish_complete_pids)'
