# The output of `cgraft decode --pretty` in, lines as those of snapshot.sh out, without the hierarchy's mount:
# CONTROLLER <tab> GROUP <tab> FILE <tab> MODE:UID:GID <tab> VALUE. Groups are told apart by how far they are indented.

function indent(line) {
	match(line, /^ */)
	return RLENGTH
}
function octal(mode,   text, digit) {
	mode %= 4096
	for (digit = 0; digit < 4; digit++) { text = mode % 8 text; mode = int(mode / 8) }
	sub(/^0+/, "", text)
	return text
}
# A JSON text, its newlines as |.
function plain(text) {
	sub(/,$/, "", text)
	text = substr(text, 2, length(text) - 2)
	gsub(/\\n/, "|", text)
	gsub(/\\"/, "\"", text)
	gsub(/\\\\/, "\\", text)
	while (match(text, /\\u[0-9a-f][0-9a-f][0-9a-f][0-9a-f]/))
		text = substr(text, 1, RSTART - 1) utf8(hex(substr(text, RSTART + 2, 4))) substr(text, RSTART + 6)
	return text
}
function hex(digits,   number) {
	for (; digits != ""; digits = substr(digits, 2)) number = number * 16 + index("0123456789abcdef", substr(digits, 1, 1)) - 1
	return number
}
# A letter below U+10000; no name of the tree has others.
function utf8(letter) {
	if (letter < 128) return sprintf("%c", letter)
	if (letter < 2048) return sprintf("%c%c", 192 + int(letter / 64), 128 + letter % 64)
	return sprintf("%c%c%c", 224 + int(letter / 4096), 128 + int(letter / 64) % 64, 128 + letter % 64)
}
BEGIN { FS = "\": " }
{
	depth = indent($0)
	key = $1
	sub(/^ *"/, "", key)
	rest = substr($0, length($1) + 4)
}
key == "cnames" { wants_name = 1; next }
wants_name { name = $0; sub(/^ */, "", name); controller = plain(name); wants_name = 0; next }
key == "dir_name" {
	for (above = depth - 8; above > 0 && !(above in path); above -= 8);
	for (other in path) if (other + 0 >= depth) delete path[other]
	path[depth] = (above in path ? path[above] : "") (plain(rest) == "" ? "" : "/" plain(rest))
	next
}
key == "name" { file = plain(rest); next }
key == "value" { value = plain(rest); at = path[depth - 8]; next }
key == "dir_perms" { file = "."; value = "-"; at = path[depth]; next }
key == "mode" { mode = octal(rest + 0) }
key == "uid" { uid = rest + 0 }
key == "gid" { print controller "\t" at "\t" file "\t" mode ":" uid ":" rest + 0 "\t" value }
