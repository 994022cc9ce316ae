# ask_lists: when apt's lists were fetched, and what time it is, both by the host's clock. Where a
# source has changed since, they are lists of something else.
ask_lists() {
	set -- /var/lib/apt/lists/*_Packages*
	[ -e "$1" ] && [ -z "$(find /etc/apt/sources.list /etc/apt/sources.list.d -maxdepth 1 -newer /var/lib/apt/lists -print -quit 2>/dev/null)" ] &&
		printf '%s\000' "$(stat -c %Y /var/lib/apt/lists)" "$(date +%s)"
}
