# ask_lists: when apt's lists were fetched, and what time it is, both by the host's clock.
ask_lists() {
	set -- /var/lib/apt/lists/*_Packages*
	[ -e "$1" ] && printf '%s\000' "$(stat -c %Y /var/lib/apt/lists)" "$(date +%s)"
}
