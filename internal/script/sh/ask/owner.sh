# ask_owners PATH...: of each that a package brought a line with o before it (dpkg-query(1), -S), of
# each that is a conffile one with c and its digest in the package (deb-conffiles(5)), and with s where it is as the package has it.
ask_owners() {
	owned=$(dpkg-query -S -- "$@" 2>/dev/null)
	printf '%s\n' "$owned" | sed 's/^/o /'
	# shellcheck disable=SC2046,SC2016 # a word each; dpkg-query's own names
	dpkg-query -W -f '${Conffiles}\n' -- $(printf '%s\n' "$owned" | sed -n 's/^\([a-z0-9][a-z0-9+.-]*\)[:,].*/\1/p' | sort -u) 2>/dev/null |
		while read -r path digest _; do
			for asked; do
				[ "$asked" = "$path" ] || continue
				printf 'c %s %s\n' "$digest" "$path"
				[ ! -f "$path" ] || [ -L "$path" ] || [ "$(md5sum <"$path")" != "$digest  -" ] || printf 's %s\n' "$path"
			done
		done
	printf '\000'
}
