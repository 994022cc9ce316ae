# ask_files PATH DIGEST: all that is in a directory: of each entry what it is, and of each file its
# digest, sorted. They are told where their own digest is another than DIGEST. No name has two slashes
# in a row, so these part it from a link's target.
ask_files() {
	[ -d "$1" ] && [ ! -L "$1" ] && at "$1" 2>/dev/null && down "$name" 2>/dev/null || return 0
	all=$({
		find . -mindepth 1 -printf '%y %m %u:%g %P//%l\0' | sort -z
		find . -type f -print0 | sort -z | xargs -0 -r sha256sum -z --
	} 2>/dev/null | base64 -w 0)
	digest=$(printf %s "$all" | sha256sum)
	[ "$digest" != "$2  -" ] || all=
	printf '%s\000' "$1" "${digest%% *}" "$all"
	cd /
}
