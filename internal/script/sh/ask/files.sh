# ask_files PATH DIGEST: all that is in a directory: of each entry what it is, and of each file its
# digest, sorted. They are told where their own digest is another than DIGEST. No name has two slashes
# in a row, so these part it from a link's target.
ask_files() {
	[ -d "$1" ] && [ ! -L "$1" ] && at "$1" 2>/dev/null && down "$name" 2>/dev/null || return 0
	all=$({
		find . -mindepth 1 -printf '%y %m %U:%G %P//%l\0' | sed -z "$(owners)" | sort -z
		find . -type f -print0 | sort -z | xargs -0 -r sha256sum -z --
	} 2>/dev/null | base64 -w 0)
	digest=$(printf %s "$all" | sha256sum)
	[ "$digest" != "$2  -" ] || all=
	printf '%s\000' "$1" "${digest%% *}" "$all"
	cd /
}

# owners is a script of sed that makes names of the numbers of who owns what is in the working directory:
# find(1) would look each up anew, which of thousands of files takes longer than their digests.
owners() {
	find . -mindepth 1 -printf '%U %G\n' | sort -u | while read -r user group; do
		printf 's,^%s%s:%s ,%s%s ,\nt\n' '\(. [0-7]* \)' "$user" "$group" '\1' "$(find . -mindepth 1 -uid "$user" -gid "$group" -printf '%u:%g' -quit | sed 's/[\\&,]/\\&/g')"
	done
}
